/**
 * Requests to the server, always without cookies: an owner's session must not be linked to a visitor's key.
 *
 * @typedef {object} Answer
 * @property {number} status
 * @property {any} body parsed JSON, null if there is none
 * @property {number | null} retryAfterS
 * @property {string} rateLimit the limits that the server counted against, as in its RateLimit header
 */

/** The server could not be reached, or not in time. */
export class Unreachable extends Error {}

const USUAL_TIMEOUT_MS = 15_000;
/** Longest accepted Retry-After: longer ones are errors of proxies, and exceed what a browser's timer can hold. */
const MOST_WAIT_S = 86_400;

/**
 * @param {"GET" | "POST" | "DELETE"} method
 * @param {string} path
 * @param {{body?: unknown, authorization?: string, timeoutMs?: number}} [options]
 * @returns {Promise<Answer>}
 * @throws {Unreachable}
 */
export async function request(method, path, { body, authorization, timeoutMs = USUAL_TIMEOUT_MS } = {}) {
  /** @type {Record<string, string>} */
  const headers = { Accept: "application/json" };
  // The language cookie is not sent either; the page knows its language.
  const language = globalThis.document?.documentElement.lang;
  if (language) headers["Accept-Language"] = language;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (authorization) headers.Authorization = authorization;
  try {
    const response = await fetch(path, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      credentials: "omit",
      cache: "no-store",
      redirect: "error",
      // The referrer would reveal which page sends the request, and so distinguish a draw from a check-in.
      referrerPolicy: "no-referrer",
      signal: AbortSignal.timeout(timeoutMs),
    });
    const answer = parsed(await response.text());
    // A captive portal also responds with 200: without JSON it is not a response of this site.
    if (answer === null && (response.status === 200 || response.status === 201)) throw new TypeError("not an answer of this site");
    const retryAfterS = secondsFrom(response.headers.get("Retry-After") ?? "", Date.now());
    const rateLimit = response.headers.get("RateLimit") ?? "";
    return { status: response.status, body: answer, retryAfterS, rateLimit };
  } catch (error) {
    throw new Unreachable("no answer", { cause: error });
  }
}

/** @param {string} wish value of Retry-After: seconds, or a date @param {number} nowMs @returns {number | null} seconds from now */
function secondsFrom(wish, nowMs) {
  const seconds = /^\s*\d+\s*$/.test(wish) ? Number(wish) : (Date.parse(wish) - nowMs) / 1000;
  return seconds > 0 ? Math.min(seconds, MOST_WAIT_S) : null;
}

/** @param {string} text @returns {any} */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
