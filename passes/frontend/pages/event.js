/** An event's page: keeps the invitation that came behind the `#`, where no server and no later page can see it. */
import { openVisitorStore } from "../stores/visitor.js";
import { pageData, when } from "../ui/page.js";

const code = decodeURIComponent(location.hash.slice(1));
if (code) {
  history.replaceState(null, "", location.pathname + location.search);
  // Where nothing can be kept, check-in says so itself, and the code can be typed there.
  const store = await openVisitorStore().catch(() => null);
  await store?.saveInvitation(pageData("venue"), code);
  when("invited", store !== null);
  when("uninvited", store === null);
}
