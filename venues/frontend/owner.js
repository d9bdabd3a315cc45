/** What a script adds to the owners' pages. Each page works without it, but for codes that stand behind a `#`. */

import { showTimesInOwnZone } from "../../passes/frontend/ui/zone.js";
import { pickers } from "./hours.js";

/** @param {string} selector @returns {HTMLElement[]} */
const all = (selector) => [...document.querySelectorAll(selector)].filter((one) => one instanceof HTMLElement);

const code = decodeURIComponent(location.hash.slice(1));
const held = all("[data-keep-address]")[0];
if (held && code) {
  // Kept for this window alone, while somebody logs in; then the address forgets it.
  sessionStorage.setItem(`owner-${held.dataset.keepAddress}`, code);
  history.replaceState(null, "", location.pathname + location.search);
}

for (const input of all("[data-from-address]")) {
  if (!(input instanceof HTMLInputElement)) continue;
  const kept = input.dataset.keep ? sessionStorage.getItem(`owner-${input.dataset.keep}`) : null;
  if (input.dataset.keep) sessionStorage.removeItem(`owner-${input.dataset.keep}`);
  if (code || kept) input.value = code || kept || "";
  if (code) history.replaceState(null, "", location.pathname + location.search);
}

/** @param {HTMLInputElement} zone offers the times of its form by the clock of this device, unless somebody typed others */
function offerTimes(zone) {
  const [date, starts, ends] = ["date", "starts", "ends"].map((name) => zone.form?.elements.namedItem(name));
  if (!(date instanceof HTMLInputElement && starts instanceof HTMLInputElement && ends instanceof HTMLInputElement)) return;
  if (date.dataset.offered !== `${date.value} ${starts.value} ${ends.value}`) return;
  const two = (/** @type {number} */ number) => String(number).padStart(2, "0");
  const minutes = (/** @type {string} */ time) => Number(time.slice(0, 2)) * 60 + Number(time.slice(3));
  const lasts = (minutes(ends.value) - minutes(starts.value) + 1440) % 1440;
  const from = new Date(Number(date.dataset.begins) * 1000);
  // A zone may lie half an hour off: events begin at a full hour.
  if (from.getMinutes()) from.setHours(from.getHours() + 1, 0);
  const to = new Date(from.getTime() + lasts * 60_000);
  date.value = `${from.getFullYear()}-${two(from.getMonth() + 1)}-${two(from.getDate())}`;
  starts.value = `${two(from.getHours())}:${two(from.getMinutes())}`;
  ends.value = `${two(to.getHours())}:${two(to.getMinutes())}`;
}

/** The zone of the person who types, where nobody has said another. */
for (const input of all("[data-zone]")) {
  if (!(input instanceof HTMLInputElement) || input.value !== input.dataset.zone) continue;
  input.value = Intl.DateTimeFormat().resolvedOptions().timeZone || input.value;
  offerTimes(input);
}

for (const button of all('[data-do="print"]')) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}

for (const button of all("[data-copy]")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const copied = await navigator.clipboard.writeText(button.dataset.copy ?? "").then(() => true, () => false);
    if (copied) button.textContent = button.dataset.copied ?? button.textContent;
  });
}

/** What the phone has for sending a link: messages, mail, whatever its owner uses. */
for (const button of all("[data-share]")) {
  if (!navigator.share) continue;
  button.hidden = false;
  button.addEventListener("click", () => {
    // Whoever closes the list of apps has changed their mind; there is nothing to say.
    navigator.share({ title: button.dataset.title ?? "", url: button.dataset.share ?? "" }).catch(() => {});
  });
}

for (const hours of all("[data-hours]")) pickers(hours);

/** A form is sent once, however often its button is pressed. */
for (const form of document.forms) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
    // Going back shows the page as it was left: it may be sent again.
    setTimeout(() => delete form.dataset.sent, 5000);
  });
}

/** How much a place wants to be looked at, least first; the words of each level come with the page. */
const LEVELS = ["calm", "fills", "full"];

/** @param {Element} within @returns {Map<string, HTMLElement>} what each place says of its level, by its id */
function levels(within) {
  const told = /** @type {HTMLElement[]} */ ([...within.querySelectorAll("[data-level]")]);
  return new Map(told.map((one) => [one.dataset.place ?? "", one]));
}

/** @param {HTMLElement} place says aloud, and as a notification where that was allowed, that a place fills up */
async function announce(place) {
  const name = place.dataset.name ?? "";
  const words = place.querySelector("strong")?.textContent ?? "";
  for (const spoken of all("[data-announced]")) spoken.textContent = `${name}: ${words}`;
  if (!("Notification" in window) || Notification.permission !== "granted") return;
  const options = { body: words, tag: `alert-${place.dataset.place}`, data: location.href };
  // Chrome on Android shows none but those of a service worker.
  const worker = await navigator.serviceWorker?.getRegistration();
  if (worker) await worker.showNotification(name, options);
  else new Notification(name, options);
}

/** A part that says how often (in seconds) it wants to be read again, while the page is looked at or may notify. */
for (const part of all("[data-refresh]")) {
  setInterval(
    async () => {
      const notifies = "Notification" in window && Notification.permission === "granted";
      if (document.hidden && !notifies) return;
      const answer = await fetch(part.dataset.from ?? location.href, { headers: { Accept: "text/html" } }).catch(() => null);
      // An answer that is not the part (a log-in page, a fault) leaves what is there; its age stands beside it.
      if (!answer?.ok || answer.redirected) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").body;
      if (!fresh.querySelector("[data-part]")) return;
      const before = levels(part);
      part.replaceChildren(...fresh.childNodes);
      for (const [id, place] of levels(part)) {
        const was = before.get(id)?.dataset.level ?? "calm";
        if (LEVELS.indexOf(place.dataset.level ?? "") > LEVELS.indexOf(was)) await announce(place);
      }
    },
    Number(part.dataset.refresh) * 1000,
  );
}

/** Leave to notify is asked for by a press of the button, never by the page itself. */
for (const offer of all("[data-notify]")) {
  const button = offer.querySelector("button");
  const said = offer.querySelector("[role=status]");
  if (!("Notification" in window) || !button || !said) continue;
  const tell = () => {
    const { permission } = Notification;
    button.hidden = permission !== "default";
    said.textContent = { granted: button.dataset.on, denied: button.dataset.refused, default: "" }[permission] ?? "";
  };
  tell();
  offer.hidden = false;
  button.addEventListener("click", () => Notification.requestPermission().then(tell));
}

/** A sticker is written by phones whose browser can (Chrome on Android). */
for (const button of all("[data-write-tag]")) {
  if (!("NDEFReader" in window)) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const words = document.querySelector("[data-tag-words]");
    try {
      // @ts-expect-error Web NFC is not in TypeScript's library yet.
      await new NDEFReader().write({ records: [{ recordType: "url", data: button.dataset.writeTag }] });
      if (words) words.textContent = button.dataset.written ?? "";
    } catch {
      if (words) words.textContent = button.dataset.failed ?? "";
    }
  });
}

// After a form came back, the summary of what is wrong is read first.
all("[data-focus]")[0]?.focus();

showTimesInOwnZone();
