/** Check-in for a person of this device. A missing key is created here, with one press before the questions. */
import { makeSecret } from "../core/secret.js";
import { adopt } from "../stores/adopt.js";
import { openVisitorStore } from "../stores/visitor.js";
import { ask } from "../ui/asking.js";
import { onActions, showState } from "../ui/page.js";

const store = crypto.subtle ? await openVisitorStore().catch(() => null) : null; // no WebCrypto outside a secure context
const known = await store?.current().catch(() => null);

/** @param {import("../stores/visitor.js").VisitorStore} kept @param {import("../stores/visitor.js").Person} person */
async function begin(kept, person) {
  // No ticket is drawn ahead in this opening of the app, neither before nor after the check-in.
  await kept.openPage(Date.now(), { checksIn: true, random: Math.random });
  await ask({ store: kept, person, go: () => location.replace("/pass") });
}

onActions({
  make: async () => {
    if (store) await begin(store, (await store.current()) ?? (await adopt(store, makeSecret(), { restored: false })));
  },
});

if (!store) showState("unable");
else if (!known) showState("no-key", { focus: false });
else await begin(store, known);
