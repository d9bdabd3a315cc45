/**
 * The row that the server keeps of a visitor's key.
 *
 * @typedef {import("../stores/visitor.js").Person} Person
 */
import { request } from "./api.js";
import { toBase64Url } from "./bytes.js";
import { authorization, deriveKeys, sha256 } from "./secret.js";

/**
 * Tells the server a key that it does not know yet. Knowing it already is fine.
 *
 * @param {Person} person
 * @returns {Promise<import("./api.js").Answer>} 201, or 200 where it is known
 * @throws {import("./api.js").Unreachable}
 */
export async function register(person) {
  const keys = await deriveKeys(person.secret);
  const body = { erase_hash: toBase64Url(await sha256(keys.erase)) };
  return request("POST", "/api/v1/visitors", { body, authorization: authorization(keys) });
}

/**
 * @param {Person} person
 * @returns {Promise<boolean>} whether the server has no row of this key any more
 * @throws {import("./api.js").Unreachable}
 */
export async function deleteRow(person) {
  const keys = await deriveKeys(person.secret);
  const body = { erase_key: toBase64Url(keys.erase) };
  const { status } = await request("DELETE", "/api/v1/visitors/me", { body, authorization: authorization(keys) });
  return status === 204 || status === 401;
}
