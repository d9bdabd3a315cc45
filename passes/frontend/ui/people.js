/** Names of the people of a device on its pages. The texts are in `passes/_people.html`. */
import { word, words } from "./page.js";

/** @typedef {import("../stores/visitor.js").Person} Person */

/** @param {Person} person @param {Person[]} people everybody on this device @returns {string} */
export function calledOn(person, people) {
  if (person.label) return person.label;
  const unnamed = people.filter(({ label }) => !label);
  if (unnamed.length === 1) return word("me");
  return words("person", { number: people.findIndex(({ id }) => id === person.id) + 1 });
}
