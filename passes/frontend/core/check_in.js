/**
 * Check-in: from four answers to a pass or to kind advice. Every repeat sends the same request, so a lost answer or a
 * reload draws nothing twice.
 *
 * @typedef {import("../stores/visitor.js").Draft} Draft
 * @typedef {import("../stores/visitor.js").Person} Person
 * @typedef {import("../stores/visitor.js").KeptPass} KeptPass
 *
 * @typedef {{kind: "go", pass: KeptPass}
 *   | {kind: "no", advice: {code: string, text: string}[]}
 *   | {kind: "used_up"} | {kind: "closed"} | {kind: "busy", retryAfterS: number | null} | {kind: "failed"}} Outcome
 */
import { request } from "./api.js";
import { derivePass, nextIndex } from "./book.js";
import { toBase64Url } from "./bytes.js";
import { PASSES_PER_EPOCH } from "./epoch.js";
import { authorization, deriveKeys, sha256 } from "./secret.js";

/**
 * Tells the server a key that it does not know yet. Knowing it already is fine.
 *
 * @param {Person} person
 * @returns {Promise<boolean>}
 */
export async function register(person) {
  const keys = await deriveKeys(person.secret);
  const body = { erase_hash: toBase64Url(await sha256(keys.erase)) };
  const { status } = await request("POST", "/api/v1/visitors", { body, authorization: authorization(keys) });
  return status === 200 || status === 201;
}

/**
 * @param {object} parts
 * @param {import("../stores/visitor.js").VisitorStore} parts.store
 * @param {Person} parts.person
 * @param {Draft} parts.draft complete: all four answers
 * @param {import("./epoch.js").Epoch} parts.epoch
 * @param {{id: string, name: string}} parts.venue
 * @returns {Promise<Outcome>}
 * @throws {import("./api.js").Unreachable}
 */
export async function checkIn({ store, person, draft, epoch, venue }) {
  const keys = await deriveKeys(person.secret);
  if (!person.registered && !(await register(person))) return { kind: "failed" };
  // A key that was brought back on a new phone does not know which places of its book are used: it turns the leaf.
  for (let draws = 0; draws < PASSES_PER_EPOCH; draws += 1) {
    const fixed = await store.takeIndex(draft, epoch, nextIndex);
    if (fixed?.index == null) return { kind: "used_up" };
    const answer = await draw(person, keys, fixed, epoch, venue);
    if (answer.status === 429) return { kind: "busy", retryAfterS: answer.retryAfterS };
    if (answer.status === 404 || answer.status === 410) return { kind: "closed" };
    const place = { person: person.id, epochStart: epoch.start, index: fixed.index, epoch, venue };
    if (answer.status === 409) {
      await store.burnPlace(place);
      await store.saveDraft({ ...fixed, index: null });
      continue;
    }
    if (answer.status !== 200 && answer.status !== 201) return { kind: "failed" };
    /** @type {KeptPass} */
    const pass = { ...place, credential: answer.body.credential };
    await store.savePass(pass);
    await store.dropDraft(person.id, venue.id);
    await store.savePerson({ ...person, registered: true });
    return answer.body.go ? { kind: "go", pass } : { kind: "no", advice: answer.body.advice };
  }
  return { kind: "used_up" };
}

/**
 * @param {Person} person
 * @param {import("./secret.js").VisitorKeys} keys
 * @param {Draft} fixed with a place of the book
 * @param {import("./epoch.js").Epoch} epoch
 * @param {{id: string, name: string}} venue
 * @returns {Promise<import("./api.js").Answer>}
 */
async function draw(person, keys, fixed, epoch, venue) {
  const book = await derivePass(keys.pass, epoch.start, fixed.index ?? 0);
  const body = {
    venue: venue.id,
    epoch: epoch.date,
    anchor: toBase64Url(book.anchor),
    owner_hash: toBase64Url(book.ownerHash),
    answers: fixed.answers,
    survey_seconds: Math.round(fixed.surveySeconds),
    ...(fixed.invitation ? { invitation: fixed.invitation } : {}),
  };
  const send = () => request("POST", "/api/v1/passes", { body, authorization: authorization(keys) });
  const answer = await send();
  // A key that nobody used for half a year is forgotten by the server, and told again.
  return answer.status === 401 && (await register(person)) ? send() : answer;
}
