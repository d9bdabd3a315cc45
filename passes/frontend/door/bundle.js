/**
 * The signed bundle: everything that a kiosk needs to decide without a network. `docs/protocol.md`, section 8.
 *
 * @typedef {object} IssuerKey
 * @property {Uint8Array<ArrayBuffer>} publicKey 32 bytes
 * @property {Uint8Array<ArrayBuffer>} kid       4 bytes
 * @property {number[]} epochs starts of the epochs it may sign, Unix seconds
 *
 * @typedef {object} Requirements of the door; null: not required
 * @property {number} version
 * @property {number | null} highestTemperatureF
 * @property {number | null} lowestO2 percent
 * @property {number | null} capacity people
 * @property {number} enforcedPercent
 * @property {import("./hours.js").WeeklyHours | null} hours
 * @property {boolean} rotatingRequired
 * @property {boolean} privateDoor
 * @property {number[]} invitationEpochs starts of the epochs whose check-in requires an invitation
 * @property {[start: number, end: number][]} openings Unix seconds; the venue is open then, whatever its hours
 * @property {number | null} usualDwellS a stay ends this many seconds after the last Checkin without a Checkout
 *
 * @typedef {object} Bundle
 * @property {string} venue public id
 * @property {number} serverTime Unix seconds, when the server responded
 * @property {number} goodUntil  Unix seconds
 * @property {IssuerKey[]} keys
 * @property {Requirements} requirements
 * @property {{salt: Uint8Array<ArrayBuffer>, publishedAt: number, entries: Set<string>}} revocations entries in hexadecimal
 * @property {Uint8Array<ArrayBuffer>} sealingKey raw X25519 public key
 * @property {import("./inside.js").Occupancy | null} occupancy
 * @property {string} name of the venue, empty from an older server
 * @property {boolean} unmanned whether the door may be left without staff
 */
import { decode, Tagged } from "cborg";
import { equal, toHex, utf8 } from "../core/bytes.js";
import { verify } from "../core/ed25519.js";
import { headerOf, signatureInput } from "../core/pass.js";
import { sha256 } from "../core/secret.js";
import { wallClock } from "./hours.js";

const BUNDLE_AAD = utf8("crowdtrace/v1/bundle");
const SIGN1_TAG = 18;
const ENTRY_BYTES = 8;
const STRICT = { strict: true, useMaps: true, allowIndefinite: false, allowUndefined: false, rejectDuplicateMapKeys: true };

/** The bytes are not a bundle of this deployment. */
export class BundleError extends Error {}

/**
 * @param {Uint8Array<ArrayBuffer>} publicKey
 * @returns {Promise<Uint8Array<ArrayBuffer>>} its key id, SHA-256 truncated to 4 bytes
 */
export async function keyId(publicKey) {
  return (await sha256(publicKey)).slice(0, 4);
}

/**
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @param {Uint8Array<ArrayBuffer>} rootKey raw Ed25519 public key, pinned when the kiosk enrolled
 * @returns {Promise<Bundle>}
 * @throws {BundleError} unless this key signed it as a bundle
 */
export async function openBundle(bytes, rootKey) {
  try {
    const [header, unprotected, payload, signature] = envelope(bytes);
    if (!equal(header, headerOf(await keyId(rootKey))) || unprotected.size !== 0) throw new BundleError("another header or key");
    if (!(await verify(signature, signatureInput(header, BUNDLE_AAD, payload), rootKey))) throw new BundleError("the signature does not hold");
    return await readBundle(new Fields(decode(payload, STRICT)));
  } catch (error) {
    throw error instanceof BundleError ? error : new BundleError("not a bundle", { cause: error });
  }
}

/**
 * @param {Uint8Array} bytes
 * @returns {[Uint8Array<ArrayBuffer>, Map<unknown, unknown>, Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>]}
 */
function envelope(bytes) {
  const message = decode(bytes, { ...STRICT, tags: Tagged.preserve(SIGN1_TAG) });
  const parts = message instanceof Tagged && message.tag === SIGN1_TAG ? message.value : null;
  if (!Array.isArray(parts) || parts.length !== 4) throw new BundleError("not a COSE_Sign1");
  const [header, unprotected, payload, signature] = parts;
  if (!(unprotected instanceof Map)) throw new BundleError("not a COSE_Sign1");
  return [own(header), unprotected, own(payload), own(signature)];
}

/** @param {unknown} value @param {number} [length] @returns {Uint8Array<ArrayBuffer>} a copy of a byte string */
function own(value, length) {
  if (!(value instanceof Uint8Array) || (length !== undefined && value.length !== length)) throw new BundleError("not these bytes");
  return new Uint8Array(value);
}

/** @param {unknown} value @returns {number} */
function whole(value) {
  if (!Number.isSafeInteger(value)) throw new BundleError("not a whole number");
  return /** @type {number} */ (value);
}

/** @param {unknown} value @returns {unknown[]} */
function list(value) {
  if (!Array.isArray(value)) throw new BundleError("not a list");
  return value;
}

/** Typed look-ups in a map with small integer keys. */
class Fields {
  /** @param {unknown} map */
  constructor(map) {
    if (!(map instanceof Map)) throw new BundleError("not a map");
    /** @type {Map<unknown, unknown>} */
    this.map = map;
  }

  /** @param {number} key */
  whole(key) {
    return whole(this.map.get(key));
  }

  /** @param {number} key @param {number} [parts] number of written units per returned unit */
  maybe(key, parts = 1) {
    return this.map.has(key) ? this.whole(key) / parts : null;
  }

  /** @param {number} key @returns {boolean} */
  flag(key) {
    const value = this.map.get(key);
    if (typeof value !== "boolean") throw new BundleError("not true or false");
    return value;
  }

  /** @param {number} key @returns {string} */
  text(key) {
    const value = this.map.get(key);
    if (typeof value !== "string") throw new BundleError("not a text");
    return value;
  }

  /** @param {number} key */
  wholes(key) {
    return list(this.map.get(key)).map(whole);
  }
}

/** @param {Fields} fields @returns {Promise<Bundle>} */
async function readBundle(fields) {
  if (fields.whole(1) !== 1) throw new BundleError("the bundle has another format");
  return {
    venue: fields.text(2),
    serverTime: fields.whole(3),
    goodUntil: fields.whole(4),
    keys: await Promise.all(list(fields.map.get(5)).map(readKey)),
    requirements: readRequirements(new Fields(fields.map.get(6))),
    revocations: readRevocations(new Fields(fields.map.get(7))),
    sealingKey: own(fields.map.get(8), 32),
    occupancy: fields.map.has(9) ? readOccupancy(new Fields(fields.map.get(9))) : null,
    name: fields.map.has(10) ? fields.text(10) : "",
    unmanned: fields.map.has(11) && fields.flag(11),
  };
}

/** @param {unknown} entry @returns {Promise<IssuerKey>} */
async function readKey(entry) {
  const [raw, epochs] = list(entry);
  const publicKey = own(raw, 32);
  return { publicKey, kid: await keyId(publicKey), epochs: list(epochs).map(whole) };
}

/** @param {Fields} fields @returns {Requirements} */
function readRequirements(fields) {
  return {
    version: fields.whole(1),
    highestTemperatureF: fields.maybe(2, 100),
    lowestO2: fields.maybe(3, 100),
    capacity: fields.maybe(4),
    enforcedPercent: fields.whole(5),
    hours: fields.map.has(6) ? readHours(new Fields(fields.map.get(6))) : null,
    rotatingRequired: fields.flag(7),
    privateDoor: fields.flag(8),
    invitationEpochs: fields.wholes(9),
    openings: fields.map.has(10) ? list(fields.map.get(10)).map(readOpening) : [],
    usualDwellS: fields.map.has(11) ? fields.whole(11) * 60 : null,
  };
}

/** @param {Fields} fields @returns {import("./inside.js").Occupancy} */
function readOccupancy(fields) {
  return { countedAt: fields.whole(1), still: fields.wholes(2) };
}

/** @param {unknown} entry @returns {[start: number, end: number]} */
function readOpening(entry) {
  const [start, end] = list(entry).map(whole);
  return [whole(start), whole(end)];
}

/** @param {Fields} fields @returns {import("./hours.js").WeeklyHours} */
function readHours(fields) {
  const zone = fields.text(1);
  wallClock(zone); // throws for a zone that this browser does not know, before a door relies on it
  const spans = list(fields.map.get(2)).map((entry) => {
    const [weekday, opens, closes] = list(entry).map(whole);
    return /** @type {[number, number, number]} */ ([weekday, opens, closes]);
  });
  return { zone, spans };
}

/** @param {Fields} fields */
function readRevocations(fields) {
  const joined = own(fields.map.get(3));
  if (joined.length % ENTRY_BYTES) throw new BundleError("a revocation entry has 8 bytes");
  const entries = new Set(Array.from({ length: joined.length / ENTRY_BYTES }, (_, at) => toHex(joined.slice(at * ENTRY_BYTES, (at + 1) * ENTRY_BYTES))));
  return { salt: own(fields.map.get(1), 16), publishedAt: fields.whole(2), entries };
}
