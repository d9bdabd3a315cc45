/** First use, backup and restoration of the key, and the people of this device. */
import { isAsked } from "../core/asked.js";
import { equal } from "../core/bytes.js";
import { toRate } from "../core/reminders.js";
import { makeSecret, personalText, readPersonalText } from "../core/secret.js";
import { SHARES_NEEDED, joinShares, readShare, splitSecret } from "../core/shares.js";
import { adopt } from "../stores/adopt.js";
import { openVisitorStore } from "../stores/visitor.js";
import { copyOf, fill, fillPart, find, formatTime, onActions, ownPath, pageData, showState, when, word, words } from "../ui/page.js";
import { calledOn } from "../ui/people.js";
import { shownName } from "../ui/place_name.js";
import { drawQr, qrImage } from "../ui/qr.js";
import { Scanner } from "../ui/scanner.js";

/** @typedef {import("../stores/visitor.js").Person} Person */

const { origin } = location;
/** URL that the visitor wanted to open before a key was required. */
const next = ownPath(new URLSearchParams(location.search).get("next"));

/** @type {import("../stores/visitor.js").VisitorStore} */
let store;
const scanner = new Scanner("restore-note", takeText);
/** @type {Uint8Array<ArrayBuffer>[]} */
let parts = [];
/** A secret from the URL that belongs to nobody here yet. @type {Uint8Array<ArrayBuffer> | null} */
let arrived = null;

async function showHome() {
  scanner.stop();
  const [person, people] = await Promise.all([store.current(), store.people()]);
  if (!person) return showState("welcome", { focus: document.documentElement.dataset.shown !== undefined });
  const now = Date.now() / 1000;
  const passes = await store.passes(person.id);
  const unrated = toRate(passes, now).length;
  // Only people with visits are asked: a result without a visit has no use.
  const tossed = passes.some((pass) => pass.credential) ? await store.tossFor(person.id, pageData("asked-share")) : undefined;
  when("asked", isAsked(tossed, Date.now()));
  const leaveAt = await store.leaveAt(person.id);
  fill("hello", person.label ? words("hello-name", { name: person.label }) : word("hello"));
  fill("to-rate", unrated === 1 ? word("rate-one") : words("rate-many", { count: unrated }));
  when("to-rate", unrated > 0);
  when("leave", leaveAt !== null && leaveAt <= now);
  when("unkept", !person.kept);
  const inside = passes.find(({ credential, inAt, outAt, epoch }) => credential !== null && inAt !== undefined && outAt === undefined && now < epoch.end);
  when("inside", inside !== undefined);
  if (inside) fill("inside", words("inside", { place: shownName(inside.venue), time: formatTime(inside.inAt ?? 0, { hour: "numeric", minute: "2-digit" }) }));
  listPeople(people, person);
  return showState("home", { focus: document.documentElement.dataset.shown !== "loading" });
}

/** @param {Person[]} people @param {Person} current */
function listPeople(people, current) {
  const rows = people.map((person) => {
    const row = copyOf("[data-row=person]");
    fillPart(row, "label", calledOn(person, people));
    fillPart(row, "shown", person.id === current.id ? `(${word("shown")})` : "");
    for (const button of row.querySelectorAll("button")) button.dataset.person = person.id;
    if (person.id === current.id) row.querySelector("button")?.setAttribute("aria-current", "true");
    return row;
  });
  find("[data-people]").replaceChildren(...rows);
}

async function showKeep() {
  const person = await store.current();
  if (!person) return showState("welcome");
  const text = personalText(origin, person.secret);
  drawQr(/** @type {HTMLCanvasElement} */ (find('[data-qr="personal"]')), text, "paper");
  /** @type {HTMLAnchorElement} */ (find('[data-save="personal"]')).href = qrImage(text, "paper");
  drawQr(/** @type {HTMLCanvasElement} */ (find('[data-qr="sheet"]')), text, "paper");
  fill("key-text", text.slice(text.indexOf("#") + 1));
  fill("key-label", calledOn(person, await store.people()));
  fill("key-address", `${origin}/me`);
  fill("key-date", formatTime(Date.now() / 1000, { dateStyle: "long" }));
  return showState("keep");
}

async function showParts() {
  const person = await store.current();
  if (!person) return;
  const texts = await splitSecret(origin, person.secret);
  for (const [at, text] of texts.entries()) drawQr(/** @type {HTMLCanvasElement} */ (find(`[data-part="${at}"]`)), text, "paper");
  showState("parts");
}

function showRestore() {
  parts = [];
  scanner.note("");
  scanner.stop();
  showState("restore");
}

/** @param {string} text scanned or typed @returns {Promise<string>} the note to show */
async function takeText(text) {
  const part = readShare(text);
  const secret = readPersonalText(text) ?? (part && (await joinParts(part)));
  if (secret) {
    await adopt(store, secret, { restored: true });
    await goOn();
    return "";
  }
  if (!part) return "nothing";
  return parts.length === 1 ? "part" : "mismatch";
}

/** @param {Uint8Array<ArrayBuffer>} part @returns {Promise<Uint8Array<ArrayBuffer> | null>} the secret once two parts fit */
async function joinParts(part) {
  if (!parts.some((other) => equal(other, part))) parts.push(part);
  if (parts.length < SHARES_NEEDED) return null;
  const secret = await joinShares(parts);
  if (!secret) parts = [];
  return secret;
}

async function goOn() {
  if (next) location.assign(next);
  else await showHome();
}

/** Remove a secret from the URL, so that it stays in no history entry of this page. @returns {string} */
function takeFragment() {
  const fragment = location.hash;
  if (fragment) history.replaceState(null, "", location.pathname + location.search);
  return fragment;
}

/** @param {string} fragment @returns {Promise<boolean>} whether the URL determined what is shown */
async function openFragment(fragment) {
  if (fragment === "#keep") {
    await showKeep();
    return true;
  }
  if (readShare(fragment)) {
    showRestore();
    scanner.note(await takeText(fragment));
    return true;
  }
  const secret = readPersonalText(fragment);
  if (!secret) return false;
  const people = await store.people();
  if (people.length === 0 || people.some((person) => equal(person.secret, secret))) {
    await adopt(store, secret, { restored: true });
    return false;
  }
  arrived = secret;
  showState("other");
  return true;
}

onActions({
  reload: () => location.reload(),
  make: async () => {
    await adopt(store, makeSecret(), { restored: false });
    await showKeep();
  },
  keep: showKeep,
  later: goOn,
  split: showParts,
  print: () => globalThis.print(),
  restore: showRestore,
  camera: () => scanner.start(),
  picture: () => find("[data-picture]").click(),
  home: showHome,
  add: async () => {
    if (arrived) await adopt(store, arrived, { restored: true });
    arrived = null;
    await showHome();
  },
  choose: async (button) => {
    await store.choose(button.dataset.person ?? "");
    await showHome();
  },
  person: () => showState("person"),
  rename: async (button) => {
    await store.choose(button.dataset.person ?? "");
    /** @type {HTMLInputElement} */ (find("#new-label")).value = (await store.current())?.label ?? "";
    showState("rename");
  },
  decline: async () => {
    const person = await store.current();
    if (person) await store.settleToss(person.id);
    await showHome();
  },
  "ask-forget": () => showState("forget"),
  forget: async () => {
    const person = await store.current();
    if (person) await store.forget(person.id);
    await showHome();
  },
  dismiss: async () => {
    const person = await store.current();
    if (person) await store.saveLeaveAt(person.id, null);
    await showHome();
  },
});

find('[data-form="kept"]').addEventListener("submit", async (event) => {
  event.preventDefault();
  const person = await store.current();
  if (person) await store.savePerson({ ...person, kept: true });
  await goOn();
});

find('[data-form="person"]').addEventListener("submit", async (event) => {
  event.preventDefault();
  const field = /** @type {HTMLInputElement} */ (find("#label"));
  await adopt(store, makeSecret(), { restored: false, label: field.value.trim() });
  field.value = "";
  await showKeep();
});

find('[data-form="rename"]').addEventListener("submit", async (event) => {
  event.preventDefault();
  const person = await store.current();
  if (person) await store.savePerson({ ...person, label: /** @type {HTMLInputElement} */ (find("#new-label")).value.trim() });
  await showHome();
});

find('[data-form="restore"]').addEventListener("submit", async (event) => {
  event.preventDefault();
  const field = /** @type {HTMLInputElement} */ (find("#typed"));
  scanner.note(await takeText(field.value));
  field.value = "";
});

find("[data-picture]").addEventListener("change", (event) => void scanner.readPicture(/** @type {HTMLInputElement} */ (event.target).files?.[0]));

const fragment = takeFragment();
const opened = crypto.subtle ? await openVisitorStore().catch(() => null) : null; // no WebCrypto outside a secure context
if (!opened) showState("unable");
else {
  store = opened;
  if (!(await openFragment(fragment))) await showHome();
}
globalThis.addEventListener("hashchange", async () => {
  if (store && !(await openFragment(takeFragment()))) await showHome();
});
