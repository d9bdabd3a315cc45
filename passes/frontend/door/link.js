/**
 * The kiosk's link to the server: enrolment, the bundle, the live question and the queue.
 *
 * @typedef {import("../stores/kiosk.js").KioskStore} KioskStore
 * @typedef {import("./bundle.js").Bundle} Bundle
 * @typedef {import("./seal.js").Scan} Scan
 */
import { request, Unreachable } from "../core/api.js";
import { fromBase64Url } from "../core/bytes.js";
import { openBundle } from "./bundle.js";
import { shuffled } from "./random.js";

/** A visitor waits no longer than this for a second opinion; the kiosk's own decision stands after it. */
const LIVE_TIMEOUT_MS = 1200;
/** After a question without an answer, the door decides alone for so long before it asks again. */
const LIVE_PAUSE_MS = 15_000;
/** Sealed scans are about 800 bytes: a batch stays far below the server's limit on a body. */
const BATCH = 250;
const VERDICTS = new Set(["Approved", "Declined"]);
/**
 * The server read the request and does not accept it: to send the same again would not help. Other refusals (404, 405,
 * 410, 421, 425, 451) are not about a scan: something else answers at the address, or not yet.
 */
const REFUSED = new Set([400, 406, 409, 411, 412, 413, 414, 415, 416, 417, 422, 428, 431]);
/** The server's wish to be left alone holds for this long at most: some proxies ask for a day. */
const MOST_WAIT_S = 300;
/** The limit on repeats of one code at one venue, as the server's RateLimit header names it. */
const OF_ONE_CODE = '"code"';
/** If the server refuses this many scans in one upload, the fault lies elsewhere: the rest waits. */
const MOST_REFUSED = 8;

/** The server does not take the token: the device was revoked. */
export class Revoked extends Error {}

export class ServerLink {
  /** @param {string} token */
  constructor(token) {
    this.authorization = `Device ${token}`;
    this.quietUntil = 0;
    /** When the server may be asked again at all, as it wished. */
    this.retryAt = 0;
  }

  /** @param {"GET" | "POST"} method @param {string} path @param {object} [options] */
  async ask(method, path, options = {}) {
    const answer = await request(method, path, { ...options, authorization: this.authorization });
    if (answer.status === 401 || answer.status === 403) throw new Revoked(path);
    if (answer.retryAfterS !== null && isBusy(answer.status) && !isRepeat(answer)) {
      this.retryAt = performance.now() + Math.min(answer.retryAfterS, MOST_WAIT_S) * 1000;
    }
    return answer;
  }

  /**
   * @param {Uint8Array<ArrayBuffer>} rootKey
   * @returns {Promise<{bytes: Uint8Array<ArrayBuffer>, bundle: Bundle}>}
   * @throws {Unreachable | Revoked | import("./bundle.js").BundleError}
   */
  async fetchBundle(rootKey) {
    const { status, body } = await this.ask("GET", "/api/v1/device/bundle");
    if (status !== 200 || typeof body?.bundle !== "string") throw new Unreachable("no bundle");
    const bytes = bundleBytes(body.bundle);
    return { bytes, bundle: await openBundle(bytes, rootKey) };
  }

  /**
   * Asks the server about one scan while the visitor stands there, so that kiosks of one venue share used passes.
   *
   * @param {string} scanId
   * @param {Scan} scan
   * @returns {Promise<boolean | null>} its verdict, null when it did not answer in time
   * @throws {Revoked}
   */
  async askLive(scanId, scan) {
    if (!navigator.onLine || performance.now() < Math.max(this.quietUntil, this.retryAt)) return null;
    try {
      const answer = await this.ask("POST", "/api/v1/scans", { body: { scan_id: scanId, ...scan }, timeoutMs: LIVE_TIMEOUT_MS });
      const { status, body } = answer;
      // Decided alone, a pass that another door refused would be let in here; other passes are asked about as before.
      if (isRepeat(answer)) return false;
      // Another network's page answers 200 as well: it is no answer.
      if (status === 200 && VERDICTS.has(body?.result)) return body.result === "Approved";
      if (REFUSED.has(status)) return null; // about this scan alone; the queue brings it to the staff's notice
    } catch (error) {
      if (error instanceof Revoked) throw error;
    }
    this.quietUntil = performance.now() + LIVE_PAUSE_MS;
    return null;
  }

  /**
   * Sends what waits, in shuffled batches. A scan leaves the queue when the server has answered it; a lost answer is
   * harmless, because a known scan id gets its first answer again. A scan that the server refuses is set aside for the
   * staff, and the rest of the queue goes on.
   *
   * @param {KioskStore} store
   * @returns {Promise<number>} how many were taken
   * @throws {Unreachable | Revoked}
   */
  async upload(store) {
    let taken = 0;
    const budget = { refusals: MOST_REFUSED };
    for (;;) {
      const scans = shuffled(await store.nextQueued(BATCH));
      if (scans.length === 0) return taken;
      const handled = await this.send(scans, store, budget);
      taken += handled;
      if (handled < scans.length) return taken; // never ask again and again for what is not answered
    }
  }

  /**
   * @param {import("../stores/kiosk.js").QueuedScan[]} scans
   * @param {KioskStore} store
   * @param {{refusals: number}} budget
   * @returns {Promise<number>} how many left the queue
   * @throws {Unreachable | Revoked}
   */
  async send(scans, store, budget) {
    if (performance.now() < this.retryAt) throw new Unreachable("the server asked to wait");
    const { status, body } = await this.ask("POST", "/api/v1/scans/batch", { body: { scans } });
    if (status === 200 && Array.isArray(body?.results)) {
      const named = new Set(body.results.map((/** @type {any} */ result) => result?.scan_id));
      const answered = scans.map((scan) => scan.scan_id).filter((id) => named.has(id));
      await store.uploaded(answered);
      return answered.length;
    }
    if (!REFUSED.has(status) || budget.refusals === 0) throw new Unreachable("the batch was not taken");
    const [only] = scans;
    if (only && scans.length === 1) {
      budget.refusals -= 1;
      await store.setAside(only);
      return 1;
    }
    const half = Math.ceil(scans.length / 2);
    return (await this.send(scans.slice(0, half), store, budget)) + (await this.send(scans.slice(half), store, budget));
  }
}

/** @param {number} status @returns {boolean} whether the server had no time, so that the same request may succeed later */
function isBusy(status) {
  return status === 408 || status === 425 || status === 429 || status >= 500;
}

/** @param {string} text @throws {Unreachable} */
function bundleBytes(text) {
  try {
    return fromBase64Url(text);
  } catch (error) {
    throw new Unreachable("no bundle", { cause: error });
  }
}

/** @param {import("../core/api.js").Answer} answer @returns {boolean} whether the venue's doors held up this one code too often */
function isRepeat({ status, rateLimit }) {
  return status === 429 && rateLimit.split(",").some((limit) => limit.trim().startsWith(OF_ONE_CODE));
}

/**
 * @param {{code: string, name: string, kind: "Gate" | "Personal"}} body
 * @returns {Promise<string | null>} the device's token, null when the code is not taken
 * @throws {Unreachable}
 */
export async function enrol(body) {
  const { status, body: answer } = await request("POST", "/api/v1/devices", { body });
  if (status === 201 && typeof answer?.token === "string") return answer.token;
  if (!REFUSED.has(status)) throw new Unreachable("not now");
  return null;
}

/**
 * @param {string} text what an enrolment QR says, or the typed code
 * @returns {string} the code
 */
export function readEnrolment(text) {
  return text.slice(text.indexOf("#") + 1).trim();
}
