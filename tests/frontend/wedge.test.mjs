import assert from "node:assert/strict";
import { test } from "node:test";
import { typedMark, Wedge } from "../../passes/frontend/door/wedge.js";
import { shuffled } from "../../passes/frontend/door/random.js";
import { readEnrolment } from "../../passes/frontend/door/link.js";
import { passVectors } from "./vectors.mjs";

const SHIFTED = { $: "Digit4", "%": "Digit5", "*": "Digit8", "+": "Equal", ":": "Semicolon" };
const PLAIN = { " ": "Space", "-": "Minus", ".": "Period", "/": "Slash" };

/** The key that a scanner presses for a mark of Base45. */
function keyOf(mark) {
  if (/[A-Z]/.test(mark)) return { code: `Key${mark}`, shiftKey: true };
  if (/\d/.test(mark)) return { code: `Digit${mark}`, shiftKey: false };
  return SHIFTED[mark] ? { code: SHIFTED[mark], shiftKey: true } : { code: PLAIN[mark], shiftKey: false };
}

/** Types a text with a gap between keys, on the clock of the test. */
function type(wedge, text, { gapMs, from = 0 }) {
  [...text].forEach((mark, at) => wedge.press(keyOf(mark), from + at * gapMs));
}

const enter = { code: "Enter", shiftKey: false };
const { rotating, credential } = passVectors[0];

test("every mark of a code is read by the place of its key", () => {
  for (const mark of "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:") assert.equal(typedMark(keyOf(mark)), mark);
  for (const code of ["ShiftLeft", "F5", "Tab", "ArrowUp", ""]) assert.equal(typedMark({ code, shiftKey: false }), "");
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
  wedge.text = "";
  wedge.longestGapMs = 0;
  type(wedge, credential, { gapMs: 1, from: 10_000 });
  context.mock.timers.tick(299);
  assert.deepEqual(texts, []);
  context.mock.timers.tick(1);
  assert.deepEqual(texts, [credential]);
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
  assert.equal(readEnrolment("https://crowd.example/kiosk#ABC-123"), "ABC-123");
  assert.equal(readEnrolment(" ABC-123 "), "ABC-123");
});
