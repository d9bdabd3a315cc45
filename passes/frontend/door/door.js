/**
 * One door: processes the texts of readers one at a time, decides, asks the server if possible, and queues scans that it
 * must send later. The page shows the answer.
 *
 * @typedef {import("./decide.js").ScanType} ScanType
 * @typedef {import("./decide.js").Readings} Readings
 * @typedef {import("../core/pass.js").ParsedPass} ParsedPass
 * @typedef {"old-keys" | "clock" | "restarted" | "storage"} Amber why the kiosk cannot check; it reveals nothing of a visitor
 * @typedef {{light: "green" | "red" | "blue"} | {light: "amber", why: Amber}} Answer blue: this kiosk approved the code a moment ago
 */
import { toHex } from "../core/bytes.js";
import { PREFIX } from "../core/pass.js";
import { decide, peopleLimit } from "./decide.js";
import { countInside } from "./inside.js";
import { newScanId } from "./random.js";
import { Refusals } from "./refusals.js";
import { sealRow } from "./replay_rows.js";
import { sealScan } from "./seal.js";

/** Time for which a kiosk shows blue for a code that it approved itself, instead of a refusal. */
const LET_IN_S = 15 * 60;
/** Causes of a refusal because the code was used before. */
const USED = new Set(["replay", "still_inside"]);

export class Door {
  /**
   * @param {object} parts
   * @param {import("../stores/kiosk.js").KioskStore} parts.store
   * @param {import("./link.js").ServerLink} parts.link
   * @param {import("./clock.js").DoorClock} parts.clock
   * @param {import("./replay.js").ReplayBook} parts.replay
   */
  constructor({ store, link, clock, replay }) {
    this.store = store;
    this.link = link;
    this.clock = clock;
    this.replay = replay;
    /** @type {import("./bundle.js").Bundle | null} */
    this.bundle = null;
    /** Codes that this kiosk approved recently, and until when it remembers them; only in memory. @type {Map<string, {anchor: string, until: number}>} */
    this.letIn = new Map();
    this.refusals = new Refusals();
    /** Number that staff added by hand to the people inside. */
    this.adjustment = 0;
    /** @type {Promise<unknown>} */
    this.turn = Promise.resolve();
  }

  /**
   * @param {string} text
   * @param {ScanType} type
   * @param {Readings} [readings]
   * @param {number} [at] Unix seconds when the code was read, if readings were entered after it; now by default
   * @returns {Promise<Answer>} scans are processed one after another, so that the same code twice at once opens once
   * @throws {import("./link.js").Revoked}
   */
  scan(text, type, readings = {}, at = undefined) {
    const answer = this.turn.then(() => this.answer(text, type, readings, at ?? this.clock.now()));
    this.turn = answer.catch(() => undefined);
    return answer;
  }

  /** @returns {Amber | null} why the kiosk cannot check at present */
  trouble() {
    if (!this.bundle || this.clock.now() >= this.bundle.goodUntil) return "old-keys";
    return this.clock.isTrusted(this.bundle.serverTime) ? null : "clock";
  }

  /** @returns {number | null} people inside; null if the bundle does not count them */
  people() {
    const occupancy = this.bundle?.occupancy;
    if (!occupancy) return null;
    return Math.max(0, countInside(occupancy, this.replay.stays(), this.clock.now()) + this.adjustment);
  }

  /** @param {string} text @param {ScanType} type @param {Readings} readings @param {number} at @returns {Promise<Answer>} */
  async answer(text, type, readings, at) {
    const why = this.trouble();
    const { bundle } = this;
    if (why || !bundle) return { light: "amber", why: why ?? "old-keys" };
    const recall = (/** @type {Uint8Array} */ anchor, /** @type {number} */ until) => this.replay.recall(anchor, until);
    const decision = await decide({ text, type, at, readings, bundle, recall, people: this.people() });
    const { pass } = decision;
    // A text that is not a pass never leaves this device: it may be somebody's secret, or the code of a ticket.
    if (!text.startsWith(PREFIX)) return { light: "red" };
    const alreadyIn = type === "Checkin" && USED.has(decision.cause ?? "") && this.wasLetIn(text, at);
    // A paper pass may have left through another door, which the server knows.
    if (alreadyIn && !decision.estimated) return { light: "blue" };
    const scanId = newScanId();
    const scan = scanBody(text, type, at, readings);
    const full = decision.cause === "full" && this.isFullByHand();
    const asks = decision.approved || (decision.estimated && !full);
    // New readings require a new decision; the same code a moment later does not.
    if (asks && pass && !hasReadings(readings) && this.refusals.isFresh(pass, type, at)) return { light: "red" };
    const verdict = asks ? await this.link.askLive(scanId, scan) : null;
    if (alreadyIn && verdict !== true) return { light: "blue" };
    if (verdict === false) {
      if (pass) this.refusals.note(pass, type, at);
      return { light: "red" };
    }
    if (verdict && pass) this.refusals.lift(pass, type);
    const approved = verdict ?? (decision.approved && pass !== null && !this.refusals.holds(pass, type, at));
    const seen = approved ? decision.seen : null;
    if (approved && verdict === null && pass && this.replay.isForgotten(pass)) return { light: "amber", why: "restarted" };
    if (seen) this.replay.remember(seen);
    const kept = verdict === null ? this.queue(scanId, scan, approved, seen) : seen && this.keep(seen);
    const noted = Promise.resolve(kept).then(async () => void (approved && (await this.noteAwake())));
    const stored = await noted.then(() => true, () => false);
    // A visit that is not recorded would be missing from the crowd state, so a person must decide.
    if (approved && !stored && verdict === null) return { light: "amber", why: "storage" };
    if (approved && pass) this.noteInside(text, pass, type, at);
    return { light: approved ? "green" : "red" };
  }

  /** Remember a code of Checkin; forget the codes of a pass that left, which is not "already in". @param {string} text @param {ParsedPass} pass @param {ScanType} type @param {number} at */
  noteInside(text, pass, type, at) {
    if (type === "Checkin") return void this.letIn.set(text, { anchor: toHex(pass.anchor), until: at + LET_IN_S });
    for (const [code, { anchor }] of this.letIn) if (anchor === toHex(pass.anchor)) this.letIn.delete(code);
  }

  /** @returns {boolean} whether the place is full only with the people that staff added by hand */
  isFullByHand() {
    const limit = this.bundle ? peopleLimit(this.bundle.requirements) : null;
    return this.adjustment > 0 && limit !== null && (this.people() ?? 0) - this.adjustment < limit;
  }

  /** @param {string} text @param {number} at @returns {boolean} whether this kiosk approved the code recently */
  wasLetIn(text, at) {
    for (const [code, { until }] of this.letIn) if (until <= at) this.letIn.delete(code);
    return this.letIn.has(text);
  }

  /** @param {string} scanId @param {import("./seal.js").Scan} scan @param {boolean} approved @param {import("./decide.js").Seen | null} seen */
  async queue(scanId, scan, approved, seen) {
    const { bundle } = this;
    if (!bundle) return;
    const sealed = await sealScan(bundle.sealingKey, scanId, { ...scan, kiosk_result: approved ? "Approved" : "Declined" });
    await this.store.record({ scan_id: scanId, sealed }, seen && (await sealRow(this.replay.key, seen)));
  }

  /** @param {import("./decide.js").Seen} seen */
  async keep(seen) {
    await this.store.remember(await sealRow(this.replay.key, seen));
  }

  /**
   * Store the minute up to which codes may have been used here. The page calls it regularly, so that it does not reveal
   * when somebody came.
   */
  async noteAwake() {
    await this.store.saveSetting("lastAwake", Math.ceil(this.clock.now() / 60) * 60);
  }

  /** Delete replay rows whose passes have expired. */
  async forget() {
    const ended = this.replay.forget(this.clock.now());
    if (ended.length > 0) await this.store.forget(ended);
  }
}

/** @param {Readings} readings @returns {boolean} */
function hasReadings({ temperatureF = null, o2 = null }) {
  return temperatureF !== null || o2 !== null;
}

/** @param {string} credential @param {ScanType} type @param {number} at @param {Readings} readings @returns {import("./seal.js").Scan} */
function scanBody(credential, type, at, { temperatureF = null, o2 = null }) {
  return {
    credential,
    type,
    scanned_at: new Date(at * 1000).toISOString(),
    ...(temperatureF === null ? {} : { temperature_f: temperatureF }),
    ...(o2 === null ? {} : { o2 }),
  };
}
