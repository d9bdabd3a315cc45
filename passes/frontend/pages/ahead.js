/** Draw tickets ahead while a page other than check-in is open. It shows nothing: after an error, it retries another day. */
import { Unreachable } from "../core/api.js";
import { drawAhead } from "../core/draw.js";
import { openVisitorStore } from "../stores/visitor.js";

/** Wait before drawing, longer than a page on the way to a check-in is open. */
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
        // The open page is not concerned, and may be a pass shown to a door.
        if (!(error instanceof Unreachable)) console.error(error);
      }
    },
    Math.max(drawAt - Date.now(), PASSING_MS),
  );
}
