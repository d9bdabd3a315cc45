/**
 * Owners, which prove a person's passes to the server.
 *
 * Every index of the book of every retained day is sent, used or not: a key that was restored on a new phone finds its
 * visits again, and the number of owners reveals nothing about the number of passes.
 *
 * @typedef {import("./epoch.js").Epoch} Epoch
 * @typedef {import("../stores/visitor.js").KeptPass} KeptPass
 * @typedef {import("../stores/visitor.js").Person} Person
 */
import { deriveOwners } from "./book.js";
import { toBase64Url } from "./bytes.js";
import { PASSES_PER_EPOCH } from "./epoch.js";
import { deriveKeys } from "./secret.js";

/** Number of owners that the API accepts per request. */
export const MOST_OWNERS = 1000;
const PLACES = Array.from({ length: PASSES_PER_EPOCH }, (_, index) => index);

/**
 * @param {Person} person
 * @param {Epoch[]} epochs that the server may have retained
 * @param {KeptPass[]} kept for passes of a former secret
 * @returns {Promise<string[]>} base64url, as the API accepts them
 */
export async function ownersOf(person, epochs, kept) {
  const { pass: passKey } = await deriveKeys(person.secret);
  const own = await Promise.all(epochs.map(({ start }) => deriveOwners(passKey, start, PLACES)));
  const former = await Promise.all(kept.flatMap((pass) => (pass.passKey ? [deriveOwners(pass.passKey, pass.epochStart, [pass.index])] : [])));
  return [...former, ...own].flat().map(toBase64Url).slice(0, MOST_OWNERS);
}

/** @param {Person} person @param {KeptPass} kept @returns {Promise<string>} the owner of this one pass */
export async function ownerOf(person, kept) {
  const passKey = kept.passKey ?? (await deriveKeys(person.secret)).pass;
  const [owner] = await deriveOwners(passKey, kept.epochStart, [kept.index]);
  return toBase64Url(owner ?? new Uint8Array());
}
