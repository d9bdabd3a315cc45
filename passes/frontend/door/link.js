/**
 * The kiosk's link to the server: enrolment, the bundle, live scans and the queue.
 *
 * @typedef {import("../stores/kiosk.js").KioskStore} KioskStore
 * @typedef {import("./bundle.js").Bundle} Bundle
 * @typedef {import("./seal.js").Scan} Scan
 */
import { request, Unreachable } from "../core/api.js";
import { fromBase64Url } from "../core/bytes.js";
import { openBundle } from "./bundle.js";
import { shuffled } from "./random.js";

/** Longest wait for the server's verdict; after it, the kiosk's own decision counts. */
const LIVE_TIMEOUT_MS = 1200;
/** Time for which the door decides alone after a request without a response. */
const LIVE_PAUSE_MS = 15_000;
/** Sealed scans have about 800 bytes: a batch is far below the server's limit on a body. */
const BATCH = 250;
const VERDICTS = new Set(["Approved", "Declined"]);
/**
 * Status codes of requests that the server read and does not accept, so that a retry would not help. Other client errors
 * (404, 405, 410, 421, 425, 451) do not concern a scan: another server responds at the URL, or the right one not yet.
 */
const REFUSED = new Set([400, 406, 409, 411, 412, 413, 414, 415, 416, 417, 422, 428, 431]);
/** Longest accepted Retry-After: some proxies send a day. */
const MOST_WAIT_S = 300;
/** The limit on repeats of one code at one venue, as the server's RateLimit header names it. */
const OF_ONE_CODE = '"code"';
/** If the server refuses this many scans in one upload, the cause is not the scans: the others wait. */
const MOST_REFUSED = 8;

/** The server does not accept the token: the device was revoked. */
export class Revoked extends Error {}

export class ServerLink {
  /** @param {string} token */
  constructor(token) {
    this.authorization = `Device ${token}`;
    this.quietUntil = 0;
    /** When the next request may be sent, after a Retry-After. */
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
   * Send one scan while the visitor waits, so that kiosks of one venue share used passes.
   *
   * @param {string} scanId
   * @param {Scan} scan
   * @returns {Promise<boolean | null>} the server's verdict; null if it did not respond in time
   * @throws {Revoked}
   */
  async askLive(scanId, scan) {
    if (!navigator.onLine || performance.now() < Math.max(this.quietUntil, this.retryAt)) return null;
    try {
      const answer = await this.ask("POST", "/api/v1/scans", { body: { scan_id: scanId, ...scan }, timeoutMs: LIVE_TIMEOUT_MS });
      const { status, body } = answer;
      // Declined, because this door alone might approve a pass that another door refused. Other passes are still sent.
      if (isRepeat(answer)) return false;
      // A captive portal also responds with 200: that is not a verdict.
      if (status === 200 && VERDICTS.has(body?.result)) return body.result === "Approved";
      if (REFUSED.has(status)) return null; // about this scan alone; the queue reports it to the staff
    } catch (error) {
      if (error instanceof Revoked) throw error;
    }
    this.quietUntil = performance.now() + LIVE_PAUSE_MS;
    return null;
  }

  /**
   * Send the queued scans, in shuffled batches. A scan leaves the queue after the server has acknowledged it; a lost
   * response is harmless, because a known scan id gets its first response again. A scan that the server refuses is set
   * aside for the staff, and the others are still sent.
   *
   * @param {KioskStore} store
   * @returns {Promise<number>} how many were accepted
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
      if (handled < scans.length) return taken; // no endless retries of unanswered scans
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

/** @param {number} status @returns {boolean} whether the server was too busy, so that a retry may succeed */
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

/** @param {import("../core/api.js").Answer} answer @returns {boolean} whether the venue's doors sent this one code too often */
function isRepeat({ status, rateLimit }) {
  return status === 429 && rateLimit.split(",").some((limit) => limit.trim().startsWith(OF_ONE_CODE));
}

/**
 * @param {{code: string, name: string, kind: "Gate" | "Personal"}} body
 * @returns {Promise<string | null>} the device's token; null if the code is not accepted
 * @throws {Unreachable}
 */
export async function enrol(body) {
  const { status, body: answer } = await request("POST", "/api/v1/devices", { body });
  if (status === 201 && typeof answer?.token === "string") return answer.token;
  if (!REFUSED.has(status)) throw new Unreachable("not now");
  return null;
}

/**
 * @param {string} text from an enrolment QR, or the typed code
 * @returns {string | null} the code; null for anything else, such as a pass or the code of a key, which must not be sent
 */
export function readEnrolment(text) {
  const code = text.slice(text.indexOf("#") + 1).replace(/[\s-]/g, "");
  return /^[0-9a-z]{12}$/i.test(code) ? code : null;
}
