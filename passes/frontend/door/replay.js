/**
 * What a kiosk remembers of the passes it let through, so that a code opens once.
 *
 * Rows are keyed by `HMAC(key, anchor)[:8]`. The key is made fresh by each day's first page and lives in memory alone
 * (the page's, and for a reload the service worker's): what lies in storage cannot be matched with any pass.
 *
 * @typedef {import("./decide.js").Seen} Seen
 */
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { toHex } from "../core/bytes.js";

export const REPLAY_KEY_BYTES = 32;

export class ReplayBook {
  /**
   * @param {Uint8Array} key 32 bytes
   * @param {Iterable<Seen>} [rows] rows kept under the same key
   */
  constructor(key, rows = []) {
    this.key = key;
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
    return this.rows.get(tag) ?? { tag, until, lastIn: 0, lastOut: 0, inside: false };
  }

  /** @param {Seen} seen a row of a visitor who went through */
  remember(seen) {
    this.rows.set(seen.tag, seen);
  }

  /** @param {number} now Unix seconds @returns {string[]} tags that were dropped because their passes ended */
  forget(now) {
    const ended = Array.from(this.rows.values(), (row) => row).filter((row) => row.until <= now);
    for (const row of ended) this.rows.delete(row.tag);
    return ended.map((row) => row.tag);
  }
}
