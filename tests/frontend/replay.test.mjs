/** P7 at the door: what a kiosk remembers of a pass is deleted when the pass ends, with and without a network. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ReplayBook } from "../../passes/frontend/door/replay.js";

test("a row of the replay set goes when its pass ends, and not before", () => {
  const book = new ReplayBook(new Uint8Array(32));
  const end = 2000;
  book.remember({ ...book.recall(new Uint8Array(16), end), lastIn: 5 });
  assert.deepEqual(book.forget(end - 1), []);
  assert.equal(book.forget(end).length, 1);
  assert.equal(book.rows.size, 0);
});
