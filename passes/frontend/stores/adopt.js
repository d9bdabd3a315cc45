/** Taking a secret as somebody of this device. */
import { equal } from "../core/bytes.js";
import { askToKeepStorage } from "./durable.js";

/**
 * @typedef {import("./visitor.js").Person} Person
 *
 * @param {import("./visitor.js").VisitorStore} store
 * @param {Uint8Array<ArrayBuffer>} secret
 * @param {{restored: boolean, label?: string}} how `restored`: it came from another device or a copy
 * @returns {Promise<Person>} who has this secret here, and whose pages are shown from now on
 */
export async function adopt(store, secret, { restored, label = "" }) {
  const known = (await store.people()).find((person) => equal(person.secret, secret));
  const since = Date.now();
  const fresh = { id: crypto.randomUUID(), label, since, secret, kept: restored, registered: false, ...(restored ? { restoredAt: since } : {}) };
  const person = known ?? fresh;
  await store.savePerson(person);
  await store.choose(person.id);
  // Storage that the browser may clear when space runs short would lose the only key.
  askToKeepStorage();
  return person;
}
