/**
 * What proves a person's passes to the server.
 *
 * Every place of the book of every day that is still known is named, used or not: a key that was brought back on a new
 * phone finds its visits again, and the number of names says nothing about the number of passes.
 *
 * @typedef {import("./epoch.js").Epoch} Epoch
 * @typedef {import("../stores/visitor.js").KeptPass} KeptPass
 * @typedef {import("../stores/visitor.js").Person} Person
 */
import { deriveOwners } from "./book.js";
import { toBase64Url } from "./bytes.js";
import { PASSES_PER_EPOCH } from "./epoch.js";
import { deriveKeys } from "./secret.js";

/** The number of owners that the API accepts at once. */
export const MOST_OWNERS = 1000;
const PLACES = Array.from({ length: PASSES_PER_EPOCH }, (_, index) => index);

/**
 * @param {Person} person
 * @param {Epoch[]} epochs that the server may still know
 * @param {KeptPass[]} kept for passes of a former secret
 * @returns {Promise<string[]>} base64url, as the API takes them
 */
export async function ownersOf(person, epochs, kept) {
  const { pass: passKey } = await deriveKeys(person.secret);
  const own = await Promise.all(epochs.map(({ start }) => deriveOwners(passKey, start, PLACES)));
  const former = await Promise.all(kept.flatMap((pass) => (pass.passKey ? [deriveOwners(pass.passKey, pass.epochStart, [pass.index])] : [])));
  return [...former, ...own].flat().map(toBase64Url).slice(0, MOST_OWNERS);
}

/** @param {Person} person @param {KeptPass} kept @returns {Promise<string>} what proves this one pass */
export async function ownerOf(person, kept) {
  const passKey = kept.passKey ?? (await deriveKeys(person.secret)).pass;
  const [owner] = await deriveOwners(passKey, kept.epochStart, [kept.index]);
  return toBase64Url(owner ?? new Uint8Array());
}
