/**
 * Passes that the server refused lately, as this door knows them: in memory alone, never stored or sent.
 *
 * A refusal outlasts the server's silence. Otherwise a code that was used at another door would open this one as soon as
 * the server is asked too often: it answers 429 to many repeats of one code, and the door then decides alone.
 */
import { toHex } from "../core/bytes.js";

/** For this long a refusal holds where the server gives no other answer. */
const HOLDS_S = 15 * 60;
/** The same pass is asked about again only after so long: faster repeats would use up the server's patience with it. */
const ASKED_AGAIN_S = 4;

/** @typedef {import("../core/pass.js").ParsedPass} ParsedPass */
/** @typedef {import("./decide.js").ScanType} ScanType */

export class Refusals {
  constructor() {
    /** When each pass was refused last, Unix seconds, the earliest first. @type {Map<string, number>} */
    this.last = new Map();
  }

  /** @param {ParsedPass} pass @param {ScanType} type @param {number} at Unix seconds */
  note(pass, type, at) {
    this.lift(pass, type);
    this.last.set(nameOf(pass, type), at);
    for (const [name, when] of this.last) if (when + HOLDS_S <= at) this.last.delete(name);
  }

  /** The server accepted the pass. @param {ParsedPass} pass @param {ScanType} type */
  lift(pass, type) {
    this.last.delete(nameOf(pass, type));
  }

  /** @param {ParsedPass} pass @param {ScanType} type @param {number} at @returns {boolean} whether the server's refusal still holds */
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
