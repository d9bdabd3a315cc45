/** An event's page: store the invitation from the fragment, which no server and no later page can see. */
import { openVisitorStore } from "../stores/visitor.js";
import { pageData, when } from "../ui/page.js";
import { showTimesInOwnZone } from "../ui/zone.js";

const reloads = showTimesInOwnZone(); // with the invitation still in the address
const code = decodeURIComponent(location.hash.slice(1));
if (code && !reloads) {
  history.replaceState(null, "", location.pathname + location.search);
  // Without storage, check-in shows a message, and the code can be typed there.
  const store = await openVisitorStore().catch(() => null);
  await store?.saveInvitation(pageData("venue"), code);
  when("invited", store !== null);
  when("uninvited", store === null);
}
