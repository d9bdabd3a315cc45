/** A pass on paper, for somebody without a phone. Its key is created for this sheet and printed on it. */
import { Unreachable } from "../core/api.js";
import { personalText } from "../core/secret.js";
import { deleteRow } from "../core/visitor_row.js";
import { SheetStore } from "../stores/sheet.js";
import { openVisitorStore } from "../stores/visitor.js";
import { ask } from "../ui/asking.js";
import { fill, find, formatTime, onActions, showState } from "../ui/page.js";
import { shownName } from "../ui/place_name.js";
import { drawQr } from "../ui/qr.js";

/** @typedef {import("../stores/visitor.js").KeptPass} KeptPass */

const device = crypto.subtle ? await openVisitorStore().catch(() => null) : null; // no WebCrypto outside a secure context
const store = device && new SheetStore(device);

const canvas = (/** @type {string} */ name) => /** @type {HTMLCanvasElement} */ (find(`[data-qr="${name}"]`));

/** @param {KeptPass} pass */
async function showSheet({ venue, epoch, credential }) {
  if (!store || credential === null) return;
  drawQr(canvas("paper"), credential, "paper");
  drawQr(canvas("personal"), personalText(location.origin, store.person.secret), "paper");
  fill("venue", shownName(venue));
  fill("date", formatTime(epoch.start + 12 * 3600, { weekday: "long", day: "numeric", month: "long" }));
  fill("until", formatTime(epoch.end, { weekday: "short", hour: "numeric", minute: "2-digit" }));
  showState("printed");
  // The key draws no more tickets; without a connection, the row expires after 180 days.
  await deleteRow(store.person).catch((error) => {
    if (!(error instanceof Unreachable)) throw error;
  });
}

onActions({ print: () => globalThis.print() });

// Where doors refuse paper, nobody answers questions for a sheet that opens nothing.
if (document.querySelector('[data-state="no-paper"]')) showState("no-paper");
else if (store) await ask({ store, person: store.person, go: showSheet });
else showState("unable");
