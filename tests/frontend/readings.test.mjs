/** What staff type for a reading; the server's range is the same (`tests/passes/test_limits.py`). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { OXYGEN_RANGE, readOxygen, readTemperature, TEMPERATURE_RANGE_F } from "../../passes/frontend/door/readings.js";
import { readData } from "./vectors.mjs";

test("the ranges are the server's", () => {
  const limits = readData("limits.json");
  assert.deepEqual([...TEMPERATURE_RANGE_F], limits.TEMPERATURE_RANGE_F);
  assert.deepEqual([...OXYGEN_RANGE], limits.OXYGEN_RANGE);
});

test("a temperature is read with a point or a comma, in the deployment's unit", () => {
  for (const [text, unit, degrees] of [["98.6", "F", 98.6], [" 98,6 ", "F", 98.6], ["101", "F", 101], ["37", "C", 98.6], ["38,0", "C", 100.4], ["36.55", "C", 97.79], ["９８．６", "F", 98.6], ["３６，６", "C", 97.88]]) {
    assert.equal(readTemperature(text, unit), degrees, text);
  }
});

test("a fever in the other unit, a slip and a word are no readings", () => {
  for (const text of ["39.5", "37", "985", "9.86", "", " ", "-98", "1e2", "0x62", "98.6.1", "98.655", "ok", "9 8", "٩٨", "１０００", "９８－"]) {
    assert.equal(readTemperature(text, "F"), null, text);
  }
  for (const text of ["98.6", "101", "3.7", "375", "0"]) assert.equal(readTemperature(text, "C"), null, text);
});

test("oxygen is a share in percent", () => {
  for (const [text, percent] of [["97", 97], ["0", 0], ["100", 100], ["97,5", 97.5], ["１００", 100]]) assert.equal(readOxygen(text), percent);
  for (const text of ["970", "101", "100.1", "97%", "-1", ""]) assert.equal(readOxygen(text), null, text);
});
