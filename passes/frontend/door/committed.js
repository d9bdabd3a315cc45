/**
 * Text that comes through an input method and not by keys: keyboards of Android, and scanners that are built into a
 * device, commit a whole text to the field that has the focus. Their `keydown`, if there is one, says nothing
 * (`Unidentified`, code 229). An input method needs a field, so the door keeps one that nobody sees and that opens no
 * keyboard on the screen.
 *
 * @typedef {import("./field_guard.js").Field} Field
 */

/** What `beforeinput` calls text that is there at once; what is still being composed ends with `compositionend`. */
const COMMITS = new Set(["insertText", "insertReplacementText", "insertFromPaste", "insertFromDrop", "insertFromYank"]);
const LINE_ENDS = new Set(["insertLineBreak", "insertParagraph"]);

/**
 * @param {{inputType: string, data: string | null, isComposing: boolean}} input a `beforeinput`
 * @param {string} pasted the text of a paste, which `data` may lack in a text field
 * @returns {string} the text that it commits, empty for everything else
 */
export function committedText({ inputType, data, isComposing }, pasted = "") {
  if (LINE_ENDS.has(inputType)) return "\n";
  if (isComposing || !COMMITS.has(inputType)) return "";
  return data ?? pasted;
}

export class CommittedText {
  /**
   * @param {object} parts
   * @param {import("./wedge.js").Wedge} parts.wedge
   * @param {import("./field_guard.js").FieldGuard} parts.guard
   * @param {Field | null} parts.sink the door's own field, whose texts are scans
   */
  constructor({ wedge, guard, sink }) {
    this.wedge = wedge;
    this.guard = guard;
    this.sink = sink;
    /** The key that was read already, and whose text follows. */
    this.spoken = "";
    /** What the field held before it was composed in. @type {string | null} */
    this.before = null;
  }

  /** @param {{key?: string}} key that was read: the text that it makes is not read again */
  pressed({ key = "" }) {
    this.spoken = [...key].length === 1 ? key : "";
  }

  /** @param {{key: string}} key whose text comes @returns {boolean} whether no key was read that says so already */
  isNew({ key }) {
    return key !== "Enter" && key !== this.spoken;
  }

  /**
   * @param {Field} field
   * @param {string} text
   * @param {number} nowMs
   * @returns {boolean} whether the text belongs to a scan and must not come into the field
   */
  take(field, text, nowMs) {
    const repeats = text !== "" && text === this.spoken;
    this.spoken = "";
    return !repeats && this.read(field, text, nowMs, field.value);
  }

  /** @param {Field} field composing begins */
  begin(field) {
    this.before = field.value;
  }

  /**
   * @param {Field} field
   * @param {string} text that was composed; it is in the field already
   * @param {number} nowMs
   */
  end(field, text, nowMs) {
    const before = this.before ?? field.value;
    this.before = null;
    if (this.read(field, text, nowMs, before) && field.value !== before) {
      field.value = before;
      field.dispatchEvent(new Event("change", { bubbles: true }));
    }
  }

  /** @param {Field} field @param {string} text @param {number} nowMs @param {string} value of the field before it */
  read(field, text, nowMs, value) {
    let taken = false;
    for (const mark of text) {
      const key = /[\r\n\t]/.test(mark) ? { key: "Enter", code: "", shiftKey: false } : { key: mark, code: "", shiftKey: false };
      taken = field === this.sink ? this.wedge.press(key, nowMs) || taken : this.guard.press(field, key, nowMs, value) || taken;
    }
    return taken;
  }
}
