/** The boarding pass: drawn from what lies on the device, so it needs no connection once the page is there. */
import { Unreachable, request } from "../core/api.js";
import { derivePass, rotatingText } from "../core/book.js";
import { toBase64Url } from "../core/bytes.js";
import { slotAt, slotStart } from "../core/epoch.js";
import { parseCredential } from "../core/pass.js";
import { calendarFile } from "../core/reminders.js";
import { deriveKeys } from "../core/secret.js";
import { openVisitorStore } from "../stores/visitor.js";
import { saveFile } from "../ui/download.js";
import { fill, find, formatTime, onActions, showState, when, word, words } from "../ui/page.js";
import { drawQr, qrImage } from "../ui/qr.js";

/**
 * @typedef {import("../stores/visitor.js").KeptPass} KeptPass
 * @typedef {{kept: KeptPass, credential: string, bytes: Uint8Array, book: import("../core/book.js").BookPass}} ShownPass
 */

/** @type {import("../stores/visitor.js").VisitorStore} */
let store;
/** @type {import("../stores/visitor.js").Person} */
let person;
/** @type {ShownPass | null} */
let shown = null;
/** @type {{kept: KeptPass, credential: string}[]} */
let good = [];
let drawnSlot = -1;
/** @type {WakeLockSentinel | null} */
let awake = null;

const nowS = () => Date.now() / 1000;
const canvas = (/** @type {string} */ name) => /** @type {HTMLCanvasElement} */ (find(`[data-qr="${name}"]`));

/** @param {KeptPass[]} passes the youngest first @returns {{kept: KeptPass, credential: string}[]} good ones, then those that will be */
function stillGood(passes) {
  const now = nowS();
  const good = passes.flatMap((kept) => (kept.credential !== null && kept.epoch.end > now ? [{ kept, credential: kept.credential }] : []));
  return good.sort((a, b) => Number(a.kept.epochStart > now) - Number(b.kept.epochStart > now));
}

/** @param {{kept: KeptPass, credential: string}} entry */
async function choose({ kept, credential }) {
  const parsed = parseCredential(credential);
  if (!parsed) return;
  const passKey = kept.passKey ?? (await deriveKeys(person.secret)).pass;
  shown = { kept, credential, bytes: parsed.bytes, book: await derivePass(passKey, kept.epochStart, kept.index) };
  drawnSlot = -1;
  const time = /** @type {const} */ ({ hour: "numeric", minute: "2-digit" });
  const day = /** @type {const} */ ({ weekday: "long", day: "numeric", month: "long" });
  fill("venue", kept.venue.name);
  fill("day", formatTime(kept.epoch.start + 12 * 3600, day));
  fill("from", formatTime(kept.epoch.start, { ...time, weekday: "short" }));
  fill("until", formatTime(kept.epoch.end, { ...time, weekday: "short" }));
  fill("label", person.label);
  when("labelled", person.label !== "");
  showName(kept.named);
  showState("shown");
  tick();
}

/** @param {string | undefined} name that the place sees */
function showName(name) {
  when("named", name !== undefined);
  when("unnamed", name === undefined);
  fill("name", name ?? "");
}

/** @param {"POST" | "DELETE"} method @param {string} [name] */
async function tellName(method, name) {
  if (!shown) return;
  const owner = toBase64Url(shown.book.owner);
  try {
    const { status } = await request(method, "/api/v1/names", { body: { owner, ...(name === undefined ? {} : { name }) } });
    if (status !== 204) return fill("name-note", word("name-refused"));
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
    return fill("name-note", word("no-connection"));
  }
  const { named: _before, ...kept } = shown.kept;
  shown.kept = name === undefined ? kept : { ...kept, named: name };
  await store.savePass(shown.kept);
  fill("name-note", "");
  return showName(name);
}

/** Writes what does not change of the pass onto a tag; a place that asks for the changing code will not take it. */
async function writeTag() {
  if (!shown) return;
  fill("keep-note", word("tag-hold"));
  try {
    const reader = Reflect.construct(Reflect.get(globalThis, "NDEFReader"), []);
    await reader.write({ records: [{ recordType: "crowdtrace:pass", data: shown.bytes }] });
    fill("keep-note", word("tag-written"));
  } catch {
    fill("keep-note", word("tag-failed"));
  }
}

async function saveWallet() {
  if (!shown) return;
  const response = await fetch("/api/v1/passes/render", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ credential: shown.credential, format: "pkpass" }),
    credentials: "omit",
  }).catch(() => null);
  if (response?.ok) saveFile("crowdtrace.pkpass", await response.blob(), "application/vnd.apple.pkpass");
  fill("keep-note", response?.ok ? "" : word(response ? "wallet-refused" : "no-connection"));
}

/** @param {number} hours from now */
async function remind(hours) {
  const atS = Math.round(nowS() + hours * 3600);
  await store.saveLeaveAt(person.id, atS);
  saveFile("crowdtrace-reminder.ics", calendarFile({ title: word("reminder-title"), text: word("reminder-text"), atS, uid: crypto.randomUUID() }), "text/calendar");
  fill("reminder", words("reminder-set", { time: formatTime(atS, { hour: "numeric", minute: "2-digit" }) }));
}

/** Redraws when a minute begins, and only then: the progress bar shows how much of it is left. */
function tick() {
  if (!shown) return;
  const { kept, bytes, book } = shown;
  const now = nowS();
  const slot = slotAt(kept.epochStart, now);
  const text = rotatingText(bytes, book, slot);
  when("early", slot < 1);
  when("current", text !== null);
  if (text !== null && slot !== drawnSlot) drawQr(canvas("pass"), text, "screen");
  drawnSlot = slot;
  /** @type {HTMLProgressElement} */ (find("[data-minute]")).value = 60 - (now - slotStart(kept.epochStart, slot));
  fill("connection", word(navigator.onLine ? "online" : "offline"));
  if (now >= kept.epoch.end) location.reload();
}

function listChoices() {
  const options = good.map(({ kept }, at) => new Option(`${kept.venue.name}, ${formatTime(kept.epoch.start + 12 * 3600, { weekday: "long" })}`, String(at)));
  find("[data-choice]").replaceChildren(...options);
  when("several", good.length > 1);
}

async function keepAwake() {
  try {
    awake ??= await navigator.wakeLock.request("screen");
    awake.addEventListener("release", () => (awake = null), { once: true });
  } catch {
    // The browser has no wake lock, or the battery is low: the screen may dim, nothing else changes.
  }
}

function showPaper() {
  if (!shown) return;
  drawQr(canvas("paper"), shown.credential, "paper");
  /** @type {HTMLAnchorElement} */ (find('[data-save="pass"]')).href = qrImage(shown.credential, "paper");
  showState("paper");
}

onActions({
  reload: () => location.reload(),
  large: async () => {
    await find("[data-boarding]").requestFullscreen?.().catch(() => undefined);
    await keepAwake();
  },
  paper: showPaper,
  tag: writeTag,
  wallet: saveWallet,
  remind: (button) => remind(Number(button.dataset.hours)),
  "hide-name": () => tellName("DELETE"),
  shown: () => showState("shown"),
  print: () => globalThis.print(),
});

find("[data-form=name]").addEventListener("submit", (event) => {
  event.preventDefault();
  const name = /** @type {HTMLInputElement} */ (find("#name")).value.trim();
  if (name) void tellName("POST", name);
});

const opened = await openVisitorStore().catch(() => null);
const current = await opened?.current().catch(() => null);
good = opened && current ? stillGood(await opened.passes(current.id)) : [];
const [first] = good;
if (!opened) showState("unable");
else if (!current || !first) showState("none", { focus: false });
else {
  store = opened;
  person = current;
  when("can-tag", "NDEFReader" in globalThis);
  listChoices();
  await choose(first);
  await keepAwake();
  find("[data-choice]").addEventListener("change", (event) => {
    const entry = good[Number(/** @type {HTMLSelectElement} */ (event.target).value)];
    if (entry) void choose(entry);
  });
  setInterval(tick, 1000);
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    tick();
    void keepAwake();
  });
}
