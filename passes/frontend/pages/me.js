/** First use, keeping a copy of the key, bringing it back, and the people of this device. */
import { equal } from "../core/bytes.js";
import { makeSecret, personalText, readPersonalText } from "../core/secret.js";
import { joinShares, readShare, splitSecret } from "../core/shares.js";
import { openVisitorStore } from "../stores/visitor.js";
import { Camera, Reader, readerFiles } from "../ui/camera.js";
import { fill, find, onActions, ownPath, showState, when } from "../ui/page.js";
import { drawQr, qrImage } from "../ui/qr.js";

/** @typedef {import("../stores/visitor.js").Person} Person */

const { origin } = location;
/** Where the visitor wanted to go before a key was asked for. */
const next = ownPath(new URLSearchParams(location.search).get("next"));

/** @type {import("../stores/visitor.js").VisitorStore} */
let store;
/** @type {Camera | null} */
let camera = null;
/** @type {Uint8Array<ArrayBuffer>[]} */
let parts = [];
/** A secret that came with the address and belongs to nobody here yet. @type {Uint8Array<ArrayBuffer> | null} */
let arrived = null;

/** @param {Uint8Array<ArrayBuffer>} secret @param {boolean} kept @returns {Promise<Person>} */
async function adopt(secret, kept) {
  const people = await store.people();
  const known = people.find((person) => equal(person.secret, secret));
  const person = known ?? { id: crypto.randomUUID(), label: "", secret, kept, registered: false };
  await store.savePerson(person);
  await store.choose(person.id);
  // Storage that the browser may clear when space runs short would lose the only key.
  await navigator.storage?.persist?.().catch(() => false);
  return person;
}

async function showHome() {
  camera?.stop();
  const [person, people] = await Promise.all([store.current(), store.people()]);
  if (!person) return showState("welcome", { focus: document.documentElement.dataset.shown !== undefined });
  when("unkept", !person.kept);
  when("several", people.length > 1);
  listPeople(people, person);
  return showState("home", { focus: document.documentElement.dataset.shown !== "loading" });
}

/** @param {Person[]} people @param {Person} current */
function listPeople(people, current) {
  const words = (/** @type {string} */ name) => find(`[data-word="${name}"]`).innerHTML;
  const rows = people.map((person, at) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "secondary outline";
    button.dataset.do = "choose";
    button.dataset.person = person.id;
    button.textContent = person.label || `${words("person")} ${at + 1}`;
    if (person.id === current.id) {
      button.setAttribute("aria-current", "true");
      button.append(` (${words("shown")})`);
    }
    const row = document.createElement("li");
    row.append(button);
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
  return showState("keep");
}

async function showParts() {
  const person = await store.current();
  if (!person) return;
  const texts = await splitSecret(origin, person.secret);
  for (const [at, text] of texts.entries()) drawQr(/** @type {HTMLCanvasElement} */ (find(`[data-part="${at}"]`)), text, "paper");
  showState("parts");
}

/** @param {string} name */
function note(name) {
  fill("restore-note", name ? (/** @type {HTMLTemplateElement} */ (find(`[data-word="${name}"]`)).content.textContent ?? "") : "");
}

function showRestore() {
  parts = [];
  note("");
  when("camera", false);
  showState("restore");
}

/** @param {string} text what a code or a hand wrote */
async function takeText(text) {
  const secret = readPersonalText(text) ?? (await takePart(text));
  if (!secret) return;
  await adopt(secret, true);
  await goOn();
}

/** @param {string} text @returns {Promise<Uint8Array<ArrayBuffer> | null>} the secret once two parts fit */
async function takePart(text) {
  const part = readShare(text);
  if (!part) {
    note("nothing");
    return null;
  }
  if (!parts.some((other) => equal(other, part))) parts.push(part);
  if (parts.length < 2) {
    note("part");
    return null;
  }
  const secret = await joinShares(parts);
  if (!secret) {
    parts = [];
    note("mismatch");
  }
  return secret;
}

async function startCamera() {
  const video = /** @type {HTMLVideoElement} */ (find("[data-camera]"));
  let busy = false;
  camera ??= new Camera(video, new Reader(readerFiles()), async (text) => {
    if (busy) return;
    busy = true;
    await takeText(text);
    busy = false;
  });
  const started = await camera.start("environment");
  when("camera", started);
  note(started ? "looking" : "no-camera");
}

/** @param {File | undefined} file */
async function readPicture(file) {
  if (!file) return;
  const reader = new Reader(readerFiles());
  try {
    const [text] = await reader.read(await createImageBitmap(file));
    if (text === undefined) note("nothing");
    else await takeText(text);
  } catch {
    note("nothing"); // not a picture
  } finally {
    reader.stop();
  }
}

async function goOn() {
  if (next) location.assign(next);
  else await showHome();
}

/** Takes a secret out of the address, so that it stays in no history entry of this page. @returns {string} */
function takeFragment() {
  const fragment = location.hash;
  if (fragment) history.replaceState(null, "", location.pathname + location.search);
  return fragment;
}

/** @param {string} fragment @returns {Promise<boolean>} whether the address decided what is shown */
async function openFragment(fragment) {
  if (readShare(fragment)) {
    showRestore();
    await takePart(fragment);
    return true;
  }
  const secret = readPersonalText(fragment);
  if (!secret) return false;
  const people = await store.people();
  if (people.length === 0 || people.some((person) => equal(person.secret, secret))) {
    await adopt(secret, true);
    return false;
  }
  arrived = secret;
  showState("other");
  return true;
}

onActions({
  reload: () => location.reload(),
  make: async () => {
    await adopt(makeSecret(), false);
    await showKeep();
  },
  keep: showKeep,
  later: goOn,
  split: showParts,
  print: () => globalThis.print(),
  restore: showRestore,
  camera: startCamera,
  picture: () => find("[data-picture]").click(),
  home: showHome,
  add: async () => {
    if (arrived) await adopt(arrived, true);
    arrived = null;
    await showHome();
  },
  choose: async (button) => {
    await store.choose(button.dataset.person ?? "");
    await showHome();
  },
});

find('[data-form="kept"]').addEventListener("submit", async (event) => {
  event.preventDefault();
  const person = await store.current();
  if (person) await store.savePerson({ ...person, kept: true });
  await goOn();
});

find('[data-form="restore"]').addEventListener("submit", async (event) => {
  event.preventDefault();
  const field = /** @type {HTMLInputElement} */ (find("#typed"));
  await takeText(field.value);
  field.value = "";
});

find("[data-picture]").addEventListener("change", (event) => readPicture(/** @type {HTMLInputElement} */ (event.target).files?.[0]));

const fragment = takeFragment();
showState("loading", { focus: false });
try {
  if (!crypto.subtle) throw new TypeError("no WebCrypto: the address is not secure");
  store = await openVisitorStore();
  if (!(await openFragment(fragment))) await showHome();
} catch {
  showState("unable");
}
globalThis.addEventListener("hashchange", async () => {
  if (store && !(await openFragment(takeFragment()))) await showHome();
});
