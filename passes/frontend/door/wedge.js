/**
 * USB scanners that type like a keyboard.
 *
 * Every key is read twice: by its position on a US keyboard (`event.code`), which is right for a scanner with factory
 * settings on a computer of any layout; and by its character (`event.key`), which is right for a scanner set to the
 * computer's layout, and for keys without a position, as on Android. Of the two texts, the one with the format of a pass
 * is used.
 *
 * A text ends with Enter or Tab. Some scanners send neither, so a whole code also ends with a pause or with the start of
 * another code. A gap between keys is never a reason to discard a text: slow scanners and slow computers have many.
 */
import { parseCredential, PREFIX } from "../core/pass.js";

/** @typedef {{code?: string, key?: string, shiftKey: boolean}} Key */

const QUIET_MS = 300;
/** Pause after a paper code. It is longer, since a screen's code begins like a paper code. */
const PAPER_QUIET_MS = 900;
/** Factor between a pause and the longest gap within the text, for scanners that type slowly. */
const QUIET_GAPS = 3;
/** Longest gap of any scanner: a longer one separates two texts. */
const LONGEST_GAP_MS = 1000;
/** Time for which an end that a slow computer delivers after the pause still belongs to the text. */
const LATE_END_MS = 1000;
/** Some scanners end a text with two keys, such as Enter twice for CR and LF, or Enter and Tab: faster than any person. */
const SECOND_END_MS = 50;
const LONGEST_TEXT = 400;
/** Lengths of a whole code on paper and on a screen. */
const PAPER_LENGTH = 172;
const WHOLE = new Set([PAPER_LENGTH, 199]);
/** Number of characters that a scanner may add after a code. */
const LONGEST_SUFFIX = 4;
const ENDS = new Set(["Enter", "NumpadEnter", "Tab"]);

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

/** @param {Key} key @returns {string} the character at this position of a US keyboard; empty for other keys */
export function markByPlace({ code = "", shiftKey }) {
  if (/^Key[A-Z]$/.test(code)) return code.slice(3);
  if (/^Numpad\d$/.test(code)) return code.slice(6);
  if (/^Digit\d$/.test(code)) return shiftKey ? (SHIFTED_DIGITS[Number(code.slice(5))] ?? "") : code.slice(5);
  return MARKS[code]?.[shiftKey ? 1 : 0] ?? "";
}

/** @param {Key} key @returns {string} the character of the key in the computer's layout, in upper case */
export function markByLayout({ key = "" }) {
  if ([...key].length !== 1) return "";
  return (/[\u3000\uFF01-\uFF5E]/.test(key) ? key.normalize("NFKC") : key).toUpperCase(); // full-width characters of input methods
}

/**
 * @param {{ctrlKey: boolean, altKey: boolean, metaKey: boolean, code?: string}} key
 * @returns {boolean} whether a scanner ends a line with it: Ctrl+J (line feed) and Ctrl+M
 */
export function isLineEnd({ ctrlKey, altKey, metaKey, code = "" }) {
  return ctrlKey && !altKey && !metaKey && (code === "KeyJ" || code === "KeyM");
}

/** @param {Key} key @returns {boolean} whether a scanner ends its text with it */
function isEnd({ code = "", key = "" }) {
  return ENDS.has(code) || ENDS.has(key);
}

export class Wedge {
  /** @param {(text: string) => void} onText */
  constructor(onText) {
    this.onText = onText;
    this.lastMs = 0;
    this.longestGapMs = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    this.readings = ["", ""];
    this.endedByQuiet = false;
    /** When a key last ended a text. */
    this.endedMs = -Infinity;
  }

  /**
   * @param {Key} key
   * @param {number} nowMs
   * @returns {boolean} whether the key belongs to a scan and must have no other effect
   */
  press(key, nowMs) {
    if (isEnd(key)) {
      const belongs = this.isReading() || this.isLateEnd(key, nowMs);
      this.finish();
      if (belongs) this.endedMs = nowMs;
      return belongs;
    }
    const marks = [markByPlace(key), markByLayout(key)];
    if (marks.every((mark) => mark === "")) return false;
    this.endedByQuiet = false;
    if (this.isReading()) this.longestGapMs = Math.max(this.longestGapMs, Math.min(nowMs - this.lastMs, LONGEST_GAP_MS));
    this.lastMs = nowMs;
    this.readings = this.readings.map((text, at) => (text + marks[at]).slice(-LONGEST_TEXT));
    this.splitOff();
    clearTimeout(this.timer);
    const { length } = this.candidate();
    const quietMs = length === PAPER_LENGTH ? PAPER_QUIET_MS : QUIET_MS;
    if (WHOLE.has(length)) this.timer = setTimeout(() => this.rest(), Math.max(quietMs, QUIET_GAPS * this.longestGapMs));
    return true;
  }

  /** @returns {boolean} whether keys are waiting for the end of their text */
  isReading() {
    return this.readings.some((text) => text.length > 0);
  }

  /** @returns {boolean} whether these keys contain the beginning of a code */
  holdsCode() {
    return this.readings.some((text) => text.includes(PREFIX));
  }

  /** Report a whole code as soon as another one begins right after it. */
  splitOff() {
    for (const text of this.readings) {
      const next = text.lastIndexOf(PREFIX);
      if (next <= 0 || next + PREFIX.length !== text.length) continue;
      const former = lastCode(text.slice(0, next));
      if (!WHOLE.has(former.length) || !former.startsWith(PREFIX)) continue;
      this.readings = this.readings.map((reading) => reading.slice(-PREFIX.length));
      this.onText(former);
      return;
    }
  }

  /** @returns {string} of the two texts, the one that is a pass, or else the one more similar to a pass */
  candidate() {
    const texts = this.readings.map(lastCode);
    const parses = texts.flatMap(withoutSuffix).find((text) => parseCredential(text) !== null);
    return parses ?? texts.find((text) => text.startsWith(PREFIX)) ?? texts.find((text) => text.length > 0) ?? "";
  }

  rest() {
    this.finish();
    this.endedByQuiet = true;
  }

  /**
   * @param {Key} key of any kind: the first one after a text that ended with a pause shows whether its end is still to come
   * @param {number} nowMs
   * @returns {boolean} whether the key is that end
   */
  isLateEnd(key, nowMs) {
    if (!isEnd(key) && markByPlace(key) === "" && markByLayout(key) === "") return false; // Shift and other modifiers
    const late = this.endedByQuiet && nowMs - this.lastMs < LATE_END_MS;
    const sinceEnd = nowMs - this.endedMs;
    const second = sinceEnd >= 0 && sinceEnd < SECOND_END_MS;
    this.endedByQuiet = false;
    return isEnd(key) && (late || second);
  }

  finish() {
    this.endedByQuiet = false;
    clearTimeout(this.timer);
    const text = this.candidate();
    this.readings = ["", ""];
    this.longestGapMs = 0;
    if (text.length > 0) this.onText(text);
  }
}

/**
 * Remove a suffix that some scanners add to every code, only a few characters long: a screen's code that was truncated
 * must not be taken for the paper code that it begins with.
 *
 * @param {string} text
 * @returns {string[]} the text if it has the length of a code, and the code before a short suffix
 */
function withoutSuffix(text) {
  return Array.from(WHOLE).filter((length) => length <= text.length && text.length <= length + LONGEST_SUFFIX).map((length) => text.slice(0, length));
}

/** @param {string} text @returns {string} the last text that begins like a code; the whole text if it is a code or has none */
function lastCode(text) {
  const from = WHOLE.has(text.length) && text.startsWith(PREFIX) ? 0 : text.lastIndexOf(PREFIX);
  return from > 0 ? text.slice(from) : text;
}
