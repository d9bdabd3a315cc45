/**
 * What a visitor's device keeps (IndexedDB `crowdtrace`): people with their secrets, passes, drafts, settings.
 * Nothing of it is ever sent as it lies here.
 *
 * @typedef {import("../core/epoch.js").Epoch} Epoch
 *
 * @typedef {object} Person
 * @property {string} id     random, known to this device alone
 * @property {string} label  what the holder calls this person; empty for the first
 * @property {Uint8Array<ArrayBuffer>} secret
 * @property {boolean} kept  whether the holder said that a copy of the secret is kept elsewhere
 * @property {boolean} registered whether the server knows the key
 *
 * @typedef {object} Answers
 * @property {boolean} symptoms
 * @property {boolean} diagnosed
 * @property {boolean} contact
 * @property {boolean} near
 *
 * @typedef {object} KeptPass
 * @property {string} person
 * @property {number} epochStart
 * @property {number} index
 * @property {Epoch} epoch
 * @property {{id: string, name: string}} venue
 * @property {string | null} credential the `GO1:` text; null for a refusal, which uses up its index
 *
 * @typedef {object} Draft a check-in under way, kept so that a reload loses nothing
 * @property {string} person
 * @property {string} venue
 * @property {Epoch | null} epoch
 * @property {number | null} index fixed before the first sending, so that a repeat is the same request
 * @property {Partial<Answers>} answers
 * @property {number} surveySeconds time spent on the questions so far
 * @property {string | null} invitation
 */
import { openDB } from "idb";

const NAME = "crowdtrace";
const VERSION = 1;

/** @typedef {import("idb").IDBPDatabase} Database */

/** @returns {Promise<VisitorStore>} @throws {DOMException} where the browser refuses storage */
export async function openVisitorStore() {
  const database = await openDB(NAME, VERSION, {
    upgrade(fresh) {
      fresh.createObjectStore("people", { keyPath: "id" });
      fresh.createObjectStore("passes", { keyPath: ["person", "epochStart", "index"] });
      fresh.createObjectStore("drafts", { keyPath: ["person", "venue"] });
      fresh.createObjectStore("settings");
    },
    // Another tab wants a newer form of the store: give way, a reload opens it again.
    blocking: (_current, _blocked, event) => /** @type {IDBDatabase} */ (event.target).close(),
  });
  return new VisitorStore(database);
}

export class VisitorStore {
  /** @param {Database} database */
  constructor(database) {
    this.database = database;
  }

  /** @returns {Promise<Person[]>} */
  people() {
    return this.database.getAll("people");
  }

  /** @returns {Promise<Person | null>} the person whose pages are shown */
  async current() {
    const id = await this.database.get("settings", "person");
    const people = await this.people();
    return people.find((person) => person.id === id) ?? people[0] ?? null;
  }

  /** @param {Person} person */
  async savePerson(person) {
    await this.database.put("people", person);
  }

  /** @param {string} id */
  async choose(id) {
    await this.database.put("settings", id, "person");
  }

  /** @param {string} person @returns {Promise<KeptPass[]>} the youngest epoch first */
  async passes(person) {
    const all = await this.database.getAll("passes", IDBKeyRange.bound([person], [person, []]));
    return all.reverse();
  }

  /** @param {KeptPass} pass */
  async savePass(pass) {
    await this.database.put("passes", pass);
  }

  /** @param {string} person @param {string} venue @returns {Promise<Draft | null>} */
  async draft(person, venue) {
    return (await this.database.get("drafts", [person, venue])) ?? null;
  }

  /** @param {Draft} draft */
  async saveDraft(draft) {
    await this.database.put("drafts", draft);
  }

  /** @param {string} person @param {string} venue */
  async dropDraft(person, venue) {
    await this.database.delete("drafts", [person, venue]);
  }

  /**
   * Fixes the pass of the book that a draft uses, in one transaction, so that two tabs never take the same one.
   *
   * @param {Draft} draft
   * @param {Epoch} epoch
   * @param {(used: number[]) => number | null} next
   * @returns {Promise<Draft | null>} null when the epoch's book is used up
   */
  async takeIndex(draft, epoch, next) {
    const work = this.database.transaction(["passes", "drafts"], "readwrite");
    const range = IDBKeyRange.bound([draft.person, epoch.start], [draft.person, epoch.start, []]);
    const keys = /** @type {[string, number, number][]} */ (await work.objectStore("passes").getAllKeys(range));
    /** @type {Draft[]} */
    const drafts = await work.objectStore("drafts").getAll();
    const stored = drafts.find((other) => other.person === draft.person && other.venue === draft.venue);
    const taken = drafts.filter((other) => other !== stored && other.person === draft.person && other.epoch?.start === epoch.start);
    const held = stored?.epoch?.start === epoch.start ? stored.index : null;
    const index = held ?? next([...keys.map((key) => key[2]), ...taken.flatMap((other) => other.index ?? [])]);
    if (index === null) {
      await work.done;
      return null;
    }
    const fixed = { ...draft, epoch, index };
    await work.objectStore("drafts").put(fixed);
    await work.done;
    return fixed;
  }

  /** Forgets everything on this device. */
  async wipe() {
    for (const name of ["people", "passes", "drafts", "settings"]) await this.database.clear(name);
  }
}
