/** The displayed name of a place. An unverified place may have the name of a known one, so it is always marked. */
import { words } from "./page.js";

/** @param {{name: string, verified?: boolean}} place the page has the texts of the mark, which old rows lack @returns {string} */
export function shownName({ name, verified = true }) {
  return verified ? name : words("unverified-place", { name });
}
