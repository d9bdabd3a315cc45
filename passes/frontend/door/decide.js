/**
 * The decision of a door without a network: a pure function of the text, the bundle, the clock, the readings and the
 * passes that this kiosk has approved before. It mirrors `docs/protocol.md`, sections 6 and 7.
 *
 * The number of people inside is an estimate (`inside.js`): a refusal for it alone is marked, and the server is asked if
 * possible.
 *
 * @typedef {"Checkin" | "Checkout"} ScanType
 * @typedef {{temperatureF?: number | null, o2?: number | null}} Readings degrees Fahrenheit, percent
 *
 * @typedef {object} Seen data about a pass that this kiosk remembers, under a keyed tag
 * @property {string} tag
 * @property {number} until Unix seconds, end of the pass
 * @property {number} lastIn  highest slot of a Checkin, 0 for none
 * @property {number} lastOut highest slot of a Checkout, 0 for none
 * @property {import("./inside.js").Stay[]} stays
 *
 * @typedef {object} Decision
 * @property {boolean} approved
 * @property {string | null} cause for tests; it is never shown, stored or sent
 * @property {import("../core/pass.js").ParsedPass | null} pass parsed; null for other texts
 * @property {Seen | null} seen data to remember if the visitor enters or leaves
 * @property {boolean} estimated refused only for the estimated number inside, which the server may know better
 */
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { stepDown } from "../core/book.js";
import { equal, toHex } from "../core/bytes.js";
import { verify } from "../core/ed25519.js";
import { EPOCH_S, slotAt, SLOTS } from "../core/epoch.js";
import { parseCredential, signedBytes } from "../core/pass.js";
import { isOpen } from "./hours.js";
import { moved, stayAt } from "./inside.js";

const ESTIMATES = new Set(["still_inside", "full"]);

/**
 * @param {object} scan
 * @param {string} scan.text from the reader; any text is a credential
 * @param {ScanType} scan.type
 * @param {number} scan.at Unix seconds of the door's corrected clock
 * @param {Readings} scan.readings
 * @param {import("./bundle.js").Bundle} scan.bundle
 * @param {(anchor: Uint8Array, until: number) => Seen} scan.recall returns what this kiosk knows of the pass
 * @param {number | null} [scan.people] people inside; null if unknown
 * @returns {Promise<Decision>}
 */
export async function decide({ text, type, at, readings, bundle, recall, people = null }) {
  const pass = parseCredential(text);
  if (pass === null) return { approved: false, cause: "malformed", pass, seen: null, estimated: false };
  const cause = (await signatureCause(pass, bundle)) ?? timeCause(pass, at) ?? chainCause(pass, at) ?? listedCause(pass, bundle);
  const seen = recall(pass.anchor, pass.validUntil);
  const slot = pass.shown?.slot ?? slotAt(pass.validFrom, at);
  const refused = cause ?? usedCause(seen, type, slot) ?? (type === "Checkin" ? entryCause(pass, seen, at, readings, bundle.requirements, people) : null);
  const estimated = refused !== null && ESTIMATES.has(refused);
  if (refused !== null && !estimated) return { approved: false, cause: refused, pass, seen: null, estimated };
  const due = Math.min(pass.validUntil, at + (bundle.requirements.usualDwellS ?? EPOCH_S));
  const after = { ...seen, [type === "Checkin" ? "lastIn" : "lastOut"]: slot, stays: moved(seen.stays, type, at, due) };
  return { approved: refused === null, cause: refused, pass, seen: after, estimated };
}

/** Return `replay` for a used slot. Earlier slots are used too, since a displayed code reveals all earlier ones. @param {Seen} seen @param {ScanType} type @param {number} slot */
function usedCause(seen, type, slot) {
  return slot <= (type === "Checkin" ? seen.lastIn : seen.lastOut) ? "replay" : null;
}

/** @typedef {import("../core/pass.js").ParsedPass} ParsedPass */

/** @param {ParsedPass} pass @param {import("./bundle.js").Bundle} bundle @returns {Promise<string | null>} */
async function signatureCause(pass, bundle) {
  const named = bundle.keys.filter((key) => equal(key.kid, pass.kid));
  if (named.length === 0) return "key_unknown";
  const signed = signedBytes(pass, bundle.venue);
  for (const key of named) {
    if (!(await verify(pass.signature, signed, key.publicKey))) continue;
    const fits = key.epochs.includes(pass.validFrom) && pass.validUntil === pass.validFrom + EPOCH_S;
    return fits ? null : "key_epoch";
  }
  return "signature";
}

/** @param {ParsedPass} pass @param {number} at @returns {string | null} */
function timeCause(pass, at) {
  if (at < pass.validFrom) return "not_yet_valid";
  return at >= pass.validUntil ? "expired" : null;
}

/** @param {ParsedPass} pass @param {number} at @returns {string | null} */
function chainCause(pass, at) {
  if (pass.shown === null) return null;
  const { slot } = pass.shown;
  if (slot < 1 || slot > SLOTS || Math.abs(slot - slotAt(pass.validFrom, at)) > 1) return "slot";
  let { value } = pass.shown;
  for (let down = slot; down > 0; down -= 1) value = stepDown(pass.validFrom, down, value);
  return equal(value, pass.anchor) ? null : "chain";
}

/** @param {ParsedPass} pass @param {import("./bundle.js").Bundle} bundle @returns {string | null} */
function listedCause(pass, { revocations, requirements }) {
  const entry = toHex(hmac(sha256, revocations.salt, pass.anchor).slice(0, 8));
  if (revocations.entries.has(entry)) return "revoked";
  return pass.shown === null && requirements.rotatingRequired ? "rotating_required" : null;
}

/**
 * @param {ParsedPass} pass
 * @param {Seen} seen
 * @param {number} at
 * @param {Readings} readings
 * @param {import("./bundle.js").Requirements} requirements
 * @param {number | null} people
 * @returns {string | null}
 */
function entryCause(pass, seen, at, readings, requirements, people) {
  const { hours, openings } = requirements;
  const inside = stayAt(seen.stays, at) !== undefined;
  if (pass.shown === null && inside) return "still_inside";
  if (requirements.privateDoor && !requirements.invitationEpochs.includes(pass.validFrom)) return "private_door";
  if (hours !== null && !isOpen(hours, at) && !openings.some(([start, end]) => start <= at && at < end)) return "closed";
  const limit = peopleLimit(requirements);
  return readingCause(readings, requirements) ?? (!inside && limit !== null && people !== null && people >= limit ? "full" : null);
}

/** @param {import("./bundle.js").Requirements} requirements @returns {number | null} the largest number of people inside */
export function peopleLimit({ capacity, enforcedPercent }) {
  return capacity === null ? null : Math.max(1, Math.floor((capacity * enforcedPercent) / 100));
}

/** @param {Readings} readings @param {import("./bundle.js").Requirements} requirements @returns {string | null} */
function readingCause({ temperatureF = null, o2 = null }, { highestTemperatureF, lowestO2 }) {
  if ((highestTemperatureF !== null && temperatureF === null) || (lowestO2 !== null && o2 === null)) return "reading_missing";
  // Written so that a reading that is not a number declines.
  if (highestTemperatureF !== null && !(Number(temperatureF) <= highestTemperatureF)) return "temperature";
  return lowestO2 !== null && !(Number(o2) >= lowestO2) ? "o2" : null;
}
