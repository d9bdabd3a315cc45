/** Completion of names in a text. Pure. */

const MOST = 8;
const LEAST = 2;

/** @param {string} text @param {number} at position of the cursor @returns {string} the beginning of a name before it */
export function begun(text, at) {
  return /[A-Za-z_]\w*$/.exec(text.slice(0, at))?.[0] ?? "";
}

/** @param {readonly string[]} names @param {string} start @returns {string[]} names that start with it, then those that contain it */
export function fitting(names, start) {
  if (start.length < LEAST) return [];
  const low = start.toLowerCase();
  const first = names.filter((name) => name.toLowerCase().startsWith(low) && name.length > start.length);
  const inside = names.filter((name) => !first.includes(name) && name.toLowerCase().includes(low) && name.toLowerCase() !== low);
  return [...first, ...inside].slice(0, MOST);
}

/** @param {string} text @param {number} at @param {string} name @returns {{text: string, at: number}} the completed text and cursor */
export function completed(text, at, name) {
  const start = at - begun(text, at).length;
  return { text: text.slice(0, start) + name + text.slice(at), at: start + name.length };
}
