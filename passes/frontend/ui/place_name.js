/** A place's name as visitors see it: one that nobody verified may be named like a known one, so it always says so. */
import { words } from "./page.js";

/** @param {{name: string, verified?: boolean}} place rows from before the mark do not know; the page has the words @returns {string} */
export function shownName({ name, verified = true }) {
  return verified ? name : words("unverified-place", { name });
}
