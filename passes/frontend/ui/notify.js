/**
 * Local notifications of this page while it is open: nobody sends them. They supplement a calendar file, so nothing is
 * missing without them, or if a person never answers the prompt.
 */

/** @returns {boolean} whether this browser has notifications and they were not refused */
export function mayNotify() {
  return "Notification" in globalThis && Notification.permission !== "denied";
}

/** Longest delay of a browser's timer. */
const LONGEST_MS = 2 ** 31 - 1;

/**
 * @param {number} atS Unix seconds
 * @param {string} title names no place, because lock screens show it
 * @param {string} text
 * @param {{ask: boolean}} how `ask`: the holder has just pressed a button for it
 */
export function tellAt(atS, title, text, { ask }) {
  if (!mayNotify()) return;
  const afterMs = atS * 1000 - Date.now();
  if (afterMs > 0 && afterMs < LONGEST_MS) setTimeout(() => void tell(title, text), afterMs);
  // Old browsers use a callback and return nothing.
  if (ask && Notification.permission === "default") void Promise.resolve(Notification.requestPermission()).catch(() => "denied");
}

/** @param {string} title @param {string} text */
async function tell(title, text) {
  if (Notification.permission !== "granted") return;
  const options = { body: text, tag: "leave", data: location.href };
  try {
    const worker = await navigator.serviceWorker?.getRegistration();
    if (worker) await worker.showNotification(title, options);
    else new Notification(title, options);
  } catch {
    // Refused in the meantime, or not implemented: the calendar has the alarm.
  }
}
