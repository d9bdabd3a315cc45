import assert from "node:assert/strict";
import { test } from "node:test";
import { endsNextDay, readLine, writeLine } from "../../venues/frontend/hours.js";

test("a line of hours is read as pickers show it, and written as it was", () => {
  for (const line of ["", "09:00-17:00", "09:00-12:00, 14:00-18:00", "00:00-24:00", "17:00-24:00", "17:00-01:00"]) {
    assert.equal(writeLine(/** @type {any} */ (readLine(line))), line);
  }
  assert.deepEqual(readLine("9-12"), [{ opens: "09:00", closes: "12:00" }]);
});

test("what pickers cannot show stays a line", () => {
  for (const line of ["10:00-12:00 +1", "from nine", "25:00-26:00", "09:60-10:00", "24:00-25:00"]) assert.equal(readLine(line), null, line);
});

test("a span whose second time is not after its first ends on the next day", () => {
  assert.equal(endsNextDay({ opens: "17:00", closes: "01:00" }), true);
  assert.equal(endsNextDay({ opens: "00:00", closes: "00:00" }), false);
  assert.equal(endsNextDay({ opens: "09:00", closes: "" }), false);
});

test("what is half filled in is not sent", () => {
  assert.equal(writeLine([{ opens: "09:00", closes: "" }, { opens: "10:00", closes: "11:00" }]), "10:00-11:00");
});
