/**
 * The data for a check-in of one person on a sheet of paper: in memory, discarded with the page. Only the pinned ticket
 * keys are read from and written to the storage of this device.
 *
 * @typedef {import("./visitor.js").Draft} Draft
 * @typedef {import("./visitor.js").KeptPass} KeptPass
 * @typedef {import("./visitor.js").Person} Person
 * @typedef {import("./visitor.js").TicketSet} TicketSet
 */
import { makeSecret } from "../core/secret.js";
import { VisitorStore } from "./visitor.js";

export class SheetStore extends VisitorStore {
  /** @param {VisitorStore} device */
  constructor(device) {
    super(device.database);
    /** @type {Person} */
    this.person = { id: "sheet", label: "", secret: makeSecret(), kept: true, registered: false, once: true };
    /** @type {Draft | null} */
    this.begun = null;
    /** @type {number[]} */
    this.used = [];
    /** @type {TicketSet[]} */
    this.sets = [];
  }

  /** @override */
  async people() {
    return [this.person];
  }

  /** @override @param {KeptPass} pass */
  async savePass({ index }) {
    this.used.push(index);
  }

  /** @override @param {Omit<KeptPass, "credential">} place */
  async burnPlace({ index }) {
    this.used.push(index);
  }

  /** @override */
  async passes() {
    return [];
  }

  /** @override The printed sheet is with its owner. */
  async withdrawPasses() {
    // nothing is stored
  }

  /** @override */
  async draft() {
    return this.begun;
  }

  /** @override @param {Draft} draft */
  async saveDraft(draft) {
    this.begun = draft;
  }

  /** @override */
  async dropDraft() {
    this.begun = null;
  }

  /** @override Invitations of the device's own people are not for this person. */
  async invitation() {
    return null;
  }

  /**
   * @override
   * @param {Draft} draft
   * @param {import("../core/epoch.js").Epoch} epoch
   * @param {(used: number[]) => number | null} next
   * @returns {Promise<Draft | null>}
   */
  async takeIndex(draft, epoch, next) {
    const index = draft.epoch?.start === epoch.start && draft.index !== null ? draft.index : next(this.used);
    if (index !== null) this.begun = { ...draft, epoch, index };
    return index === null ? null : this.begun;
  }

  /** @override @param {string} _person @param {number} epochStart */
  async ticketSet(_person, epochStart) {
    return this.sets.find((set) => set.epochStart === epochStart) ?? null;
  }

  /** @override */
  async ticketSets() {
    return this.sets;
  }

  /** @override @param {TicketSet[]} sets */
  async saveTicketSets(sets) {
    this.sets.push(...sets);
  }

  /** @override */
  async noteRegistered() {
    this.person.registered = true;
  }
}
