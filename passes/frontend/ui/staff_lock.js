/**
 * Lock of the staff sheet against passers-by: a PIN if staff set one, otherwise a long press on an unattended device. It
 * does not protect the device itself: a person who can open the browser's developer tools can do more.
 *
 * @typedef {{salt: Uint8Array<ArrayBuffer>, hash: Uint8Array<ArrayBuffer>}} Pin
 */
import { equal, utf8 } from "../core/bytes.js";

const ROUNDS = 200_000;
const HOLD_MS = 1000;

/** @param {string} digits @param {Uint8Array<ArrayBuffer>} salt @returns {Promise<Uint8Array<ArrayBuffer>>} */
async function hashOf(digits, salt) {
  const key = await crypto.subtle.importKey("raw", utf8(digits), "PBKDF2", false, ["deriveBits"]);
  return new Uint8Array(await crypto.subtle.deriveBits({ name: "PBKDF2", hash: "SHA-256", salt, iterations: ROUNDS }, key, 256));
}

/** @param {string} digits @returns {Promise<Pin>} */
export async function makePin(digits) {
  const salt = crypto.getRandomValues(new Uint8Array(16));
  return { salt, hash: await hashOf(digits, salt) };
}

/** @param {Pin} pin @param {string} digits @returns {Promise<boolean>} */
export async function opensWith(pin, digits) {
  return equal(await hashOf(digits, pin.salt), pin.hash);
}

/**
 * Call back after a button was held for a second, with a finger, Enter or the space bar. The click at the end of such a
 * press has no effect.
 *
 * @param {HTMLElement} button
 * @param {() => void} onHeld
 */
export function onLongPress(button, onHeld) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let held = false;
  const begin = () => {
    clearTimeout(timer);
    held = false;
    timer = setTimeout(() => {
      held = true;
      onHeld();
    }, HOLD_MS);
  };
  const end = () => clearTimeout(timer);
  const isPress = (/** @type {KeyboardEvent} */ event) => event.key === "Enter" || event.key === " ";
  button.addEventListener("pointerdown", begin);
  button.addEventListener("keydown", (event) => {
    if (!isPress(event) || event.defaultPrevented) return; // keys of a scanner are not a press
    if (event.repeat) event.preventDefault(); // a held Enter would click repeatedly
    else begin();
  });
  button.addEventListener("keyup", (event) => isPress(event) && end());
  for (const name of ["pointerup", "pointerleave", "pointercancel", "blur"]) button.addEventListener(name, end);
  button.addEventListener("click", (event) => {
    if (held) event.stopPropagation();
    held = false;
  });
}
