/**
 * The server's row of a visitor's key.
 *
 * @typedef {import("../stores/visitor.js").Person} Person
 */
import { request } from "./api.js";
import { toBase64Url } from "./bytes.js";
import { authorization, deriveKeys, sha256 } from "./secret.js";

/**
 * Register a key at the server; a registered key is no error.
 *
 * @param {Person} person
 * @returns {Promise<import("./api.js").Answer>} 201, or 200 if it is registered
 * @throws {import("./api.js").Unreachable}
 */
export async function register(person) {
  const keys = await deriveKeys(person.secret);
  const body = { erase_hash: toBase64Url(await sha256(keys.erase)) };
  return request("POST", "/api/v1/visitors", { body, authorization: authorization(keys) });
}

/**
 * @param {Person} person
 * @returns {Promise<boolean>} whether the server no longer has a row of this key
 * @throws {import("./api.js").Unreachable}
 */
export async function deleteRow(person) {
  const keys = await deriveKeys(person.secret);
  const body = { erase_key: toBase64Url(keys.erase) };
  const { status } = await request("DELETE", "/api/v1/visitors/me", { body, authorization: authorization(keys) });
  return status === 204 || status === 401;
}
