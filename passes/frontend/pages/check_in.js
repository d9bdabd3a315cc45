/** Check-in for somebody of this device. */
import { openVisitorStore } from "../stores/visitor.js";
import { ask } from "../ui/asking.js";
import { showState } from "../ui/page.js";

const store = crypto.subtle ? await openVisitorStore().catch(() => null) : null; // no WebCrypto: the address is not secure
const person = await store?.current().catch(() => null);
if (!store) showState("unable");
else if (!person) showState("no-key", { focus: false });
else {
  // No ticket is drawn ahead in this opening of the app, before the check-in or after it.
  await store.openPage(Date.now(), { checksIn: true, random: Math.random });
  await ask({ store, person, go: () => location.replace("/pass") });
}
