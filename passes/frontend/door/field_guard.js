/**
 * Codes that a USB scanner types while a field has the focus: after staff changed a choice, or while a reading is asked
 * for. Keys are let through until they spell the beginning of a code. Then the field is put back as it was, and the
 * rest of the code goes to the reader of scans.
 *
 * @typedef {import("./wedge.js").Key} Key
 * @typedef {HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement} Field
 */
import { PREFIX } from "../core/pass.js";
import { markByLayout, markByPlace } from "./wedge.js";

export class FieldGuard {
  /** @param {import("./wedge.js").Wedge} wedge */
  constructor(wedge) {
    this.wedge = wedge;
    this.catching = false;
    /** @type {{key: Key, field: Field, value: string}[]} the last keys, each with the field's value before it */
    this.recent = [];
  }

  /**
   * @param {Field} field that has the focus
   * @param {Key} key
   * @param {number} nowMs
   * @returns {boolean} whether the key belongs to a code and must do nothing else
   */
  press(field, key, nowMs) {
    if (this.catching && this.wedge.isReading()) return this.wedge.press(key, nowMs);
    this.catching = false;
    if (markByPlace(key) === "" && markByLayout(key) === "") return false;
    this.recent = [...this.recent, { key, field, value: field.value }].slice(-PREFIX.length);
    if (![markByPlace, markByLayout].some((mark) => this.recent.map((typed) => mark(typed.key)).join("") === PREFIX)) return false;
    for (const { key: typed } of this.recent) this.wedge.press(typed, nowMs);
    const [first] = this.recent;
    if (first) restore(first.field, first.value);
    this.recent = [];
    this.catching = true;
    return true;
  }
}

/** @param {Field} field @param {string} value */
function restore(field, value) {
  if (field.value === value) return;
  field.value = value;
  field.dispatchEvent(new Event("change", { bubbles: true })); // a choice that changed by its first letter was acted on
}
