/**
 * Replace the key.
 *
 * @typedef {import("../../../../passes/frontend/stores/visitor.js").Person} Person
 */
import { deriveKeys, makeSecret } from "../../../../passes/frontend/core/secret.js";
import { deleteRow, register } from "../../../../passes/frontend/core/visitor_row.js";

/**
 * Register another secret, store it, then delete the row of the old one: in this order, an interruption loses nothing.
 * An old row that could not be deleted has two keyed hashes and expires after 180 unused days.
 *
 * @param {import("../../../../passes/frontend/stores/visitor.js").VisitorStore} store
 * @param {Person} person
 * @returns {Promise<boolean>}
 * @throws {import("../../../../passes/frontend/core/api.js").Unreachable} before anything has changed
 */
export async function takeAnotherKey(store, person) {
  const { restoredAt: _elsewhere, ...same } = person;
  const fresh = { ...same, secret: makeSecret(), kept: false, registered: true, rests: false };
  const { status } = await register(fresh);
  if (status !== 200 && status !== 201) return false;
  await store.changeSecret(fresh, (await deriveKeys(person.secret)).pass);
  await deleteRow(person).catch(() => false);
  return true;
}
