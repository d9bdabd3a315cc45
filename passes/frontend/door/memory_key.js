/**
 * The key of the replay rows. It is only in memory: that of the page, and that of the service worker, from which a
 * reloaded page gets it back. It is never stored.
 */
import { REPLAY_KEY_BYTES } from "./replay.js";

/** A service worker is stopped after half a minute without work. */
const KEEP_EVERY_MS = 10_000;
const ANSWER_MS = 500;

/** @returns {Promise<Uint8Array<ArrayBuffer> | null>} the key of the page before this one */
export function recalledKey() {
  const worker = navigator.serviceWorker?.controller;
  if (!worker) return Promise.resolve(null);
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data }) => resolve(data instanceof Uint8Array && data.length === REPLAY_KEY_BYTES ? new Uint8Array(data) : null);
    setTimeout(() => resolve(null), ANSWER_MS);
    worker.postMessage({ ask: "replay-key" }, [port2]);
  });
}

/** @returns {Uint8Array<ArrayBuffer>} */
export function freshKey() {
  return crypto.getRandomValues(new Uint8Array(REPLAY_KEY_BYTES));
}

/** Keep the key in the service worker while this page is loaded. @param {Uint8Array} key */
export function keepKey(key) {
  const leave = () => navigator.serviceWorker?.controller?.postMessage({ keep: "replay-key", key });
  leave();
  navigator.serviceWorker?.addEventListener("controllerchange", leave);
  setInterval(leave, KEEP_EVERY_MS);
}
