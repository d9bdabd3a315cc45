/** Draws tickets ahead while a page is open on which nobody checks in. It shows nothing: a fault waits for another day. */
import { Unreachable } from "../core/api.js";
import { drawAhead } from "../core/draw.js";
import { openVisitorStore } from "../stores/visitor.js";

/** Who only passes through a page on the way to a check-in stays a shorter time. */
const PASSING_MS = 5000;

const store = crypto.subtle ? await openVisitorStore().catch(() => null) : null;
if (store) {
  const { drawAt } = await store.openPage(Date.now(), { checksIn: false, random: Math.random });
  setTimeout(
    async () => {
      if (!navigator.onLine) return;
      try {
        await drawAhead(store, Date.now(), Math.random);
      } catch (error) {
        // The page that is open has nothing to do with it, and may be a pass that is held to a door.
        if (!(error instanceof Unreachable)) console.error(error);
      }
    },
    Math.max(drawAt - Date.now(), PASSING_MS),
  );
}
