/** Text that an input method commits: by one event, letter by letter, or at the end of composing. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { CommittedText, committedText } from "../../passes/frontend/door/committed.js";
import { FieldGuard } from "../../passes/frontend/door/field_guard.js";
import { Wedge } from "../../passes/frontend/door/wedge.js";
import { passVectors } from "./vectors.mjs";

const { rotating, credential } = passVectors[0];

/** A field like the page's. */
function fieldOf(value) {
  const field = { value, changes: 0, dispatchEvent: () => (field.changes += 1) };
  return field;
}

function door() {
  const texts = [];
  const wedge = new Wedge((text) => texts.push(text));
  const sink = fieldOf("");
  return { texts, wedge, sink, committed: new CommittedText({ wedge, guard: new FieldGuard(wedge), sink }) };
}

/** Commit a text as the page does: what is not handled is put into the field. */
function commit({ committed }, field, text, at) {
  if (!committed.take(field, text, at)) field.value += text;
}

test("text that is committed at once is distinguished from text that is still composed", () => {
  const input = (change) => ({ inputType: "insertText", data: "A", isComposing: false, ...change });
  assert.equal(committedText(input({})), "A");
  assert.equal(committedText(input({ inputType: "insertFromPaste", data: null }), "GO1:"), "GO1:");
  assert.equal(committedText(input({ inputType: "insertLineBreak", data: null })), "\n");
  for (const change of [{ inputType: "insertCompositionText" }, { inputType: "insertFromComposition" }, { inputType: "deleteContentBackward", data: null }, { isComposing: true }]) {
    assert.equal(committedText(input(change)), "");
  }
});

test("a whole code is read from one commit, with its end and without", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  for (const end of ["\n", "\r\n", "\t", ""]) {
    const at = door();
    commit(at, at.sink, rotating + end, 0);
    context.mock.timers.tick(300);
    assert.deepEqual(at.texts, [rotating], JSON.stringify(end));
    assert.equal(at.sink.value, "");
  }
});

test("a code is read letter by letter, in pieces, and after a composition", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const letters = door();
  [...credential].forEach((mark, at) => commit(letters, letters.sink, mark, at));
  const pieces = door();
  for (let from = 0; from < rotating.length; from += 30) commit(pieces, pieces.sink, rotating.slice(from, from + 30), from);
  const composed = door();
  composed.committed.begin(composed.sink);
  composed.sink.value = rotating;
  composed.committed.end(composed.sink, rotating, 0);
  context.mock.timers.tick(900);
  assert.deepEqual([letters.texts, pieces.texts, composed.texts], [[credential], [rotating], [rotating]]);
  assert.equal(composed.sink.value, "");
});

test("a code that is committed into a field leaves it as it was", () => {
  for (const text of [`${rotating}\n`, `]Q1${rotating}\n`]) {
    const at = door();
    const field = fieldOf("98.");
    commit(at, field, text, 0);
    assert.deepEqual([at.texts, field.value], [[rotating], "98."]);
    at.committed.begin(field);
    field.value = `98.${text}`;
    at.committed.end(field, text, 10);
    assert.deepEqual([at.texts, field.value], [[rotating, rotating], "98."]);
  }
});

test("what people commit to a field stays there", () => {
  const at = door();
  const field = fieldOf("");
  for (const mark of "38.5") commit(at, field, mark, 0);
  at.committed.begin(field);
  field.value = "38.5 Anna";
  at.committed.end(field, " Anna", 10);
  commit(at, field, "\n", 20);
  assert.deepEqual([at.texts, field.value], [[], "38.5 Anna\n"]);
});

test("a key that was read is not read again as text", () => {
  const at = door();
  for (const mark of "GO1") {
    at.committed.pressed({ key: mark });
    at.wedge.press({ key: mark, code: "", shiftKey: false }, 0);
    assert.equal(at.committed.take(at.sink, mark, 0), false);
  }
  assert.deepEqual(at.wedge.readings, ["", "GO1"]);
  at.committed.pressed({ key: "Unidentified" });
  assert.equal(at.committed.take(at.sink, ":", 0), true);
});
