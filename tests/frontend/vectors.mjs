/** Vectors made by independent implementations, read from `tests/data`. */
import { readFileSync } from "node:fs";
import { fromHex } from "../../passes/frontend/core/bytes.js";

/** @param {string} path below `tests/data` */
export function readData(path) {
  return JSON.parse(readFileSync(new URL(`../data/${path}`, import.meta.url), "utf8"));
}

export const passVectors = readData("pass_vectors.json");

/** @param {string} text @returns {Uint8Array} */
export const hex = fromHex;
