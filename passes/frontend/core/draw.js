/**
 * Drawing tickets. Only these requests, registration and deletion contain the visitor's key; check-in spends the drawn
 * tickets and contains no key.
 *
 * @typedef {import("../stores/visitor.js").Person} Person
 * @typedef {import("../stores/visitor.js").TicketSet} TicketSet
 * @typedef {import("../stores/visitor.js").VisitorStore} VisitorStore
 * @typedef {import("./epoch.js").Epoch} Epoch
 * @typedef {import("./ticket_keys.js").ListedSet} ListedSet
 * @typedef {import("./ticket_keys.js").Pin} Pin
 * @typedef {import("./tickets.js").BlindTicket} BlindTicket
 *
 * @typedef {{kind: "drawn"} | {kind: "later", retryAfterS: number | null} | {kind: "failed"}
 *   | {kind: "changed"} | {kind: "wrong"}} Drawn
 *   `changed`: the listed key is not the one that this device saw first. `wrong`: no valid pair of keys is listed, or a
 *   signature of the server is invalid.
 */
import { request } from "./api.js";
import { fromBase64Url, toBase64Url } from "./bytes.js";
import { mayDraw, whoDraws } from "./openings.js";
import { authorization, deriveKeys } from "./secret.js";
import { KEYS_PATH, judgeSet, pinKeys, pinnedKey, readKeyList } from "./ticket_keys.js";
import { CLASSES, blindTickets, indexesOf, ticketRoot, unblindTicket, verifierOf } from "./tickets.js";
import { register } from "./visitor_row.js";

/** Number of days after today for which tickets are drawn. */
export const DAYS_AHEAD = 14;
const MOST_SETS = DAYS_AHEAD + 1;
const DAY_S = 24 * 3600;
/** The server publishes keys and signs for this many days ahead. */
const PUBLISHED_MS = 15 * DAY_S * 1000;
/** Delay if a busy server sends no Retry-After. */
const USUAL_PATIENCE_S = 60;
/** Computing on a phone and signing on a busy server take longer than a usual response. */
const DRAW_TIMEOUT_MS = 30_000;

/** @param {{status: number}} answer */
const isDone = ({ status }) => status === 200 || status === 201;

/** @param {import("./api.js").Answer} answer other than success @returns {Drawn} */
function refusal({ status, retryAfterS }) {
  return status === 429 || status === 503 ? { kind: "later", retryAfterS } : { kind: "failed" };
}

/**
 * @param {VisitorStore} store
 * @param {number} nowS
 * @returns {Promise<{listed: ListedSet[], pins: Pin[]} | Drawn>} the published keys, and the pinned ones of this device
 */
async function readKeys(store, nowS) {
  const answer = await request("GET", KEYS_PATH);
  if (answer.status !== 200) return refusal(answer);
  const listed = readKeyList(answer.body);
  const pins = await store.change("ticket-keys", (/** @type {Pin[] | undefined} */ before) => pinKeys(before ?? [], listed, nowS));
  return { listed, pins };
}

/**
 * @param {{listed: ListedSet[], pins: Pin[]}} keys
 * @param {TicketSet[]} sets of one person
 * @param {number} nowS
 * @returns {Epoch[]} today and the coming days whose tickets are missing and can be drawn, earliest first
 */
export function missingDays({ listed, pins }, sets, nowS) {
  const drawn = new Set(sets.flatMap(({ epochStart, signatures }) => (signatures ? [epochStart] : [])));
  const closed = (/** @type {Epoch} */ { start }) => listed.some(({ epoch }) => epoch.start > start && epoch.start <= nowS);
  return listed
    .filter((set) => set.epoch.start <= nowS + DAYS_AHEAD * DAY_S && !closed(set.epoch) && set.epoch.end > nowS)
    .filter((set) => !drawn.has(set.epoch.start) && judgeSet(pins, set) === "good")
    .map(({ epoch }) => epoch)
    .slice(0, MOST_SETS);
}

/**
 * Draw for a day that is needed now (first use), and for the next days without tickets.
 *
 * @param {object} parts
 * @param {VisitorStore} parts.store
 * @param {Person} parts.person
 * @param {Epoch} parts.wanted
 * @param {number} parts.nowS
 * @returns {Promise<Drawn>}
 * @throws {import("./api.js").Unreachable}
 */
export async function drawAtOnce({ store, person, wanted, nowS }) {
  const keys = await readKeys(store, nowS);
  if ("kind" in keys) return keys;
  const listed = keys.listed.find(({ epoch }) => epoch.date === wanted.date);
  const judged = judgeSet(keys.pins, listed);
  if (judged !== "good") return { kind: judged };
  if (listed?.epoch.start !== wanted.start) return { kind: "changed" };
  const missing = person.once ? [] : missingDays(keys, await store.ticketSets(person.id), nowS);
  const others = missing.filter(({ date }) => date !== wanted.date);
  return drawDays(store, person, keys.pins, [wanted, ...others].slice(0, MOST_SETS), nowS);
}

/**
 * @param {VisitorStore} store
 * @param {Person} person
 * @param {Pin[]} pins
 * @param {Epoch[]} epochs 1 to 15; the first one determines the result
 * @param {number} nowS
 * @returns {Promise<Drawn>}
 */
async function drawDays(store, person, pins, epochs, nowS) {
  if (!person.registered) {
    const registered = await register(person);
    if (!isDone(registered)) return refusal(registered);
    await store.noteRegistered(person.id);
  }
  const root = await ticketRoot(person.secret);
  /** @type {DayToDraw[]} */
  const days = [];
  for (const epoch of epochs) {
    const pin = pins.find((each) => each.epoch.date === epoch.date);
    const halves = await Promise.all(
      CLASSES.map(async (name) => {
        const key = pin && pinnedKey(pin, name);
        if (!key) throw new RangeError("no key was pinned");
        return { key, tickets: await blindTickets(root, epoch.start, key, indexesOf(name)) };
      }),
    );
    days.push({ epoch, halves });
  }
  let answer = await sendDays(person, days);
  // The server deletes keys unused for half a year, so register it again.
  if (answer.status === 401) {
    const registered = await register(person);
    if (!isDone(registered)) return refusal(registered);
    answer = await sendDays(person, days);
  }
  // A day that was already drawn with other values makes the server refuse all days of a request.
  if (answer.status === 409 && epochs.length > 1) return drawDays(store, { ...person, registered: true }, pins, epochs.slice(0, 1), nowS);
  if (answer.status === 409) return { kind: "wrong" };
  if (!isDone(answer)) return refusal(answer);
  const again = answer.status === 200;
  const kept = await Promise.all(days.map((day, at) => finishDay(day, answer.body?.draws?.[at])));
  /** @type {TicketSet[]} */
  const sets = [];
  for (const [at, signatures] of kept.entries()) {
    const { epoch } = /** @type {DayToDraw} */ (days[at]);
    const before = await store.ticketSet(person.id, epoch.start);
    const fromTop = before?.fromTop ?? (person.restoredAt !== undefined && (again || epoch.start * 1000 < person.restoredAt + PUBLISHED_MS));
    if (signatures) sets.push({ person: person.id, epoch, epochStart: epoch.start, signatures, fromTop });
  }
  await store.saveTicketSets(sets, nowS);
  await store.noteRegistered(person.id);
  return kept[0] ? { kind: "drawn" } : { kind: "wrong" };
}

/** @typedef {{epoch: Epoch, halves: {key: import("./tickets.js").TicketKey, tickets: BlindTicket[]}[]}} DayToDraw */

/** @param {{epoch: string, counted: string[], other: string[]}[]} draws @param {string} pad */
const bodyOf = (draws, pad) => ({ draws, pad });

/**
 * Pad every draw to the length of the longest, because the number of missing days reveals how often a phone is used.
 *
 * @param {{epoch: string, counted: string[], other: string[]}[]} draws 1 to 15
 * @returns {{draws: object[], pad: string}}
 */
export function paddedBody(draws) {
  const length = (/** @type {object} */ body) => JSON.stringify(body).length;
  const [first] = draws;
  if (!first) throw new RangeError("nothing to draw");
  const whole = length(bodyOf(new Array(MOST_SETS).fill(first), ""));
  return bodyOf(draws, "0".repeat(whole - length(bodyOf(draws, ""))));
}

/** @param {Person} person @param {DayToDraw[]} days @returns {Promise<import("./api.js").Answer>} */
async function sendDays(person, days) {
  const draws = days.map(({ epoch, halves }) => {
    const [counted = [], other = []] = halves.map(({ tickets }) => tickets.map(({ blinded }) => toBase64Url(blinded)));
    return { epoch: epoch.date, counted, other };
  });
  return request("POST", "/api/v1/tickets", { body: paddedBody(draws), authorization: authorization(await deriveKeys(person.secret)), timeoutMs: DRAW_TIMEOUT_MS });
}

/**
 * @param {DayToDraw} day
 * @param {any} answer of the server, for this day
 * @returns {Promise<Uint8Array<ArrayBuffer>[] | null>} sixteen signatures, or null: a set with an invalid ticket is not kept
 */
async function finishDay({ epoch, halves }, answer) {
  if (answer?.epoch !== epoch.date) return null;
  /** @type {Uint8Array<ArrayBuffer>[]} */
  const signatures = [];
  for (const { key, tickets } of halves) {
    const signed = answer[key.class];
    if (!Array.isArray(signed) || signed.length !== tickets.length) return null;
    const verifier = await verifierOf(key);
    for (const [at, ticket] of tickets.entries()) {
      const signature = await unblindTicket(ticket, key, verifier, epoch.start, readValue(signed[at]));
      if (!signature) return null;
      signatures.push(signature);
    }
  }
  return signatures;
}

/** @param {unknown} text @returns {Uint8Array} empty if it is not base64url */
function readValue(text) {
  try {
    return fromBase64Url(String(text));
  } catch {
    return new Uint8Array();
  }
}

/**
 * Draw ahead for one person of this device, if the present session of the app allows it.
 *
 * @param {VisitorStore} store
 * @param {number} nowMs
 * @param {() => number} random
 * @returns {Promise<Drawn | null>} null if there was nothing to draw
 * @throws {import("./api.js").Unreachable}
 */
export async function drawAhead(store, nowMs, random) {
  if (!mayDraw(await store.opening(), nowMs) || nowMs < (await store.drawAfter())) return null;
  const people = (await store.people()).filter(({ rests }) => !rests);
  if (people.length === 0) return null;
  const drawn = await drawForOne(store, people, nowMs);
  if (drawn?.kind === "later") await store.saveDrawAfter(nowMs + (1 + random()) * 1000 * (drawn.retryAfterS ?? USUAL_PATIENCE_S));
  return drawn;
}

/** @param {VisitorStore} store @param {Person[]} people @param {number} nowMs @returns {Promise<Drawn | null>} */
async function drawForOne(store, people, nowMs) {
  const nowS = nowMs / 1000;
  const keys = await readKeys(store, nowS);
  if ("kind" in keys) return keys;
  const candidates = await Promise.all(
    people.map(async (person) => {
      const days = missingDays(keys, await store.ticketSets(person.id), nowS);
      return { person, days, missing: days.length };
    }),
  );
  const chosen = whoDraws(candidates);
  if (!chosen || !(await store.claimOpening(chosen.person.id, nowMs))) return null;
  return drawDays(store, chosen.person, keys.pins, chosen.days, nowS);
}
