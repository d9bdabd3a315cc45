/**
 * Notifications of this page itself, while it is open: nobody sends them. They come on top of a calendar file, so a
 * browser without them, or a person who never answers its question, lacks nothing.
 */

/** @returns {boolean} whether this browser has notifications that were not refused */
export function mayNotify() {
  return "Notification" in globalThis && Notification.permission !== "denied";
}

/** The longest time that a timer of a browser can hold. */
const LONGEST_MS = 2 ** 31 - 1;

/**
 * @param {number} atS Unix seconds
 * @param {string} title names no place: locked screens show it
 * @param {string} text
 * @param {{ask: boolean}} how `ask`: the holder has just pressed a button for it
 */
export function tellAt(atS, title, text, { ask }) {
  if (!mayNotify()) return;
  const afterMs = atS * 1000 - Date.now();
  if (afterMs > 0 && afterMs < LONGEST_MS) setTimeout(() => void tell(title, text), afterMs);
  // Old browsers answer by a callback and return nothing.
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
    // Refused in the meantime, or a browser that has the name alone: the calendar rings.
  }
}
