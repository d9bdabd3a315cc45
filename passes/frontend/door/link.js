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

/** The server does not take the token: the device was revoked. */
export class Revoked extends Error {}

export class ServerLink {
  /** @param {string} token */
  constructor(token) {
    this.authorization = `Device ${token}`;
    this.quietUntil = 0;
  }

  /** @param {"GET" | "POST"} method @param {string} path @param {object} [options] */
  async ask(method, path, options = {}) {
    const answer = await request(method, path, { ...options, authorization: this.authorization });
    if (answer.status === 401 || answer.status === 403) throw new Revoked(path);
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
    const bytes = fromBase64Url(body.bundle);
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
    if (!navigator.onLine || performance.now() < this.quietUntil) return null;
    try {
      const { status, body } = await this.ask("POST", "/api/v1/scans", { body: { scan_id: scanId, ...scan }, timeoutMs: LIVE_TIMEOUT_MS });
      if (status === 200) return body?.result === "Approved";
    } catch (error) {
      if (error instanceof Revoked) throw error;
    }
    this.quietUntil = performance.now() + LIVE_PAUSE_MS;
    return null;
  }

  /**
   * Sends what waits, in shuffled batches. A scan leaves the queue when the server has answered it; a lost answer is
   * harmless, because a known scan id gets its first answer again.
   *
   * @param {KioskStore} store
   * @returns {Promise<number>} how many were taken
   * @throws {Unreachable | Revoked}
   */
  async upload(store) {
    let taken = 0;
    for (;;) {
      const scans = shuffled(await store.nextQueued(BATCH));
      if (scans.length === 0) return taken;
      const { status, body } = await this.ask("POST", "/api/v1/scans/batch", { body: { scans } });
      if (status !== 200 || !Array.isArray(body?.results)) throw new Unreachable("the batch was not taken");
      const answered = body.results.map((/** @type {{scan_id: string}} */ result) => result.scan_id);
      await store.uploaded(answered);
      taken += answered.length;
      if (answered.length < scans.length) return taken; // never ask again and again for what is not answered
    }
  }
}

/**
 * @param {{code: string, name: string, kind: "Gate" | "Personal"}} body
 * @returns {Promise<string | null>} the device's token, null when the code is not taken
 * @throws {Unreachable}
 */
export async function enrol(body) {
  const answer = await request("POST", "/api/v1/devices", { body });
  if (answer.status >= 500 || answer.status === 429) throw new Unreachable("not now");
  return answer.status === 201 && typeof answer.body?.token === "string" ? answer.body.token : null;
}

/**
 * @param {string} text what an enrolment QR says, or the typed code
 * @returns {string} the code
 */
export function readEnrolment(text) {
  return text.slice(text.indexOf("#") + 1).trim();
}
