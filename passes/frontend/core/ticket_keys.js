/**
 * The published keys of tickets, and the ones that this device has pinned.
 *
 * A server that shows two visitors different keys can distinguish their tickets later. So a device uses only the first
 * key that it sees for a class and an epoch, and people can compare eight characters of each epoch's set.
 *
 * @typedef {import("./epoch.js").Epoch} Epoch
 * @typedef {import("./tickets.js").TicketKey} TicketKey
 * @typedef {import("./tickets.js").TicketClass} TicketClass
 *
 * @typedef {object} ListedSet entries of a list for one epoch
 * @property {Epoch} epoch
 * @property {TicketKey[]} keys those that passed every check
 * @property {boolean} sound whether the list has exactly one key per class, and both are valid
 *
 * @typedef {object} Pin the first set of one epoch that the device saw
 * @property {Epoch} epoch
 * @property {Partial<Record<TicketClass, Uint8Array<ArrayBuffer>>>} moduli 256 bytes each
 * @property {boolean} second whether another key or start of the day was listed later
 */
import { concat, equal, u32, utf8 } from "./bytes.js";
import { EPOCH_S } from "./epoch.js";
import { sha256 } from "./secret.js";
import { CLASSES, readTicketKey, spkiOf } from "./tickets.js";

export const KEYS_PATH = "/.well-known/ticket-keys.json";
/** Largest difference between local midnight and midnight in UTC. */
const FURTHEST_ZONE_S = 15 * 3600;
/** Hash rounds that make a search for a second set with equal characters expensive: see `passes/codec/fingerprint.py`. */
const ROUNDS = 1 << 17;
const FINGERPRINT_BYTES = 5;
const FINGERPRINT_DOMAIN = utf8("crowdtrace/v1/ticket-keys");
/** Crockford's alphabet: no I, L, O, U. */
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** @param {any} listed @returns {Epoch | null} null if it is not a calendar day */
function readEpoch(listed) {
  const { date, start, end } = listed ?? {};
  if (typeof date !== "string" || !/^\d{4}-\d\d-\d\d$/.test(date) || !Number.isInteger(start)) return null;
  const midnight = Date.parse(`${date}T00:00:00Z`) / 1000;
  return Math.abs(start - midnight) <= FURTHEST_ZONE_S && end === start + EPOCH_S ? { date, start, end } : null;
}

/**
 * @param {any} body of the list
 * @returns {ListedSet[]} one for each epoch that the list names exactly once, earliest first
 */
export function readKeyList(body) {
  if (!Array.isArray(body?.keys) || !Array.isArray(body?.epochs)) return [];
  const epochs = body.epochs.flatMap((/** @type {any} */ listed) => readEpoch(listed) ?? []);
  const once = epochs.filter((/** @type {Epoch} */ { date }) => epochs.filter((/** @type {Epoch} */ other) => other.date === date).length === 1);
  return once
    .map((/** @type {Epoch} */ epoch) => {
      const listed = body.keys.filter((/** @type {any} */ jwk) => jwk?.epoch === epoch.date);
      /** @type {TicketKey[]} */
      const keys = listed.flatMap((/** @type {any} */ jwk) => readTicketKey(jwk) ?? []);
      const sound = listed.length === CLASSES.length && CLASSES.every((name) => keys.some((key) => key.class === name));
      return { epoch, keys, sound };
    })
    .sort((/** @type {ListedSet} */ a, /** @type {ListedSet} */ b) => a.epoch.start - b.epoch.start);
}

/**
 * Add the sets of a list to the pinned ones. The first set of an epoch stays.
 *
 * @param {Pin[]} pins
 * @param {ListedSet[]} listed
 * @param {number} nowS pins of days that have ended are dropped
 * @returns {Pin[]}
 */
export function pinKeys(pins, listed, nowS) {
  const kept = new Map(pins.filter(({ epoch }) => epoch.end > nowS).map((pin) => [pin.epoch.date, pin]));
  for (const { epoch, keys, sound } of listed) {
    const pin = kept.get(epoch.date);
    if (!pin && !sound) continue;
    /** @type {Pin} */
    const next = { epoch: pin?.epoch ?? epoch, moduli: { ...pin?.moduli }, second: (pin?.second ?? false) || (pin !== undefined && pin.epoch.start !== epoch.start) };
    for (const { class: name, modulus } of keys) {
      const first = next.moduli[name];
      if (!first) next.moduli[name] = modulus;
      else if (!equal(modulus, first)) next.second = true;
    }
    kept.set(epoch.date, next);
  }
  return [...kept.values()];
}

/**
 * @param {Pin[]} pins that `pinKeys` returned for this list
 * @param {ListedSet | undefined} listed
 * @returns {"good" | "changed" | "wrong"} whether tickets may be drawn under the listed keys of this epoch
 */
export function judgeSet(pins, listed) {
  if (!listed) return "wrong";
  const pin = pins.find(({ epoch }) => epoch.date === listed.epoch.date);
  if (!pin) return "wrong";
  const same = listed.keys.every(({ class: name, modulus }) => equal(modulus, pin.moduli[name] ?? new Uint8Array()));
  if (!same || pin.epoch.start !== listed.epoch.start) return "changed";
  return listed.sound ? "good" : "wrong";
}

/**
 * @param {Pin} pin
 * @param {TicketClass} name
 * @returns {TicketKey | null} the key for drawing and spending tickets of this day, whatever a list has later
 */
export function pinnedKey({ epoch, moduli }, name) {
  const modulus = moduli[name];
  return modulus ? { date: epoch.date, class: name, modulus, spki: spkiOf(modulus) } : null;
}

/**
 * Compute eight characters of an epoch's set for people to compare: if those of the phone, the door and the public page
 * differ, the server shows different keys to different people. They depend on the start of the day and both keys.
 *
 * @param {Pin} pin
 * @returns {Promise<string | null>} null while a key is missing
 */
export async function fingerprintOf({ epoch, moduli: { counted, other } }) {
  if (!counted || !other) return null;
  const set = concat(u32(epoch.start), await sha256(spkiOf(counted)), await sha256(spkiOf(other)));
  const material = await crypto.subtle.importKey("raw", set, "PBKDF2", false, ["deriveBits"]);
  const parameters = { name: "PBKDF2", hash: "SHA-256", salt: FINGERPRINT_DOMAIN, iterations: ROUNDS };
  const bits = new Uint8Array(await crypto.subtle.deriveBits(parameters, material, 8 * FINGERPRINT_BYTES));
  let value = bits.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
  let text = "";
  for (; text.length < 8; value /= 32n) text = ALPHABET[Number(value % 32n)] + text;
  return text;
}

/** @param {Pin[]} pins @param {number} nowS @returns {Pin | undefined} of the present calendar day */
export function pinOfToday(pins, nowS) {
  const running = pins.filter(({ epoch }) => epoch.start <= nowS && nowS < epoch.end);
  return running.sort((a, b) => b.epoch.start - a.epoch.start)[0];
}
