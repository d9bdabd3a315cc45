import assert from "node:assert/strict";
import { test } from "node:test";
import { FieldGuard } from "../../passes/frontend/door/field_guard.js";
import { isLineEnd, markByPlace, Wedge } from "../../passes/frontend/door/wedge.js";
import { shuffled } from "../../passes/frontend/door/random.js";
import { readEnrolment } from "../../passes/frontend/door/link.js";
import { passVectors } from "./vectors.mjs";

const SHIFTED = { $: "Digit4", "%": "Digit5", "*": "Digit8", "+": "Equal", ":": "Semicolon" };
const PLAIN = { " ": "Space", "-": "Minus", ".": "Period", "/": "Slash" };

/** Return the key that a scanner presses for a character of Base45. */
function keyOf(mark) {
  if (/[A-Z]/.test(mark)) return { code: `Key${mark}`, shiftKey: true };
  if (/\d/.test(mark)) return { code: `Digit${mark}`, shiftKey: false };
  return SHIFTED[mark] ? { code: SHIFTED[mark], shiftKey: true } : { code: PLAIN[mark], shiftKey: false };
}

/** Type a text with a gap between keys, on the test's clock. */
function type(wedge, text, { gapMs, from = 0 }) {
  [...text].forEach((mark, at) => wedge.press(keyOf(mark), from + at * gapMs));
}

const enter = { code: "Enter", shiftKey: false };
const { rotating, credential } = passVectors[0];

test("every mark of a code is read by the place of its key", () => {
  for (const mark of "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:") assert.equal(markByPlace(keyOf(mark)), mark);
  for (const code of ["ShiftLeft", "F5", "Tab", "ArrowUp", ""]) assert.equal(markByPlace({ code, shiftKey: false }), "");
});

test("a code that ends with Enter is read, typed fast or slowly", () => {
  for (const gapMs of [1, 40, 700]) {
    const texts = [];
    const wedge = new Wedge((text) => texts.push(text));
    type(wedge, rotating, { gapMs });
    assert.equal(wedge.press(enter, 1e6), true);
    assert.deepEqual(texts, [rotating], `${gapMs} ms`);
  }
});

test("a code without Enter ends after quiet, and not before the text is whole", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const texts = [];
  const wedge = new Wedge((text) => texts.push(text));
  type(wedge, credential.slice(0, 100), { gapMs: 1 });
  context.mock.timers.tick(5000);
  assert.deepEqual(texts, [], "half a code waits for the rest");
  wedge.readings = ["", ""];
  for (const [code, quietMs] of [[rotating, 300], [credential, 900]]) {
    wedge.longestGapMs = 0;
    texts.length = 0;
    type(wedge, code, { gapMs: 1, from: 10_000 });
    context.mock.timers.tick(quietMs - 1);
    assert.deepEqual(texts, []);
    context.mock.timers.tick(1);
    assert.deepEqual(texts, [code]);
  }
});

test("a screen's code with a pause anywhere is one code", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  for (let cut = 1; cut < rotating.length; cut += 1) {
    const texts = [];
    const wedge = new Wedge((text) => texts.push(text));
    type(wedge, rotating.slice(0, cut), { gapMs: 1 });
    context.mock.timers.tick(800);
    type(wedge, rotating.slice(cut), { gapMs: 1, from: 1000 });
    wedge.press(enter, 1300);
    assert.deepEqual(texts, [rotating], `${cut}`);
  }
});

test("what was pressed long before a code does not hold it up", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  for (const before of ["X", credential.slice(0, 60)]) {
    const texts = [];
    const wedge = new Wedge((text) => texts.push(text));
    type(wedge, before, { gapMs: 1 });
    type(wedge, rotating, { gapMs: 1, from: 600_000 });
    context.mock.timers.tick(3000);
    assert.deepEqual(texts, [rotating]);
  }
});

test("a slow scanner's long code is not cut where a short one would end", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const texts = [];
  const wedge = new Wedge((text) => texts.push(text));
  [...rotating].forEach((mark, at) => {
    wedge.press(keyOf(mark), at * 400);
    context.mock.timers.tick(400);
  });
  assert.deepEqual(texts, []);
  context.mock.timers.tick(1200);
  assert.deepEqual(texts, [rotating]);
});

test("keys pressed before a code do not spoil it", () => {
  const texts = [];
  const wedge = new Wedge((text) => texts.push(text));
  type(wedge, `XY ${rotating.slice(0, 50)}${rotating}`, { gapMs: 1 });
  wedge.press(enter, 1e6);
  assert.deepEqual(texts, [rotating]);
});

test("a text that is no code is handed on to be declined, Enter alone is not", () => {
  const texts = [];
  const wedge = new Wedge((text) => texts.push(text));
  assert.equal(wedge.press(enter, 0), false);
  type(wedge, "HELLO", { gapMs: 1 });
  wedge.press(enter, 10);
  assert.deepEqual(texts, ["HELLO"]);
});

/** Keys of layouts that scanners may be set to: the position of a key, and its character. */
const GERMAN = { ":": ["Period", true], "/": ["Digit7", true], "*": ["BracketRight", true], "+": ["BracketRight", false], "-": ["Slash", false], "$": ["Digit4", true], "%": ["Digit5", true], ".": ["Period", false], " ": ["Space", false], Y: ["KeyZ", true], Z: ["KeyY", true] };
const FRENCH = { ":": ["Period", false], "/": ["Period", true], "*": ["Backslash", false], "+": ["Equal", true], "-": ["Digit6", false], "$": ["BracketRight", false], "%": ["Quote", true], ".": ["Comma", true], " ": ["Space", false], A: ["KeyQ", true], Q: ["KeyA", true], Z: ["KeyW", true], W: ["KeyZ", true], M: ["Semicolon", true] };
const keyOfLayout = (layout, shiftedDigits) => (mark) => {
  const [code, shiftKey] = layout[mark] ?? (/\d/.test(mark) ? [`Digit${mark}`, shiftedDigits] : [`Key${mark}`, true]);
  return { code, shiftKey, key: mark };
};

test("a scanner that is set to the host's layout is read", () => {
  for (const press of [keyOfLayout(GERMAN, false), keyOfLayout(FRENCH, true)]) {
    const texts = [];
    const wedge = new Wedge((text) => texts.push(text));
    [...rotating].forEach((mark, at) => wedge.press(press(mark), at));
    wedge.press({ ...enter, key: "Enter" }, 1e6);
    assert.deepEqual(texts, [rotating]);
  }
});

test("a scanner with factory settings is read on a German host, whose characters are wrong", () => {
  const wrong = { ":": "Ö", Y: "Z", Z: "Y", "-": "ß", "/": "-", "*": "(", "+": "\u0301" };
  const texts = [];
  const wedge = new Wedge((text) => texts.push(text));
  [...rotating].forEach((mark, at) => wedge.press({ ...keyOf(mark), key: wrong[mark] ?? mark }, at));
  wedge.press({ ...enter, key: "Enter" }, 1e6);
  assert.deepEqual(texts, [rotating]);
});

test("keys without a place are read by their character, and Enter is known by its name", () => {
  for (const code of ["", "Unidentified"]) {
    const texts = [];
    const wedge = new Wedge((text) => texts.push(text));
    [...rotating].forEach((mark, at) => wedge.press({ code, key: mark, shiftKey: false }, at));
    assert.equal(wedge.press({ code, key: "Enter", shiftKey: false }, 1e6), true);
    assert.deepEqual(texts, [rotating]);
  }
});

test("a tabulator ends a text like Enter", () => {
  const texts = [];
  const wedge = new Wedge((text) => texts.push(text));
  type(wedge, rotating, { gapMs: 1 });
  assert.equal(wedge.press({ code: "Tab", key: "Tab", shiftKey: false }, 1e6), true);
  assert.equal(wedge.press({ code: "Tab", key: "Tab", shiftKey: false }, 1e6 + 100), false, "alone it moves the focus");
  assert.deepEqual(texts, [rotating]);
});

test("the end of a text that comes after the quiet belongs to it, and any later one does not", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const shift = { code: "ShiftLeft", key: "Shift", shiftKey: true };
  for (const [between, after, taken] of [[[], 700, true], [[shift], 700, true], [[], 1500, false], [[keyOf("7")], 700, false]]) {
    for (const inField of [false, true]) {
      const texts = [];
      const wedge = new Wedge((text) => texts.push(text));
      const guard = new FieldGuard(wedge);
      const field = fieldOf("");
      const press = (key, at) => (inField ? guard.press(field, key, at) : wedge.press(key, at));
      [...rotating].forEach((mark, at) => press({ ...keyOf(mark), key: mark }, at));
      context.mock.timers.tick(600);
      for (const key of between) press(key, rotating.length + 650);
      if (between.length && !inField && between[0] !== shift) wedge.readings = ["", ""]; // what a person typed is not a scan
      assert.equal(press({ ...enter, key: "Enter" }, rotating.length + after), taken);
      assert.equal(press({ ...enter, key: "Enter" }, rotating.length + after + 200), false, "a person's");
      assert.deepEqual(texts, [rotating]);
    }
  }
});

test("two keys that end a text press nothing and move no focus", () => {
  const [tab, shift] = ["Tab", "Shift"].map((name) => ({ code: name, key: name, shiftKey: false }));
  for (const [first, second] of [[enter, enter], [enter, tab], [tab, enter]]) {
    for (const inField of [false, true]) {
      const texts = [];
      const wedge = new Wedge((text) => texts.push(text));
      const guard = new FieldGuard(wedge);
      const field = fieldOf("");
      const press = (key, at) => (inField ? guard.press(field, key, at) : wedge.press(key, at));
      [...rotating].forEach((mark, at) => press({ ...keyOf(mark), key: mark }, at));
      assert.deepEqual([first, shift, second].map((key, at) => press(key, 1000 + at * 20)), [true, false, true]);
      assert.equal(press(enter, 1200), false, "a person's");
      assert.deepEqual(texts, [rotating]);
    }
  }
});

test("two codes one right after the other are two codes", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  for (const [first, second] of [[rotating, passVectors[1].rotating], [credential, rotating], [rotating, credential]]) {
    const texts = [];
    const wedge = new Wedge((text) => texts.push(text));
    type(wedge, first + second, { gapMs: 1 });
    context.mock.timers.tick(900);
    assert.deepEqual(texts, [first, second]);
  }
});

/** A field like the page's: keys that nobody handles change its value. */
function fieldOf(value) {
  const field = { value, changes: 0, dispatchEvent: () => (field.changes += 1) };
  return field;
}

test("a code that is typed into a field is caught, and the field is as it was", () => {
  const texts = [];
  const wedge = new Wedge((text) => texts.push(text));
  const guard = new FieldGuard(wedge);
  const field = fieldOf("98.");
  [...rotating].forEach((mark, at) => {
    const key = { ...keyOf(mark), key: mark };
    guard.press(field, { code: "ShiftLeft", key: "Shift", shiftKey: true }, at);
    if (!guard.press(field, key, at)) field.value += mark;
  });
  assert.equal(guard.press(field, { ...enter, key: "Enter" }, 1e6), true);
  assert.deepEqual(texts, [rotating]);
  assert.equal(field.value, "98.");
  assert.equal(field.changes, 1, "what acted on the field acts on its old value");
});

test("marks that a scanner types before a code leave nothing in the field, what people typed before stays", () => {
  const texts = [];
  const guard = new FieldGuard(new Wedge((text) => texts.push(text)));
  const field = fieldOf("");
  const press = (mark, at) => guard.press(field, { ...(/[\]]/.test(mark) ? { code: "BracketRight", shiftKey: false } : keyOf(mark)), key: mark }, at) || (field.value += mark);
  [..."38.1"].forEach((mark, at) => press(mark, at * 150));
  [...`]Q1${rotating}`].forEach((mark, at) => press(mark, 1000 + at * 5));
  guard.press(field, { ...enter, key: "Enter" }, 1e6);
  assert.deepEqual(texts, [rotating]);
  assert.equal(field.value, "38.1");
});

test("a few marks after a code are taken off, with and without Enter", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  for (const code of [credential, rotating]) {
    const texts = [];
    const wedge = new Wedge((text) => texts.push(text));
    type(wedge, `${code}X1`, { gapMs: 1 });
    wedge.press(enter, 1e6);
    type(wedge, `${code}X1`, { gapMs: 1 });
    context.mock.timers.tick(900);
    assert.deepEqual(texts, [code, code]);
  }
});

test("a screen's code that was cut is not taken for the paper code that it begins with", () => {
  const texts = [];
  const wedge = new Wedge((text) => texts.push(text));
  type(wedge, rotating.slice(0, 190), { gapMs: 1 });
  wedge.press(enter, 1e6);
  assert.deepEqual(texts, [rotating.slice(0, 190)]);
});

test("the control characters that end a line are known, shortcuts of people are not", () => {
  const key = (code, more = {}) => ({ code, ctrlKey: true, altKey: false, metaKey: false, ...more });
  assert.deepEqual([key("KeyJ"), key("KeyM")].map(isLineEnd), [true, true]);
  assert.deepEqual([key("KeyR"), key("KeyJ", { ctrlKey: false }), key("KeyJ", { altKey: true }), key("KeyJ", { metaKey: true })].map(isLineEnd), [false, false, false, false]);
});

test("what people type into a field stays there", () => {
  const texts = [];
  const guard = new FieldGuard(new Wedge((text) => texts.push(text)));
  const field = fieldOf("");
  for (const mark of "GO 101.5") assert.equal(guard.press(field, { ...keyOf(mark), key: mark }, 0), false);
  assert.equal(guard.press(field, { ...enter, key: "Enter" }, 1), false);
  assert.deepEqual(texts, []);
});

test("a shuffle keeps every item and moves each to every place", () => {
  const seen = [0, 1, 2].map(() => new Set());
  for (let round = 0; round < 400; round += 1) {
    const mixed = shuffled(["a", "b", "c"]);
    assert.deepEqual([...mixed].sort(), ["a", "b", "c"]);
    mixed.forEach((item, at) => seen[at].add(item));
  }
  assert.deepEqual(seen.map((items) => items.size), [3, 3, 3]);
});

test("an enrolment code is read from its address or as it is typed", () => {
  for (const text of ["https://crowd.example/kiosk#7h3kq2m4xz0a", " 7H3K-Q2M4-XZ0A ", "7h3k q2m4 xz0a"]) {
    assert.equal(readEnrolment(text)?.toLowerCase(), "7h3kq2m4xz0a", text);
  }
});

test("a pass, the code of a key and of a place are no enrolment codes, and are not sent", () => {
  const key = "A".repeat(43);
  for (const text of [rotating, credential, `https://crowd.example/me#${key}`, key, `https://crowd.example/me#part.${key}`, "https://crowd.example/check-in/v_7h3kq2m4xz", "", "ABC-123"]) {
    assert.equal(readEnrolment(text), null, text);
  }
});
