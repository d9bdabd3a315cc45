/** The boarding pass: drawn from what lies on the device, so it needs no connection once the page is there. */
import { derivePass, rotatingText } from "../core/book.js";
import { slotAt, slotStart } from "../core/epoch.js";
import { parseCredential } from "../core/pass.js";
import { deriveKeys } from "../core/secret.js";
import { openVisitorStore } from "../stores/visitor.js";
import { fill, find, formatTime, onActions, showState, when } from "../ui/page.js";
import { drawQr, qrImage } from "../ui/qr.js";

/**
 * @typedef {import("../stores/visitor.js").KeptPass} KeptPass
 * @typedef {{kept: KeptPass, credential: string, bytes: Uint8Array, book: import("../core/book.js").BookPass}} ShownPass
 */

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

/** @param {{kept: KeptPass, credential: string}} entry @param {Uint8Array<ArrayBuffer>} secret */
async function choose({ kept, credential }, secret) {
  const parsed = parseCredential(credential);
  if (!parsed) return;
  const { pass } = await deriveKeys(secret);
  shown = { kept, credential, bytes: parsed.bytes, book: await derivePass(pass, kept.epochStart, kept.index) };
  drawnSlot = -1;
  const time = /** @type {const} */ ({ hour: "numeric", minute: "2-digit" });
  const day = /** @type {const} */ ({ weekday: "long", day: "numeric", month: "long" });
  fill("venue", kept.venue.name);
  fill("day", formatTime(kept.epoch.start + 12 * 3600, day));
  fill("from", formatTime(kept.epoch.start, { ...time, weekday: "short" }));
  fill("until", formatTime(kept.epoch.end, { ...time, weekday: "short" }));
  showState("shown");
  tick();
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
  fill("connection", /** @type {HTMLTemplateElement} */ (find(`[data-word="${navigator.onLine ? "online" : "offline"}"]`)).content.textContent ?? "");
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
  shown: () => showState("shown"),
  print: () => globalThis.print(),
});

showState("loading", { focus: false });
try {
  const store = await openVisitorStore();
  const person = await store.current();
  good = person ? stillGood(await store.passes(person.id)) : [];
  const [first] = good;
  if (!person || !first) showState("none", { focus: false });
  else {
    listChoices();
    await choose(first, person.secret);
    await keepAwake();
    find("[data-choice]").addEventListener("change", (event) => {
      const entry = good[Number(/** @type {HTMLSelectElement} */ (event.target).value)];
      if (entry) void choose(entry, person.secret);
    });
    setInterval(tick, 1000);
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) return;
      tick();
      void keepAwake();
    });
  }
} catch {
  showState("unable");
}
