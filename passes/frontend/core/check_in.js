/**
 * Check-in: from four answers to a pass or to advice, for a ticket that nobody can link to the visitor. Every retry
 * sends the same request, so a lost response or a reload spends nothing twice.
 *
 * An index of the book names a pass and a ticket. Once it may have been sent to one venue, it is never sent to another,
 * whatever the response was: a ticket that two venues saw would link the two visits.
 *
 * @typedef {import("../stores/visitor.js").Draft} Draft
 * @typedef {import("../stores/visitor.js").Person} Person
 * @typedef {import("../stores/visitor.js").KeptPass} KeptPass
 *
 * @typedef {{kind: "go", pass: KeptPass}
 *   | {kind: "no", advice: {code: string, text: string}[]}
 *   | {kind: "not_invited", advice: {code: string, text: string}[]}
 *   | {kind: "used_up"} | {kind: "closed"} | {kind: "busy", retryAfterS: number | null} | {kind: "refused"}
 *   | {kind: "failed"} | {kind: "no_tickets"} | Exclude<import("./draw.js").Drawn, {kind: "drawn"}>} Outcome
 */
import { Unreachable, request } from "./api.js";
import { derivePass, nextIndex } from "./book.js";
import { toBase64Url } from "./bytes.js";
import { drawAtOnce } from "./draw.js";
import { PASSES_PER_EPOCH } from "./epoch.js";
import { deriveKeys } from "./secret.js";
import { pinnedKey } from "./ticket_keys.js";
import { classOf, ticketAuthorization, ticketRoot } from "./tickets.js";

/** @typedef {import("../stores/visitor.js").VisitorStore} VisitorStore */

/** Advice of check-ins that the server does not store, so that their tickets are not spent. */
const NOT_INVITED = new Set(["invitation_needed", "invitation_unknown"]);
const CLOSED = "checkin_closed";

/** @param {Draft} draft @returns {boolean} whether the holder answered yes to any question */
export function saysYes({ answers }) {
  return Object.values(answers).includes(true);
}

/**
 * @param {KeptPass[]} passes of one person
 * @param {{venue: string, epochStart: number}} of
 * @returns {KeptPass | undefined} the pass that a door there accepts on that day
 */
export function passFor(passes, { venue, epochStart }) {
  return passes.find((pass) => pass.credential !== null && pass.venue.id === venue && pass.epochStart === epochStart);
}

/**
 * Check one person in. A person has one pass for a place and a day: with a pass and four times no, it is kept and nothing
 * is sent. A yes withdraws it on this device before anything is sent, whatever the response.
 *
 * @param {object} parts
 * @param {VisitorStore} parts.store
 * @param {Person} parts.person
 * @param {Draft} parts.draft complete: all four answers
 * @param {import("./epoch.js").Epoch} parts.epoch
 * @param {{id: string, name: string, verified?: boolean}} parts.venue
 * @returns {Promise<Outcome>}
 * @throws {Unreachable} if the response may be lost
 */
export async function checkIn({ store, person, draft, epoch, venue }) {
  const here = { person: person.id, venue: venue.id, epochStart: epoch.start };
  if (saysYes(draft)) await store.withdrawPasses(here);
  else {
    const held = passFor(await store.passes(person.id), here);
    if (held) return keepHeld(store, draft, epoch, held);
  }
  let tickets = await ticketsOf(store, person, epoch);
  if (!tickets) {
    // First use: draw at once if there is no ticket of the day.
    const drawn = await firstUse(store, person, epoch);
    if (drawn.kind !== "drawn") return drawn;
    tickets = await ticketsOf(store, person, epoch);
    if (!tickets) return { kind: "wrong" };
  }
  const { fromTop } = tickets;
  // Another tab or phone may have used the index: take the next one.
  for (let tries = 0; tries < PASSES_PER_EPOCH; tries += 1) {
    const { unspent: _before, ...sent } = draft;
    const fixed = await store.takeIndex(sent, epoch, (used) => nextIndex(used, fromTop));
    if (fixed?.index == null) return { kind: "used_up" };
    const answer = await spend(person, tickets, { ...fixed, index: fixed.index }, epoch, venue);
    if (answer.status === 429 || answer.status === 503) return { kind: "busy", retryAfterS: answer.retryAfterS };
    if (answer.status === 404 || answer.status === 410) return { kind: "closed" };
    if (answer.status === 401) return { kind: "refused" };
    const place = { person: person.id, epochStart: epoch.start, index: fixed.index, epoch, venue };
    if (answer.status === 409) {
      await store.burnPlace(place);
      await store.saveDraft({ ...fixed, index: null });
      continue;
    }
    if (answer.status !== 200 && answer.status !== 201) return { kind: "failed" };
    const codes = answer.body.advice.map((/** @type {{code: string}} */ { code }) => code);
    const closed = codes.includes(CLOSED);
    if (closed || codes.some((/** @type {string} */ code) => NOT_INVITED.has(code))) {
      await store.saveDraft({ ...fixed, unspent: true });
      return closed ? { kind: "closed" } : { kind: "not_invited", advice: answer.body.advice };
    }
    /** @type {KeptPass} */
    const pass = { ...place, credential: answer.body.credential, drawnAt: Math.floor(Date.now() / 1000) };
    await store.savePass(pass);
    await store.dropDraft(person.id, venue.id);
    return answer.body.go ? { kind: "go", pass } : { kind: "no", advice: answer.body.advice };
  }
  return { kind: "used_up" };
}

/**
 * @param {VisitorStore} store
 * @param {Draft} draft
 * @param {import("./epoch.js").Epoch} epoch
 * @param {KeptPass} held
 * @returns {Promise<Outcome>}
 */
async function keepHeld(store, { person, index }, epoch, held) {
  // A request whose response was lost may have used this index of the book, so it is never used again.
  if (index !== null) await store.burnPlace({ person, epochStart: epoch.start, index, epoch, venue: held.venue });
  await store.dropDraft(person, held.venue.id);
  return { kind: "go", pass: held };
}

/**
 * @typedef {{signatures: Uint8Array<ArrayBuffer>[], fromTop: boolean, pin: import("./ticket_keys.js").Pin}} Tickets
 *
 * @param {VisitorStore} store
 * @param {Person} person
 * @param {import("./epoch.js").Epoch} epoch
 * @returns {Promise<Tickets | null>} null if none were drawn, or for an epoch with another start
 */
async function ticketsOf(store, person, epoch) {
  const set = await store.ticketSet(person.id, epoch.start);
  const pin = (await store.pins()).find((each) => each.epoch.date === epoch.date && each.epoch.start === epoch.start);
  return set?.signatures && pin ? { signatures: set.signatures, fromTop: set.fromTop, pin } : null;
}

/**
 * @param {VisitorStore} store
 * @param {Person} person
 * @param {import("./epoch.js").Epoch} epoch
 * @returns {Promise<import("./draw.js").Drawn | {kind: "no_tickets"}>}
 */
async function firstUse(store, person, epoch) {
  try {
    return await drawAtOnce({ store, person, wanted: epoch, nowS: Date.now() / 1000 });
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
    return { kind: "no_tickets" };
  }
}

/**
 * @param {Person} person
 * @param {Tickets} tickets
 * @param {Draft & {index: number}} fixed
 * @param {import("./epoch.js").Epoch} epoch
 * @param {{id: string, name: string}} venue
 * @returns {Promise<import("./api.js").Answer>}
 */
async function spend(person, { signatures, pin }, fixed, epoch, venue) {
  const key = pinnedKey(pin, classOf(fixed.index));
  const signature = signatures[fixed.index];
  if (!key || !signature) throw new RangeError("no such ticket");
  const [keys, root] = await Promise.all([deriveKeys(person.secret), ticketRoot(person.secret)]);
  const book = await derivePass(keys.pass, epoch.start, fixed.index);
  const body = {
    venue: venue.id,
    epoch: epoch.date,
    anchor: toBase64Url(book.anchor),
    owner_hash: toBase64Url(book.ownerHash),
    answers: fixed.answers,
    survey_seconds: Math.round(fixed.surveySeconds),
    ...(fixed.invitation ? { invitation: fixed.invitation } : {}),
  };
  const authorization = await ticketAuthorization(root, epoch.start, key, fixed.index, signature);
  return request("POST", "/api/v1/passes", { body, authorization });
}
