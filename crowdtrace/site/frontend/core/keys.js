/**
 * Taking another key.
 *
 * @typedef {import("../../../../passes/frontend/stores/visitor.js").Person} Person
 */
import { deriveKeys, makeSecret } from "../../../../passes/frontend/core/secret.js";
import { deleteRow, register } from "../../../../passes/frontend/core/visitor_row.js";

/**
 * Registers another secret, keeps it, then deletes the row of the old one: in this order nothing is lost half-way. An
 * old row that could not be deleted holds two keyed hashes and goes by itself after 180 unused days.
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
