/**
 * Text from an input method instead of keys: keyboards of Android, and scanners that are built into a device, commit a
 * whole text to the focused field. Their `keydown`, if there is one, is meaningless (`Unidentified`, code 229). An input
 * method needs a field, so the door has an invisible one that opens no keyboard on the screen.
 *
 * @typedef {import("./field_guard.js").Field} Field
 */

/** Types of `beforeinput` for text that is committed at once; composed text ends with `compositionend`. */
const COMMITS = new Set(["insertText", "insertReplacementText", "insertFromPaste", "insertFromDrop", "insertFromYank"]);
const LINE_ENDS = new Set(["insertLineBreak", "insertParagraph"]);

/**
 * @param {{inputType: string, data: string | null, isComposing: boolean}} input a `beforeinput`
 * @param {string} pasted text of a paste, which `data` may lack in a text field
 * @returns {string} the text that it commits; empty for other types
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
   * @param {Field | null} parts.sink the door's invisible field, whose texts are scans
   */
  constructor({ wedge, guard, sink }) {
    this.wedge = wedge;
    this.guard = guard;
    this.sink = sink;
    /** The key that was already read and whose text follows. */
    this.spoken = "";
    /** Value of the field before the composition. @type {string | null} */
    this.before = null;
  }

  /** @param {{key?: string}} key that was read: its text is not read again */
  pressed({ key = "" }) {
    this.spoken = [...key].length === 1 ? key : "";
  }

  /** @param {{key: string}} key whose text arrives @returns {boolean} whether the key was not read already */
  isNew({ key }) {
    return key !== "Enter" && key !== this.spoken;
  }

  /**
   * @param {Field} field
   * @param {string} text
   * @param {number} nowMs
   * @returns {boolean} whether the text belongs to a scan and must not be entered into the field
   */
  take(field, text, nowMs) {
    const repeats = text !== "" && text === this.spoken;
    this.spoken = "";
    return !repeats && this.read(field, text, nowMs, field.value);
  }

  /** @param {Field} field in which a composition starts */
  begin(field) {
    this.before = field.value;
  }

  /**
   * @param {Field} field
   * @param {string} text composed, which is already in the field
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
