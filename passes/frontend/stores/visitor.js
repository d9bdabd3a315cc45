/**
 * The stored data of a visitor's device (IndexedDB `crowdtrace`): people with their secrets, passes, tickets, drafts,
 * settings. No row of it is ever sent.
 *
 * @typedef {import("../core/epoch.js").Epoch} Epoch
 *
 * @typedef {object} Person
 * @property {string} id     random, known only to this device
 * @property {string} label  the holder's name for this person; empty for the first
 * @property {number} [since] when the person was added to this device, Unix milliseconds; the order of people
 * @property {Uint8Array<ArrayBuffer>} secret
 * @property {boolean} kept  whether the holder confirmed a backup of the secret
 * @property {boolean} registered whether the key is registered at the server
 * @property {number} [restoredAt] when the key was restored on this device from another, Unix milliseconds
 * @property {boolean} [once] a key for one sheet of paper, which draws nothing ahead
 * @property {boolean} [rests] the key's row was deleted on purpose: no tickets are drawn until the next check-in
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
 * @property {{id: string, name: string, verified?: boolean}} venue
 * @property {string | null} credential the `GO1:` text; null for a refusal, which uses up its index
 * @property {number} [drawnAt] when it was received, Unix seconds
 * @property {"answers" | "cancelled"} [withdrawn] why it no longer shows a code: the holder answered yes to a question
 *   after it was drawn, or cancelled it
 * @property {number} [inAt]  when the holder noted that the door let them in, Unix seconds
 * @property {number} [outAt] when the holder noted that they left
 * @property {Uint8Array<ArrayBuffer>} [passKey] `K_pass` of the secret that drew it, if the person now has another secret
 * @property {{masks: number, distancing: number}} [rated] the holder's rating of the place
 * @property {string} [named] the name that the place sees
 * @property {boolean} [erased] its erasure was requested; the index stays used
 *
 * @typedef {object} TicketSet the sixteen tickets of a person and an epoch
 * @property {string} person
 * @property {Epoch} epoch
 * @property {number} epochStart Unix seconds
 * @property {Uint8Array<ArrayBuffer>[] | null} signatures in the order of the book; null if none are drawn
 * @property {boolean} fromTop whether the book of this day is used from its end
 *
 * @typedef {object} Receipt of an erasure, whose progress anyone with its id may query
 * @property {string} id
 * @property {string} person
 * @property {number} askedAt Unix seconds
 * @property {number} passes  number of passes to erase
 *
 * @typedef {object} Draft a check-in in progress, stored so that a reload loses nothing
 * @property {string} person
 * @property {string} venue
 * @property {Epoch | null} epoch
 * @property {number | null} index fixed before the first request, so that a retry sends the same one
 * @property {Partial<Answers>} answers
 * @property {number} surveySeconds time spent on the questions so far
 * @property {string | null} invitation
 * @property {boolean} [unspent] because of the invitation, the server stored nothing and spent no ticket
 *
 * @typedef {{id: string, name: string, verified?: boolean}} Place as stored in passes and favourites
 */
import { openDB } from "idb";
import { coin, toss } from "../core/asked.js";
import { VISIT_RETENTION_S } from "../core/epoch.js";
import { mayDraw, openPage } from "../core/openings.js";

const NAME = "crowdtrace";
const VERSION = 2;

/** @typedef {import("idb").IDBPDatabase} Database */

/** @returns {Promise<VisitorStore>} @throws {DOMException} if the browser refuses storage */
export async function openVisitorStore() {
  const database = await openDB(NAME, VERSION, {
    upgrade(fresh, version) {
      if (version < 1) {
        fresh.createObjectStore("people", { keyPath: "id" });
        fresh.createObjectStore("passes", { keyPath: ["person", "epochStart", "index"] });
        fresh.createObjectStore("drafts", { keyPath: ["person", "venue"] });
        fresh.createObjectStore("settings");
      }
      if (version < 2) fresh.createObjectStore("tickets", { keyPath: ["person", "epochStart"] });
    },
    // Another tab upgrades the database: close it here, a reload opens it again.
    blocking: (_current, _blocked, event) => /** @type {IDBDatabase} */ (event.target).close(),
  });
  const store = new VisitorStore(database);
  await store.dropOld(Date.now() / 1000);
  return store;
}

export class VisitorStore {
  /** @param {Database} database */
  constructor(database) {
    this.database = database;
  }

  /** @returns {Promise<Person[]>} in the order in which they were added */
  async people() {
    /** @type {Person[]} */
    const people = await this.database.getAll("people");
    return people.sort((a, b) => (a.since ?? 0) - (b.since ?? 0));
  }

  /** @returns {Promise<Person | null>} the current person, whose pages are shown */
  async current() {
    const id = await this.database.get("settings", "person");
    const people = await this.people();
    return people.find((person) => person.id === id) ?? people[0] ?? null;
  }

  /** @param {Person} person */
  async savePerson(person) {
    await this.database.put("people", person);
  }

  /** @param {string} id whose key the server knows, so that tickets may be drawn again */
  async noteRegistered(id) {
    const work = this.database.transaction("people", "readwrite");
    const person = await work.store.get(id);
    if (person) await work.store.put({ ...person, registered: true, rests: false });
    await work.done;
  }

  /** @param {string} id */
  async choose(id) {
    await this.database.put("settings", id, "person");
  }

  /** @param {string} person @returns {Promise<KeptPass[]>} newest epoch first */
  async passes(person) {
    const all = await this.database.getAll("passes", IDBKeyRange.bound([person], [person, []]));
    return all.reverse();
  }

  /** @param {KeptPass} pass */
  async savePass(pass) {
    await this.database.put("passes", pass);
  }

  /**
   * Mark an index of the book as used that was sent with other answers. An existing pass with this index stays: another
   * tab of this device drew it.
   *
   * @param {Omit<KeptPass, "credential">} place
   */
  async burnPlace(place) {
    const work = this.database.transaction("passes", "readwrite");
    const taken = await work.store.getKey([place.person, place.epochStart, place.index]);
    if (taken === undefined) await work.store.put({ ...place, credential: null });
    await work.done;
  }

  /**
   * Withdraw the pass of a person for one place and day. The code is deleted, so that no page can show it again; the index
   * of the book stays used, and the visit can still be rated and erased. Nothing is sent: a request would reveal that the
   * person who just answered had this pass.
   *
   * @param {{person: string, venue: string, epochStart: number}} of
   */
  async withdrawPasses({ person, venue, epochStart }) {
    const work = this.database.transaction("passes", "readwrite");
    /** @type {KeptPass[]} */
    const day = await work.store.getAll(IDBKeyRange.bound([person, epochStart], [person, epochStart, []]));
    for (const pass of day) {
      if (pass.venue.id === venue && pass.credential !== null) await work.store.put({ ...pass, credential: null, withdrawn: "answers" });
    }
    await work.done;
  }

  /** @param {number} nowS Delete what the server has deleted by then: passes, and answers of past days */
  async dropOld(nowS) {
    const work = this.database.transaction(["passes", "drafts"], "readwrite");
    const [passes, drafts] = [work.objectStore("passes"), work.objectStore("drafts")];
    /** @type {KeptPass[]} */
    const kept = await passes.getAll();
    for (const { person, epochStart, index, epoch } of kept) if (epoch.end + VISIT_RETENTION_S <= nowS) await passes.delete([person, epochStart, index]);
    /** @type {Draft[]} */
    const begun = await drafts.getAll();
    for (const { person, venue, epoch } of begun) if (epoch && epoch.end <= nowS) await drafts.delete([person, venue]);
    await work.done;
  }

  /** @param {string} person @returns {Promise<Place[]>} last added first */
  async favourites(person) {
    return (await this.database.get("settings", `favourites ${person}`)) ?? [];
  }

  /** @param {string} person @param {Place} place to add, or to remove if it is listed */
  async toggleFavourite(person, place) {
    return this.change(`favourites ${person}`, (/** @type {Place[] | undefined} */ before = []) => {
      const others = before.filter(({ id }) => id !== place.id);
      return others.length < before.length ? others : [place, ...others];
    });
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
   * Fix the index of the book that a draft uses, in one transaction, so that two tabs never take the same one.
   *
   * @param {Draft} draft
   * @param {Epoch} epoch
   * @param {(used: number[]) => number | null} next
   * @returns {Promise<Draft | null>} null if the epoch's book is used up
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

  /** @param {string} person @param {number} epochStart @returns {Promise<TicketSet | null>} */
  async ticketSet(person, epochStart) {
    return (await this.database.get("tickets", [person, epochStart])) ?? null;
  }

  /** @param {string} person @returns {Promise<TicketSet[]>} earliest epoch first */
  ticketSets(person) {
    return this.database.getAll("tickets", IDBKeyRange.bound([person], [person, []]));
  }

  /** @param {TicketSet[]} sets @param {number} nowS sets of this person for past days are deleted */
  async saveTicketSets(sets, nowS) {
    const work = this.database.transaction("tickets", "readwrite");
    for (const set of sets) await work.store.put(set);
    /** @type {TicketSet[]} */
    const all = await work.store.getAll();
    for (const { person, epochStart, epoch } of all) if (epoch.end <= nowS) await work.store.delete([person, epochStart]);
    await work.done;
  }

  /** @returns {Promise<import("../core/ticket_keys.js").Pin[]>} the pinned ticket keys */
  async pins() {
    return (await this.database.get("settings", "ticket-keys")) ?? [];
  }

  /** @returns {Promise<import("../core/openings.js").Opening | null>} */
  async opening() {
    return (await this.database.get("settings", "opening")) ?? null;
  }

  /** @param {number} nowMs @param {{checksIn: boolean, random: () => number}} page */
  openPage(nowMs, page) {
    return this.change("opening", (/** @type {import("../core/openings.js").Opening | undefined} */ before) => openPage(before ?? null, nowMs, page));
  }

  /** @param {string} person @param {number} nowMs @returns {Promise<boolean>} whether this person is the one who draws in this opening */
  async claimOpening(person, nowMs) {
    let claimed = false;
    await this.change("opening", (/** @type {import("../core/openings.js").Opening | null | undefined} */ before) => {
      claimed = mayDraw(before ?? null, nowMs);
      return claimed && before ? { ...before, drewFor: person } : (before ?? null);
    });
    return claimed;
  }

  /** @returns {Promise<number>} Unix milliseconds before which the server accepts no draw */
  async drawAfter() {
    return (await this.database.get("settings", "draw-after")) ?? 0;
  }

  /** @param {number} atMs */
  async saveDrawAfter(atMs) {
    await this.database.put("settings", atMs, "draw-after");
  }

  /**
   * @template Value
   * @param {string} name
   * @param {(before: Value | undefined) => Value} change
   * @returns {Promise<Value>} the changed value, in one transaction, so that two tabs never decide from the same state
   */
  async change(name, change) {
    const work = this.database.transaction("settings", "readwrite");
    const value = change(await work.store.get(name));
    await work.store.put(value, name);
    await work.done;
    return value;
  }

  /** @param {string} person @returns {Promise<string>} the risk profile that the person chose */
  async profile(person) {
    return (await this.database.get("settings", `profile ${person}`)) ?? "standard";
  }

  /** @param {string} person @param {string} profile */
  async saveProfile(person, profile) {
    await this.database.put("settings", profile, `profile ${person}`);
  }

  /** @param {string} person @returns {Promise<string>} how often the person wears a mask, as a share; empty: like others */
  async ownMask(person) {
    return (await this.database.get("settings", `mask ${person}`)) ?? "";
  }

  /** @param {string} person @param {string} share */
  async saveOwnMask(person, share) {
    await this.database.put("settings", share, `mask ${person}`);
  }

  /** @param {string} person @returns {Promise<number | null>} when the person wanted to leave, in Unix seconds */
  async leaveAt(person) {
    return (await this.database.get("settings", `leave ${person}`)) ?? null;
  }

  /** @param {string} person @param {number | null} atS */
  async saveLeaveAt(person, atS) {
    await this.database.put("settings", atS, `leave ${person}`);
  }

  /**
   * Toss the coin of the random prompt if it is due.
   *
   * @param {string} person
   * @param {number} share of the tosses that ask
   * @returns {Promise<import("../core/asked.js").Toss>}
   */
  tossFor(person, share) {
    return this.change(`asked ${person}`, (/** @type {import("../core/asked.js").Toss | undefined} */ before) => toss(before, Date.now(), share, coin));
  }

  /** @param {string} person @returns {Promise<import("../core/asked.js").Toss | undefined>} the coin as it was tossed earlier */
  async tossOf(person) {
    return await this.database.get("settings", `asked ${person}`);
  }

  /** @param {string} person who answered the random prompt, or declined */
  async settleToss(person) {
    const tossed = await this.tossOf(person);
    if (tossed) await this.database.put("settings", { ...tossed, settled: true }, `asked ${person}`);
  }

  /** @param {string} venue @returns {Promise<string | null>} the code of an invitation that was opened on this device */
  async invitation(venue) {
    return (await this.database.get("settings", `invitation ${venue}`)) ?? null;
  }

  /** @param {string} venue @param {string} code */
  async saveInvitation(venue, code) {
    await this.database.put("settings", code, `invitation ${venue}`);
  }

  /** @param {string} person @returns {Promise<Receipt[]>} newest first */
  async receipts(person) {
    /** @type {Receipt[]} */
    const all = (await this.database.get("settings", "receipts")) ?? [];
    return all.filter((receipt) => receipt.person === person).reverse();
  }

  /** @param {Receipt} receipt */
  async addReceipt(receipt) {
    const work = this.database.transaction("settings", "readwrite");
    const all = (await work.store.get("receipts")) ?? [];
    await work.store.put([...all, receipt], "receipts");
    await work.done;
  }

  /**
   * Give a person another secret. Drawn passes keep the key they were derived from, so that they stay valid; used indexes
   * of the book stay used, because they count against the day's limit. Tickets of the old secret are deleted.
   *
   * @param {Person} person with the new secret
   * @param {Uint8Array<ArrayBuffer>} formerPassKey
   */
  async changeSecret(person, formerPassKey) {
    const work = this.database.transaction(["people", "passes", "drafts", "tickets"], "readwrite");
    await work.objectStore("people").put(person);
    const passes = work.objectStore("passes");
    /** @type {KeptPass[]} */
    const drawn = await passes.getAll(IDBKeyRange.bound([person.id], [person.id, []]));
    for (const pass of drawn) await passes.put({ passKey: formerPassKey, ...pass });
    await work.objectStore("drafts").delete(IDBKeyRange.bound([person.id], [person.id, []]));
    const tickets = work.objectStore("tickets");
    /** @type {TicketSet[]} */
    const sets = await tickets.getAll(IDBKeyRange.bound([person.id], [person.id, []]));
    for (const set of sets) await tickets.put({ ...set, signatures: null });
    await work.done;
  }

  /** @param {string} person whose data is deleted from this device */
  async forget(person) {
    const work = this.database.transaction(["people", "passes", "drafts", "tickets", "settings"], "readwrite");
    await work.objectStore("people").delete(person);
    for (const name of /** @type {const} */ (["passes", "drafts", "tickets"])) await work.objectStore(name).delete(IDBKeyRange.bound([person], [person, []]));
    const settings = work.objectStore("settings");
    for (const name of ["profile", "mask", "leave", "asked", "favourites"]) await settings.delete(`${name} ${person}`);
    if ((await settings.get("person")) === person) await settings.delete("person");
    /** @type {Receipt[]} */
    const receipts = (await settings.get("receipts")) ?? [];
    await settings.put(receipts.filter((receipt) => receipt.person !== person), "receipts");
    await work.done;
  }

  /** Delete everything on this device. */
  async wipe() {
    for (const name of ["people", "passes", "drafts", "tickets", "settings"]) await this.database.clear(name);
  }
}
