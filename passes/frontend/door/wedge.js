/**
 * USB scanners that type like a keyboard.
 *
 * They type as if the keyboard were a US one, whatever layout the computer has, so keys are read by their place
 * (`event.code`). A text ends with Enter; some scanners send none, so a whole code followed by quiet ends as well. A gap
 * between keys is never a reason to drop a text: slow scanners and slow computers have many.
 */
import { PREFIX } from "../core/pass.js";

const QUIET_MS = 300;
/** Quiet means several times longer than the gaps within the text, for scanners that type slowly. */
const QUIET_GAPS = 3;
const LONGEST_TEXT = 400;
/** Lengths of a whole code on paper and on a screen. */
const WHOLE = new Set([172, 199]);

/** @type {Record<string, [plain: string, shifted: string]>} */
const MARKS = {
  Space: [" ", " "],
  Minus: ["-", "_"],
  Equal: ["=", "+"],
  Period: [".", ">"],
  Slash: ["/", "?"],
  Semicolon: [";", ":"],
  NumpadAdd: ["+", "+"],
  NumpadSubtract: ["-", "-"],
  NumpadMultiply: ["*", "*"],
  NumpadDivide: ["/", "/"],
  NumpadDecimal: [".", "."],
};
const SHIFTED_DIGITS = ")!@#$%^&*(";

/** @param {{code: string, shiftKey: boolean}} event @returns {string} the character, empty for other keys */
export function typedMark({ code, shiftKey }) {
  if (/^Key[A-Z]$/.test(code)) return code.slice(3);
  if (/^Numpad\d$/.test(code)) return code.slice(6);
  if (/^Digit\d$/.test(code)) return shiftKey ? (SHIFTED_DIGITS[Number(code.slice(5))] ?? "") : code.slice(5);
  return MARKS[code]?.[shiftKey ? 1 : 0] ?? "";
}

export class Wedge {
  /** @param {(text: string) => void} onText */
  constructor(onText) {
    this.onText = onText;
    this.text = "";
    this.lastMs = 0;
    this.longestGapMs = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
  }

  /**
   * @param {{code: string, shiftKey: boolean}} event
   * @param {number} nowMs
   * @returns {boolean} whether the key belongs to a scan and must do nothing else
   */
  press(event, nowMs) {
    if (event.code === "Enter" || event.code === "NumpadEnter") {
      const pending = this.text.length > 0;
      this.finish();
      return pending;
    }
    const mark = typedMark(event);
    if (mark === "") return false;
    if (this.text.length > 0) this.longestGapMs = Math.max(this.longestGapMs, nowMs - this.lastMs);
    this.lastMs = nowMs;
    this.text = (this.text + mark).slice(-LONGEST_TEXT);
    clearTimeout(this.timer);
    if (WHOLE.has(this.candidate().length)) this.timer = setTimeout(() => this.finish(), Math.max(QUIET_MS, QUIET_GAPS * this.longestGapMs));
    return true;
  }

  /** @returns {string} the last text that begins like a code; all of it when it is whole or holds none */
  candidate() {
    const from = WHOLE.has(this.text.length) && this.text.startsWith(PREFIX) ? 0 : this.text.lastIndexOf(PREFIX);
    return from > 0 ? this.text.slice(from) : this.text;
  }

  finish() {
    clearTimeout(this.timer);
    const text = this.candidate();
    this.text = "";
    this.longestGapMs = 0;
    if (text.length > 0) this.onText(text);
  }
}
