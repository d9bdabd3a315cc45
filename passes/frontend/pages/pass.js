/** The boarding pass: drawn from data on the device, so it needs no connection once the page is loaded. */
import { Unreachable, request } from "../core/api.js";
import { derivePass, rotatingText } from "../core/book.js";
import { toBase64Url } from "../core/bytes.js";
import { slotAt, slotStart } from "../core/epoch.js";
import { parseCredential } from "../core/pass.js";
import { calendarFile } from "../core/reminders.js";
import { deriveKeys } from "../core/secret.js";
import { fingerprintOf } from "../core/ticket_keys.js";
import { openVisitorStore } from "../stores/visitor.js";
import { mayNotify, tellAt } from "../ui/notify.js";
import { saveFile } from "../ui/download.js";
import { fill, find, formatTime, onActions, showState, when, word, words } from "../ui/page.js";
import { calledOn } from "../ui/people.js";
import { shownName } from "../ui/place_name.js";
import { drawQr, qrImage } from "../ui/qr.js";

/**
 * @typedef {import("../stores/visitor.js").KeptPass} KeptPass
 * @typedef {import("../stores/visitor.js").Person} Person
 * @typedef {{kept: KeptPass, credential: string, holder: Person}} GoodPass
 * @typedef {GoodPass & {bytes: Uint8Array, book: import("../core/book.js").BookPass}} ShownPass
 */

/** @type {import("../stores/visitor.js").VisitorStore} */
let store;
/** Everybody on this device. @type {Person[]} */
let people = [];
/** @type {ShownPass | null} */
let shown = null;
/** Passes of the current person first, then of the others, since a family arrives at a door together. @type {GoodPass[]} */
let good = [];
let drawnSlot = -1;
/** @type {WakeLockSentinel | null} */
let awake = null;

const nowS = () => Date.now() / 1000;
const canvas = (/** @type {string} */ name) => /** @type {HTMLCanvasElement} */ (find(`[data-qr="${name}"]`));

/** @param {Person} holder @returns {Promise<GoodPass[]>} valid ones, newest first, then future ones */
async function goodPasses(holder) {
  const now = nowS();
  const passes = await store.passes(holder.id);
  const good = passes.flatMap((kept) => (kept.credential !== null && kept.epoch.end > now ? [{ kept, credential: kept.credential, holder }] : []));
  return good.sort((a, b) => Number(a.kept.epochStart > now) - Number(b.kept.epochStart > now));
}

/** @param {GoodPass} entry */
async function choose({ kept, credential, holder }) {
  const parsed = parseCredential(credential);
  if (!parsed) return;
  const passKey = kept.passKey ?? (await deriveKeys(holder.secret)).pass;
  shown = { kept, credential, holder, bytes: parsed.bytes, book: await derivePass(passKey, kept.epochStart, kept.index) };
  drawnSlot = -1;
  const time = /** @type {const} */ ({ hour: "numeric", minute: "2-digit" });
  const day = /** @type {const} */ ({ weekday: "long", day: "numeric", month: "long" });
  fill("venue", kept.venue.name);
  when("unverified", kept.venue.verified === false);
  fill("day", formatTime(kept.epoch.start + 12 * 3600, day));
  fill("from", formatTime(kept.epoch.start, { ...time, weekday: "short" }));
  fill("until", formatTime(kept.epoch.end, { ...time, weekday: "short" }));
  fill("label", calledOn(holder, people));
  when("labelled", holder.label !== "" || people.length > 1);
  when("unkept", !holder.kept);
  fill("made", kept.drawnAt ? formatTime(kept.drawnAt, { ...time, weekday: "short" }) : "");
  when("made", kept.drawnAt !== undefined);
  drawQr(canvas("sheet"), credential, "paper");
  find("[data-origin]").textContent = location.origin;
  when("sheet", true);
  showStay(kept);
  showName(kept.named);
  when("fingerprint", false);
  showState("shown");
  tick();
  const pin = (await store.pins()).find(({ epoch }) => epoch.start === kept.epochStart);
  const fingerprint = pin ? await fingerprintOf(pin) : null;
  if (shown?.kept !== kept || fingerprint === null) return;
  fill("fingerprint", fingerprint);
  when("fingerprint", true);
}

/** Show whether the holder is inside, as noted here, because a door reports its light to nobody. @param {KeptPass} kept */
function showStay({ inAt, outAt, epochStart }) {
  const time = (/** @type {number} */ atS) => formatTime(atS, { hour: "numeric", minute: "2-digit" });
  const inside = inAt !== undefined && outAt === undefined;
  when("begun", nowS() >= epochStart);
  when("not-in", !inside && nowS() >= epochStart);
  when("in", inside);
  when("left", outAt !== undefined);
  fill("in-since", inside ? words("in-since", { time: time(inAt) }) : "");
  fill("left-at", outAt === undefined ? "" : words("left-at", { time: time(outAt) }));
}

/** @param {KeptPass} kept @param {Partial<KeptPass>} change */
async function keepShown(kept, change) {
  if (!shown) return;
  shown.kept = { ...kept, ...change };
  await store.savePass(shown.kept);
  showStay(shown.kept);
}

/** Remove the code from this device, and revoke it at doors, without which copies on paper would still work. */
async function cancelPass() {
  if (!shown) return;
  const { kept, book } = shown;
  const revoked = await request("POST", "/api/v1/passes/revoke", { body: { owners: [toBase64Url(book.owner)] } }).then(
    ({ status }) => status === 204,
    (error) => {
      if (!(error instanceof Unreachable)) throw error;
      return false;
    },
  );
  if (!revoked) return fill("cancel-note", word("cancel-offline"));
  await store.savePass({ ...kept, credential: null, withdrawn: "cancelled" });
  shown = null;
  when("sheet", false);
  showState("cancelled");
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

/** Write the static pass to a tag; a place that requires the rotating code does not accept it. */
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
  if (!shown) return;
  const atS = Math.round(nowS() + hours * 3600);
  await store.saveLeaveAt(shown.holder.id, atS);
  saveFile("crowdtrace-reminder.ics", calendarFile({ title: word("reminder-title"), text: word("reminder-text"), atS, uid: crypto.randomUUID() }), "text/calendar");
  fill("reminder", words("reminder-set", { time: formatTime(atS, { hour: "numeric", minute: "2-digit" }) }));
  // Not awaited: the calendar file is available, whatever the answer to the prompt.
  tellAt(atS, word("reminder-title"), word("reminder-text"), { ask: true });
}

/** Show to a person without a pass whether others on this device have one. */
function listOthers() {
  const buttons = good.map((entry, at) => {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "secondary outline", textContent: called(entry) });
    button.dataset.do = "other";
    button.dataset.at = String(at);
    return button;
  });
  find("[data-others]").replaceChildren(...buttons);
  when("others", good.length > 0);
}

/** @param {number} at index among the valid passes */
async function showPass(at) {
  const entry = good[at];
  if (!entry) return;
  /** @type {HTMLSelectElement} */ (find("[data-choice]")).value = String(at);
  await choose(entry);
  await keepAwake();
}

/** Redraw only when a minute begins; the progress bar shows how much of it is left. */
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

/** @param {GoodPass} entry @returns {string} */
function called(entry) {
  const { kept, holder } = entry;
  const pass = `${shownName(kept.venue)}, ${formatTime(kept.epoch.start + 12 * 3600, { weekday: "long" })}`;
  // Earlier versions issued a second pass for one place and day: the passes are numbered in order of arrival.
  const same = good.filter((other) => other.holder.id === holder.id && other.kept.venue.id === kept.venue.id && other.kept.epochStart === kept.epochStart);
  const number = same.sort((a, b) => (a.kept.drawnAt ?? 0) - (b.kept.drawnAt ?? 0) || a.kept.index - b.kept.index).indexOf(entry) + 1;
  const numbered = same.length > 1 ? words("numbered", { pass, number }) : pass;
  return people.length > 1 ? `${calledOn(holder, people)}: ${numbered}` : numbered;
}

function listChoices() {
  const options = good.map((entry, at) => new Option(called(entry), String(at)));
  find("[data-choice]").replaceChildren(...options);
  when("several", good.length > 1);
}

async function keepAwake() {
  try {
    awake ??= await navigator.wakeLock.request("screen");
    awake.addEventListener("release", () => (awake = null), { once: true });
  } catch {
    // Without a wake lock, or with a low battery, the screen may dim; nothing else changes.
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
  in: async () => {
    if (!shown) return;
    const { outAt: _before, ...kept } = shown.kept;
    await keepShown(kept, { inAt: Math.floor(nowS()) });
  },
  out: async () => {
    if (!shown) return;
    await keepShown(shown.kept, { outAt: Math.floor(nowS()) });
    await store.saveLeaveAt(shown.holder.id, null);
  },
  exit: async () => {
    find("[data-boarding]").scrollIntoView({ block: "start" });
    await keepAwake();
  },
  "ask-cancel": () => {
    fill("cancel-note", "");
    showState("cancel");
  },
  cancel: cancelPass,
  other: (button) => showPass(Number(button.dataset.at)),
  print: () => globalThis.print(),
});

find("[data-form=name]").addEventListener("submit", (event) => {
  event.preventDefault();
  const name = /** @type {HTMLInputElement} */ (find("#name")).value.trim();
  if (name) void tellName("POST", name);
});

const opened = await openVisitorStore().catch(() => null);
const current = await opened?.current().catch(() => null);
if (!opened) showState("unable");
else if (!current) showState("none", { focus: false });
else {
  store = opened;
  people = await store.people();
  const mine = await goodPasses(current);
  const others = await Promise.all(people.filter(({ id }) => id !== current.id).map(goodPasses));
  good = [...mine, ...others.flat()];
  when("can-tag", "NDEFReader" in globalThis);
  when("can-notify", mayNotify());
  const leaveAt = await store.leaveAt(current.id);
  if (leaveAt !== null) tellAt(leaveAt, word("reminder-title"), word("reminder-text"), { ask: false });
  listChoices();
  find("[data-choice]").addEventListener("change", (event) => void showPass(Number(/** @type {HTMLSelectElement} */ (event.target).value)));
  setInterval(tick, 1000);
  document.addEventListener("visibilitychange", () => {
    if (document.hidden || !shown) return;
    tick();
    void keepAwake();
  });
  if (mine.length > 0) await showPass(0);
  else {
    listOthers();
    showState("none", { focus: false });
  }
}
