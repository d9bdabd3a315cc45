/**
 * Passes that the server recently refused at this door: only in memory, never stored or sent.
 *
 * A refusal remains valid while the server does not respond. Otherwise a code that was used at another door would open
 * this one after too many requests: the server responds with 429 to many repeats of one code, and the door then decides
 * alone.
 */
import { toHex } from "../core/bytes.js";

/** Time for which a refusal is valid without another response of the server. */
const HOLDS_S = 15 * 60;
/** Time between two requests for a pass: faster repeats would reach the server's rate limit. */
const ASKED_AGAIN_S = 4;

/** @typedef {import("../core/pass.js").ParsedPass} ParsedPass */
/** @typedef {import("./decide.js").ScanType} ScanType */

export class Refusals {
  constructor() {
    /** Time of the last refusal of each pass, Unix seconds, earliest first. @type {Map<string, number>} */
    this.last = new Map();
  }

  /** @param {ParsedPass} pass @param {ScanType} type @param {number} at Unix seconds */
  note(pass, type, at) {
    this.lift(pass, type);
    this.last.set(nameOf(pass, type), at);
    for (const [name, when] of this.last) if (when + HOLDS_S <= at) this.last.delete(name);
  }

  /** Forget the refusal, after the server has approved the pass. @param {ParsedPass} pass @param {ScanType} type */
  lift(pass, type) {
    this.last.delete(nameOf(pass, type));
  }

  /** @param {ParsedPass} pass @param {ScanType} type @param {number} at @returns {boolean} whether the server's refusal is still valid */
  holds(pass, type, at) {
    return this.isWithin(pass, type, at, HOLDS_S);
  }

  /** @param {ParsedPass} pass @param {ScanType} type @param {number} at @returns {boolean} whether the server was asked a moment ago */
  isFresh(pass, type, at) {
    return this.isWithin(pass, type, at, ASKED_AGAIN_S);
  }

  /** @param {ParsedPass} pass @param {ScanType} type @param {number} at @param {number} seconds */
  isWithin(pass, type, at, seconds) {
    const last = this.last.get(nameOf(pass, type));
    return last !== undefined && Math.abs(at - last) < seconds; // a corrected clock may go back
  }
}

/** @param {ParsedPass} pass @param {ScanType} type */
function nameOf(pass, type) {
  return `${type} ${toHex(pass.anchor)} ${pass.validUntil}`;
}
