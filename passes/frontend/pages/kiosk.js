/** The door's page: enrolment, the camera and other readers, the answer, and information for staff. */
import { request, Unreachable } from "../core/api.js";
import { fromBase64Url } from "../core/bytes.js";
import { useScript } from "../core/ed25519.js";
import { PREFIX } from "../core/pass.js";
import { KEYS_PATH, fingerprintOf, pinKeys, pinOfToday, readKeyList } from "../core/ticket_keys.js";
import { BundleError, openBundle } from "../door/bundle.js";
import { DoorClock } from "../door/clock.js";
import { CommittedText, committedText } from "../door/committed.js";
import { peopleLimit } from "../door/decide.js";
import { Door } from "../door/door.js";
import { FieldGuard } from "../door/field_guard.js";
import { enrol, readEnrolment, Revoked, ServerLink } from "../door/link.js";
import { freshKey, keepKey, recalledKey } from "../door/memory_key.js";
import { readOxygen, readTemperature } from "../door/readings.js";
import { ReplayBook } from "../door/replay.js";
import { openRows } from "../door/replay_rows.js";
import { useSealingScript } from "../door/seal.js";
import { isLineEnd, Wedge } from "../door/wedge.js";
import { askToKeepStorage } from "../stores/durable.js";
import { openKioskStore } from "../stores/kiosk.js";
import { Camera, Reader, readerFiles } from "../ui/camera.js";
import { fill, find, formatTime, onActions, pageData, showState, when, word } from "../ui/page.js";
import { Signal } from "../ui/signal.js";
import { StaffSheet } from "../ui/staff_sheet.js";
import { readsTags, readTags } from "../ui/tags.js";

/** @typedef {import("../door/decide.js").ScanType} ScanType */

const SYNC_EVERY_MS = 30_000;
/** A code in front of the camera is read many times a second: it counts again only after this time out of view. */
const SAME_CODE_MS = 3000;
/** Delay for a code that is not a pass, because one that the camera has not read yet may be next to it. */
const FOREIGN_WAIT_MS = 700;
/** The part of a code that stays the same from minute to minute. */
const PASS_PART = 172;
/** Time in which a USB scanner may read a code twice on one trigger. */
const SAME_TYPED_MS = 600;
/** Time for which scans under a lost replay key matter: as long as a code is valid, its slot and one on each side. */
const CODE_LIVES_S = 180;
/** Interval at which a door stores that it is active. */
const AWAKE_EVERY_MS = 15_000;
/** Time for which a reloaded page waits until its predecessor releases the door. */
const HANDOVER_MS = 1500;

/** @type {import("../stores/kiosk.js").KioskStore} */
let store;
/** @type {Door | null} */
let door = null;
/** @type {import("../stores/kiosk.js").DeviceRow | null} */
let device = null;
/** @type {Reader | null} */
let reader = null;
/** @type {Camera | null} */
let camera = null;
/** The camera that reads an enrolment code. @type {Camera | null} */
let enrolCamera = null;
/** A code that waits for its readings; the time of reading counts. @type {{text: string, type: ScanType, at: number} | null} */
let awaiting = null;
/** @type {StaffSheet} */
let staff;
let connected = false;
/** The day whose ticket keys are shown. */
let keysShownFor = "";
const settings = { mode: "staffed", way: "both", back: false, silent: false, help: "" };
const signal = new Signal(() => settings.silent);
/** @type {Map<string, number>} when a text was last seen, for the repeats of a camera */
const lately = new Map();

const form = (/** @type {string} */ name) => /** @type {HTMLFormElement} */ (find(`[data-form="${name}"]`));

/** @returns {ScanType} the selected direction; a one-way door has no switch */
function direction() {
  if (settings.way !== "both") return /** @type {ScanType} */ (settings.way);
  return /** @type {ScanType} */ (/** @type {HTMLInputElement} */ (find('input[name="type"]:checked')).value);
}

/** @param {string} text @param {number} withinMs @returns {boolean} whether it is still the same code */
function isRepeat(text, withinMs) {
  const now = performance.now();
  const last = lately.get(text);
  lately.set(text, now);
  for (const [other, at] of lately) if (now - at > SAME_CODE_MS) lately.delete(other);
  return last !== undefined && now - last < withinMs;
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let foreign;
let lastPassMs = -Infinity;

/** @param {string} text that the camera reads; a pass takes precedence over other codes next to it */
function onSeen(text) {
  const now = performance.now();
  if (text.startsWith(PREFIX)) {
    clearTimeout(foreign);
    foreign = undefined;
    lastPassMs = now;
    return onRead(text, SAME_CODE_MS);
  }
  if (now - lastPassMs < SAME_CODE_MS) return;
  foreign ??= setTimeout(() => {
    foreign = undefined;
    onRead(text, SAME_CODE_MS);
  }, FOREIGN_WAIT_MS);
}

/** @param {string} text @param {number} withinMs */
function onRead(text, withinMs) {
  if (!door || isRepeat(text, withinMs)) return;
  if (staff.testing) return staff.endTest(text);
  if (awaiting !== null) {
    const same = text.slice(0, PASS_PART) === awaiting.text.slice(0, PASS_PART);
    return same ? undefined : fill("waiting", word("finish-first"));
  }
  const limits = door.bundle?.requirements;
  const type = direction();
  const at = door.clock.now();
  const asks = type === "Checkin" && text.startsWith(PREFIX) && door.trouble() === null;
  if (asks && limits && (limits.highestTemperatureF !== null || limits.lowestO2 !== null)) return askReadings({ text, type, at }, limits);
  void answer({ text, type, at }, {});
}

/** @param {{text: string, type: ScanType, at: number}} code @param {import("../door/bundle.js").Requirements} limits */
function askReadings(code, limits) {
  awaiting = code;
  when("asks-temperature", limits.highestTemperatureF !== null);
  when("asks-o2", limits.lowestO2 !== null);
  form("readings").hidden = false;
  /** @type {HTMLInputElement | null} */ (form("readings").querySelector("div:not([hidden]) input"))?.focus();
}

function dropReadings() {
  awaiting = null;
  fill("waiting", "");
  form("readings").reset();
  form("readings").hidden = true;
  for (const field of ["temperature", "o2"]) showField(field, true);
}

/** @param {string} name @param {boolean} good */
function showField(name, good) {
  when(`bad-${name}`, !good);
  const input = /** @type {HTMLInputElement} */ (form("readings").elements.namedItem(name));
  if (good) input.removeAttribute("aria-invalid");
  else input.setAttribute("aria-invalid", "true");
}

/** Process the typed readings. An invalid number is requested again: it must neither approve nor decline anybody. */
function takeReadings() {
  if (awaiting === null) return;
  const typed = (/** @type {string} */ name) => /** @type {HTMLInputElement} */ (form("readings").elements.namedItem(name)).value;
  const asked = (/** @type {string} */ name) => !find(`[data-when="asks-${name}"]`).hidden;
  /** @type {[string, number | null][]} */
  const read = [["temperature", readTemperature(typed("temperature"), pageData("temperature-unit"))], ["o2", readOxygen(typed("o2"))]];
  const missing = read.filter(([name, value]) => asked(name) && value === null);
  for (const [name] of read) showField(name, !missing.some(([bad]) => bad === name));
  const [first] = missing;
  if (first) {
    const input = /** @type {HTMLInputElement} */ (form("readings").elements.namedItem(first[0]));
    input.focus();
    return input.select();
  }
  const code = awaiting;
  dropReadings();
  const [[, temperatureF], [, o2]] = /** @type {[[string, number | null], [string, number | null]]} */ (read);
  void answer(code, { temperatureF, o2 });
}

/** @param {{text: string, type: ScanType, at: number}} code @param {import("../door/decide.js").Readings} readings */
async function answer({ text, type, at }, readings) {
  if (!door) return;
  try {
    const result = await door.scan(text, type, readings, at);
    show(result, type);
  } catch (error) {
    if (error instanceof Revoked) await signOut();
    else throw error;
  }
  await showStaff();
}

/** @param {import("../door/door.js").Answer} result @param {ScanType} type */
function show(result, type) {
  const { light } = result;
  staff.note(light, type, door?.clock.now() ?? 0);
  if (light === "green") signal.show("green", type === "Checkin" ? "welcome" : "bye");
  else if (light === "blue") signal.show("blue", "already-in");
  else if (light === "amber" && settings.mode === "staffed") signal.show("amber", result.why);
  else signal.show("red", "no"); // a door without staff stays closed if it cannot check
}

const signed = new Intl.NumberFormat(document.documentElement.lang || "en", { signDisplay: "exceptZero" });

/** @param {number} step by which staff corrects the number inside */
function adjust(step) {
  if (door && (step > 0 || door.people() !== 0)) door.adjustment += step; // a negative number inside is an error
  void showStaff();
}

async function showStaff() {
  if (door) staff.beginDay(door.clock.now());
  const bundle = door?.bundle ?? null;
  const time = /** @type {const} */ ({ dateStyle: "short", timeStyle: "short" });
  fill("queue", String(await store.queued()));
  const refused = await store.refused();
  fill("refused", String(refused));
  when("refused", refused > 0);
  fill("keys-from", bundle ? formatTime(bundle.serverTime, time) : "–");
  fill("keys-until", bundle ? formatTime(bundle.goodUntil, time) : "–");
  fill("offset", door ? `${Math.round(door.clock.offsetS)} s` : "–");
  const limit = bundle ? peopleLimit(bundle.requirements) : null;
  fill("inside", `${door?.people() ?? "–"} / ${limit ?? "–"}`);
  fill("by-hand", door?.adjustment ? signed.format(door.adjustment) : "");
  fill("venue", bundle?.name ?? "");
  fill("connection", word(!bundle ? "no-keys" : connected ? "online" : "offline"));
}

/** @param {Door} at @param {import("../stores/kiosk.js").DeviceRow} enrolled */
async function takeBundle(at, enrolled) {
  const { bytes, bundle } = await at.link.fetchBundle(enrolled.rootKey);
  if (at.bundle && (bundle.serverTime < at.bundle.serverTime || bundle.venue !== at.bundle.venue)) return;
  at.clock.correct(bundle.serverTime);
  at.bundle = bundle;
  // On a full device the door works with the bundle in memory; uploads make room.
  await store.saveBundle({ bytes, offsetS: at.clock.offsetS }).catch(() => undefined);
  showSettings();
}

/** Apply the settings to the page: a one-way door has no switch, a tablet shows visitors how to get a pass. */
function showSettings() {
  const unmanned = door?.bundle?.unmanned ?? settings.mode === "unmanned";
  when("may-be-unmanned", unmanned);
  when("must-be-staffed", !unmanned);
  if (!unmanned && settings.mode === "unmanned") {
    settings.mode = "staffed";
    /** @type {HTMLSelectElement} */ (form("settings").elements.namedItem("mode")).value = "staffed";
  }
  const { mode, way } = settings;
  document.documentElement.dataset.way = way === "both" ? direction() : way;
  fill("help", settings.help);
  when("both-ways", way === "both");
  when("only-in", way === "Checkin");
  when("only-out", way === "Checkout");
  when("self", mode === "self" && door?.bundle !== null);
  const paper = /** @type {HTMLAnchorElement} */ (find("[data-paper]"));
  paper.hidden = !door?.bundle;
  if (door?.bundle) paper.href = `/check-in/${door.bundle.venue}/paper`;
  if (mode === "self" && door?.bundle) void drawCheckIn(door.bundle.venue);
}

/** @param {string} venue whose check-in URL visitors scan before they have a pass */
async function drawCheckIn(venue) {
  /** @type {typeof import("../ui/address_qr_script.js")} */
  const { drawAddress } = await import(find("script[data-qr]").dataset.qr ?? "");
  drawAddress(/** @type {HTMLCanvasElement} */ (find("[data-checkin-qr]")), `${location.origin}/check-in/${venue}`);
}

/** Fetch a newer bundle and send queued scans. Only in one tab: two would send the queue twice. */
async function sync() {
  await navigator.locks.request("crowdtrace-kiosk-sync", { ifAvailable: true }, async (lock) => {
    if (!lock || !door || !device) return;
    await door.forget(); // rows of expired passes, with or without a network
    try {
      await takeBundle(door, device);
      connected = true;
      // A count of people from before the server knew these scans would omit them.
      if ((await door.link.upload(store)) > 0) await takeBundle(door, device);
    } catch (error) {
      connected = false;
      if (error instanceof Revoked) return signOut();
      if (!(error instanceof Unreachable || error instanceof BundleError)) throw error;
    }
    await showStaff();
    await showTicketKeys();
  });
}

/**
 * Show eight characters of today's ticket keys, so that visitors can compare them with those on their phones. Like a
 * phone, a door pins the keys that it saw first.
 */
async function showTicketKeys() {
  const nowS = door?.clock.now() ?? Date.now() / 1000;
  const kept = /** @type {import("../core/ticket_keys.js").Pin[]} */ ((await store.setting("ticket-keys")) ?? []);
  const { status, body } = await request("GET", KEYS_PATH).catch(() => ({ status: 0, body: null }));
  const pins = status === 200 ? pinKeys(kept, readKeyList(body), nowS) : kept;
  if (status === 200) await store.saveSetting("ticket-keys", pins);
  const pin = pinOfToday(pins, nowS);
  if (pin?.epoch.date === keysShownFor) return;
  const fingerprint = pin ? await fingerprintOf(pin) : null;
  keysShownFor = fingerprint === null ? "" : (pin?.epoch.date ?? "");
  fill("fingerprint", fingerprint ?? "");
  when("fingerprint", fingerprint !== null);
}

async function signOut() {
  camera?.stop();
  dropReadings();
  staff.close();
  door = null;
  device = null;
  await store.unenrol();
  when("revoked", true);
  showState("enrol");
}

/** Resolve when this is the only tab of the door: with two, neither would know which codes the other has approved. */
const onlyTab = (() => {
  /** @type {Promise<void> | null} */
  let held = null;
  return () => {
    held ??= new Promise((resolve) => {
      if (!navigator.locks) return resolve(); // browsers before 2022 have no locks
      const late = setTimeout(() => showState("second", { focus: false }), HANDOVER_MS);
      void navigator.locks.request("crowdtrace-kiosk-door", () => {
        clearTimeout(late);
        resolve();
        return new Promise(() => undefined); // held until the tab is closed
      });
    });
    return held;
  };
})();

/** @param {import("../stores/kiosk.js").DeviceRow} enrolled */
async function openDoor(enrolled) {
  await onlyTab();
  enrolCamera?.stop(); // the code may have been typed instead
  enrolCamera = null;
  when("enrol-camera", false);
  device = enrolled;
  const recalled = await recalledKey();
  const key = recalled ?? freshKey();
  const kept = await store.bundle();
  const clock = new DoorClock({ wallMs: () => Date.now(), timerMs: () => performance.now(), offsetS: kept?.offsetS ?? 0 });
  if (!recalled) await store.forgetAll();
  const lastAwake = Number((await store.setting("lastAwake")) ?? 0);
  const forgottenUntil = !recalled && clock.now() - lastAwake < CODE_LIVES_S ? lastAwake : 0;
  const replay = new ReplayBook(key, await openRows(key, await store.replayRows()), forgottenUntil);
  keepKey(key);
  door = new Door({ store, link: new ServerLink(enrolled.token), clock, replay });
  await door.noteAwake().catch(() => undefined);
  if (kept) door.bundle = await openBundle(kept.bytes, enrolled.rootKey).catch(() => null);
  fill("device", enrolled.name);
  when("revoked", false);
  when("tags", readsTags());
  showSettings();
  showState("door", { focus: false });
  waitForText();
  await showStaff();
  void keepOffline();
  // Without keys every code would be amber: a door without valid ones fetches them before it reads codes.
  if (door.trouble() !== null) await sync();
  else void sync();
  // The browser's camera prompt may never be answered, so nothing waits for it.
  if (device) void startCamera();
}

/** Ask the service worker to cache the door's files, and show whether this page works without a network. */
async function keepOffline() {
  const registration = await navigator.serviceWorker?.ready;
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    document.documentElement.dataset.offline = "ready";
    fill("kept", word("kept"));
  };
  registration?.active?.postMessage({ keep: "files" }, [port2]);
}

async function startCamera() {
  reader ??= new Reader(readerFiles());
  camera?.stop();
  const video = /** @type {HTMLVideoElement} */ (find("[data-door-video]"));
  const mine = new Camera(video, reader, onSeen, PREFIX);
  camera = mine;
  video.classList.toggle("is-mirrored", !settings.back);
  const seeing = await mine.start(settings.back ? "environment" : "user");
  if (camera !== mine) return; // the other camera was chosen meanwhile
  when("seeing", seeing);
  when("blind", !seeing);
  when("torch", seeing && mine.hasTorch());
  find('[data-do="torch"]').setAttribute("aria-pressed", "false"); // a camera starts with its lamp off
  if (seeing) void navigator.wakeLock?.request("screen").catch(() => undefined);
}

async function enrolByCamera() {
  reader ??= new Reader(readerFiles());
  const video = /** @type {HTMLVideoElement} */ (find("[data-enrol-video]"));
  enrolCamera?.stop();
  const scanning = new Camera(video, reader, (text) => {
    const code = readEnrolment(text);
    if (code === null) return fill("enrol-note", word("enrol-refused"));
    scanning.stop();
    when("enrol-camera", false);
    /** @type {HTMLInputElement} */ (find("#code")).value = code;
    form("enrol").requestSubmit();
  });
  enrolCamera = scanning;
  const seeing = await scanning.start("environment");
  if (enrolCamera !== scanning) return;
  when("enrol-camera", seeing);
  if (!seeing) fill("enrol-note", word("no-camera"));
}

/** @param {string} typed @param {string} name */
async function enrolWith(typed, name) {
  const code = readEnrolment(typed);
  if (code === null) return fill("enrol-note", word("enrol-refused"));
  const rootKey = fromBase64Url(pageData("root-key"));
  try {
    const token = await enrol({ code, name, kind: matchMedia("(pointer: coarse) and (max-width: 600px)").matches ? "Personal" : "Gate" });
    if (token === null) return fill("enrol-note", word("enrol-refused"));
    await store.unenrol();
    const row = { token, rootKey, name };
    await store.saveDevice(row);
    askToKeepStorage();
    fill("enrol-note", "");
    await openDoor(row);
  } catch (error) {
    if (error instanceof Unreachable) return fill("enrol-note", word("enrol-offline"));
    if (!(error instanceof DOMException)) throw error;
    showState("unable"); // the device has no room for its keys
  }
}

function readSettings() {
  const fields = form("settings").elements;
  settings.mode = /** @type {HTMLSelectElement} */ (fields.namedItem("mode")).value;
  settings.way = /** @type {HTMLSelectElement} */ (fields.namedItem("way")).value;
  settings.back = /** @type {HTMLInputElement} */ (fields.namedItem("back")).checked;
  settings.silent = /** @type {HTMLInputElement} */ (fields.namedItem("silent")).checked;
  settings.help = /** @type {HTMLInputElement} */ (fields.namedItem("help")).value.trim();
}

async function restoreSettings() {
  Object.assign(settings, (await store.setting("settings")) ?? {});
  const fields = form("settings").elements;
  /** @type {HTMLSelectElement} */ (fields.namedItem("mode")).value = settings.mode;
  /** @type {HTMLSelectElement} */ (fields.namedItem("way")).value = settings.way;
  /** @type {HTMLInputElement} */ (fields.namedItem("back")).checked = settings.back;
  /** @type {HTMLInputElement} */ (fields.namedItem("silent")).checked = settings.silent;
  /** @type {HTMLInputElement} */ (fields.namedItem("help")).value = settings.help;
}

onActions({
  reload: () => location.reload(),
  staff: () => staff.press(),
  "staff-close": () => staff.close(),
  "more-inside": () => adjust(1),
  "fewer-inside": () => adjust(-1),
  "test-scan": () => staff.beginTest(),
  "turn-camera": async () => {
    const back = /** @type {HTMLInputElement} */ (form("settings").elements.namedItem("back"));
    back.checked = !back.checked;
    back.dispatchEvent(new Event("change", { bubbles: true }));
  },
  torch: async (button) => {
    const on = button.getAttribute("aria-pressed") !== "true";
    if (await camera?.light(on)) button.setAttribute("aria-pressed", String(on));
  },
  "send-again": async () => {
    await store.sendAgain();
    await sync();
  },
  sync: () => sync(),
  full: () => document.documentElement.requestFullscreen?.().catch(() => undefined),
  "enrol-camera": () => enrolByCamera(),
  // Browsers ask for permission before a page may read tags, so a button starts it.
  tags: async () => fill("tags-note", word((await readTags((text) => onRead(text, SAME_CODE_MS))) ? "tags-read" : "tags-refused")),
  "drop-readings": dropReadings,
});

form("enrol").addEventListener("submit", (event) => {
  event.preventDefault();
  const data = new FormData(form("enrol"));
  void enrolWith(String(data.get("code")), String(data.get("name")).trim());
});

form("settings").addEventListener("change", async () => {
  const wasBack = settings.back;
  readSettings();
  showSettings();
  await store.saveSetting("settings", { ...settings });
  if (wasBack !== settings.back) await startCamera();
});

form("readings").addEventListener("submit", (event) => {
  event.preventDefault();
  takeReadings();
});

const wedge = new Wedge((text) => onRead(text, SAME_TYPED_MS));
const guard = new FieldGuard(wedge);
const sink = /** @type {HTMLInputElement} */ (find("[data-sink]"));
const committed = new CommittedText({ wedge, guard, sink });
/** @typedef {import("../door/field_guard.js").Field} Field */
/** @param {EventTarget | null} target @returns {Field | null} the target if it accepts text */
const fieldOf = (target) => (target instanceof HTMLElement && target.matches("input:not([type=radio], [type=checkbox]), textarea, select") ? /** @type {Field} */ (target) : null);

/** Input methods need a field, so the door's invisible one gets the focus if nothing else has it. */
const takesText = matchMedia("(any-pointer: coarse)").matches;
/** @param {boolean} [touched] whether a finger has just pressed something, which keeps the focus although it no longer needs it */
function waitForText(touched = false) {
  if (!takesText || !door || document.documentElement.dataset.shown !== "door") return;
  const { activeElement: active, body } = document;
  const free = active === null || active === body || (touched && fieldOf(active) === null);
  if (free) sink.focus({ preventScroll: true });
}
document.addEventListener("focusout", () => setTimeout(waitForText));
document.addEventListener("pointerup", ({ pointerType }) => setTimeout(() => waitForText(pointerType !== "mouse")));

document.addEventListener("beforeinput", (event) => {
  const field = fieldOf(event.target);
  if (!door || !field) return;
  const text = committedText(event, event.dataTransfer?.getData("text/plain"));
  if (text !== "" && committed.take(field, text, event.timeStamp)) event.preventDefault();
}, { capture: true });
document.addEventListener("compositionstart", (event) => {
  const field = fieldOf(event.target);
  if (field) committed.begin(field);
}, { capture: true });
document.addEventListener("compositionend", (event) => {
  const field = fieldOf(event.target);
  if (door && field) committed.end(field, event.data, event.timeStamp);
  sink.value = "";
}, { capture: true });

// Capture keys before other handlers: a scanner types wherever the focus is.
document.addEventListener("keydown", (event) => {
  const target = /** @type {HTMLElement} */ (event.target);
  if (!door || event.isComposing) return;
  if (isLineEnd(event)) {
    wedge.finish();
    return event.preventDefault(); // a line feed (Ctrl+J) would open the browser's list of downloads
  }
  const isShortcut = (event.ctrlKey || event.altKey) && !event.getModifierState("AltGraph");
  if (event.metaKey || isShortcut) return;
  const field = target === sink ? null : fieldOf(target);
  const pressesIt = event.code === "Space" && target !== sink && !wedge.holdsCode() && target.matches("button, a, input, summary");
  committed.pressed(event);
  if (pressesIt) return;
  const taken = field ? guard.press(field, event, event.timeStamp) : wedge.press(event, event.timeStamp);
  if (!taken) return;
  event.preventDefault();
}, { capture: true });
// A scanner that types by codes (Alt and the number pad) presses no meaningful key: only its text arrives.
document.addEventListener("keypress", (event) => {
  if (!door || event.ctrlKey || event.altKey || event.metaKey || fieldOf(event.target) || !committed.isNew(event)) return;
  const key = { key: event.key, code: "", shiftKey: false };
  if (wedge.press(key, event.timeStamp)) event.preventDefault();
}, { capture: true });
for (const radio of document.querySelectorAll("input[name=type]")) radio.addEventListener("change", showSettings);

globalThis.addEventListener("online", () => {
  if (door) door.link.quietUntil = 0;
  void sync();
});
globalThis.addEventListener("offline", () => {
  connected = false;
  void showStaff();
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && door) void navigator.wakeLock?.request("screen").catch(() => undefined);
});

const code = location.hash.slice(1);
if (code) history.replaceState(null, "", location.pathname);
useScript(find("script[data-ed25519]").dataset.ed25519 ?? "");
useSealingScript(find("script[data-x25519]").dataset.x25519 ?? "");
showState("loading", { focus: false });
try {
  if (!crypto.subtle) throw new TypeError("no WebCrypto: the address is not secure");
  store = await openKioskStore();
  staff = new StaffSheet({ store, isAlone: () => settings.mode !== "staffed", onOpen: showStaff });
  await restoreSettings();
  const enrolled = await store.device();
  if (code) /** @type {HTMLInputElement} */ (find("#code")).value = code;
  if (enrolled && !code) await openDoor(enrolled);
  else showState("enrol", { focus: false });
  setInterval(() => void sync(), SYNC_EVERY_MS);
  setInterval(() => void door?.noteAwake().catch(() => undefined), AWAKE_EVERY_MS);
} catch {
  showState("unable");
}
