/**
 * The passes that a kiosk has approved, so that a code opens once.
 *
 * Rows are keyed by `HMAC(key, anchor)[:8]`. The key is only in memory (of the page, and across a reload of the service
 * worker): stored rows cannot be matched with any pass. After the key is lost, the answer to codes that may have been used
 * under it is *cannot check*, until the next minute has new ones.
 *
 * @typedef {import("./decide.js").Seen} Seen
 */
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { toHex } from "../core/bytes.js";
import { slotAt } from "../core/epoch.js";

export const REPLAY_KEY_BYTES = 32;

export class ReplayBook {
  /**
   * @param {Uint8Array} key 32 bytes
   * @param {Iterable<Seen>} [rows] stored rows of the same key
   * @param {number} [forgottenUntil] Unix seconds; scans up to then used a lost key; 0 if there is none
   */
  constructor(key, rows = [], forgottenUntil = 0) {
    this.key = key;
    this.forgottenUntil = forgottenUntil;
    /** @type {Map<string, Seen>} */
    this.rows = new Map(Array.from(rows, (row) => [row.tag, row]));
  }

  /** @param {Uint8Array} anchor @returns {string} */
  tag(anchor) {
    return toHex(hmac(sha256, this.key, anchor).slice(0, 8));
  }

  /**
   * @param {Uint8Array} anchor
   * @param {number} until Unix seconds, end of the pass
   * @returns {Seen}
   */
  recall(anchor, until) {
    const tag = this.tag(anchor);
    return this.rows.get(tag) ?? { tag, until, lastIn: 0, lastOut: 0, stays: [] };
  }

  /**
   * @param {import("../core/pass.js").ParsedPass} pass
   * @returns {boolean} whether its code may have been used under the lost key, so that it cannot be checked
   */
  isForgotten(pass) {
    if (this.forgottenUntil === 0 || pass.shown === null || this.rows.has(this.tag(pass.anchor))) return false;
    // A door accepts codes one slot ahead of its clock.
    return pass.shown.slot <= slotAt(pass.validFrom, this.forgottenUntil) + 1;
  }

  /** @param {Seen} seen a row of a visitor who went through */
  remember(seen) {
    this.rows.set(seen.tag, seen);
  }

  /** @returns {import("./inside.js").Stay[][]} of each pass */
  stays() {
    return Array.from(this.rows.values(), (row) => row.stays);
  }

  /** @param {number} now Unix seconds @returns {string[]} tags deleted because their passes have expired */
  forget(now) {
    const ended = Array.from(this.rows.values(), (row) => row).filter((row) => row.until <= now);
    for (const row of ended) this.rows.delete(row.tag);
    return ended.map((row) => row.tag);
  }
}
