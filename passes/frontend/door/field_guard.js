/**
 * Codes that a USB scanner types while a field has the focus: after staff changed a choice, or while a reading is
 * requested. Keys reach the field until they form the beginning of a code. Then the value of the field is restored, and
 * the rest of the code goes to the reader of scans.
 *
 * @typedef {import("./wedge.js").Key} Key
 * @typedef {HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement} Field
 */
import { PREFIX } from "../core/pass.js";
import { markByLayout, markByPlace } from "./wedge.js";

/** Number of prefix characters that a scanner may type, and the longest gap between them: people type more slowly. */
const LONGEST_LEAD = 8;
const LEAD_GAP_MS = 35;

export class FieldGuard {
  /** @param {import("./wedge.js").Wedge} wedge */
  constructor(wedge) {
    this.wedge = wedge;
    this.catching = false;
    /** @type {{key: Key, field: Field, value: string, at: number}[]} the last keys, each with the field's value before it */
    this.recent = [];
  }

  /**
   * @param {Field} field that has the focus
   * @param {Key} key
   * @param {number} nowMs
   * @param {string} [value] of the field before the key, if it has already changed
   * @returns {boolean} whether the key belongs to a code and must have no other effect
   */
  press(field, key, nowMs, value = field.value) {
    if (this.catching && this.wedge.isReading()) return this.wedge.press(key, nowMs);
    this.catching = false;
    if (this.wedge.isLateEnd(key, nowMs)) return true;
    if (markByPlace(key) === "" && markByLayout(key) === "") return false;
    this.recent = [...this.recent, { key, field, value, at: nowMs }].slice(-PREFIX.length - LONGEST_LEAD);
    const begun = this.recent.slice(-PREFIX.length);
    if (![markByPlace, markByLayout].some((mark) => begun.map((typed) => mark(typed.key)).join("") === PREFIX)) return false;
    for (const { key: typed } of begun) this.wedge.press(typed, nowMs);
    const first = this.firstOfScan();
    if (first) restore(first.field, first.value);
    this.recent = [];
    this.catching = true;
    return true;
  }

  /** @returns {{field: Field, value: string} | undefined} the first key of the scan: a prefix may come before the code */
  firstOfScan() {
    let from = Math.max(0, this.recent.length - PREFIX.length);
    for (; from > 0; from -= 1) {
      const [before, after] = [this.recent[from - 1], this.recent[from]];
      if (!before || !after || before.field !== after.field || after.at - before.at > LEAD_GAP_MS) break;
    }
    return this.recent[from];
  }
}

/** @param {Field} field @param {string} value */
function restore(field, value) {
  if (field.value === value) return;
  field.value = value;
  field.dispatchEvent(new Event("change", { bubbles: true })); // a choice that the first letter changed has already taken effect
}
