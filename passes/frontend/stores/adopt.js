/** Adding a secret as a person of this device. */
import { equal } from "../core/bytes.js";
import { askToKeepStorage } from "./durable.js";

/**
 * @typedef {import("./visitor.js").Person} Person
 *
 * @param {import("./visitor.js").VisitorStore} store
 * @param {Uint8Array<ArrayBuffer>} secret
 * @param {{restored: boolean, label?: string}} how `restored`: it came from another device or a copy
 * @returns {Promise<Person>} the person with this secret, who becomes the current one
 */
export async function adopt(store, secret, { restored, label = "" }) {
  const known = (await store.people()).find((person) => equal(person.secret, secret));
  const since = Date.now();
  const fresh = { id: crypto.randomUUID(), label, since, secret, kept: restored, registered: false, ...(restored ? { restoredAt: since } : {}) };
  const person = known ?? fresh;
  await store.savePerson(person);
  await store.choose(person.id);
  // Without persistent storage, a browser short of space may delete the only key.
  askToKeepStorage();
  return person;
}
