/**
 * Readings as staff type them. A number that no thermometer or oximeter shows is a slip, or another unit: it is asked
 * for again and never judged.
 *
 * @typedef {"F" | "C"} Unit of temperatures as people read them
 */

/** Lowest and highest temperature in degrees Fahrenheit that is a reading; the server holds the same. */
export const TEMPERATURE_RANGE_F = /** @type {const} */ ([50, 150]);
/** Lowest and highest oxygen saturation, percent. */
export const OXYGEN_RANGE = /** @type {const} */ ([0, 100]);

/** @param {string} text @returns {number | null} a plain decimal number, full-width or not; a comma is a point in most of the world */
function plainNumber(text) {
  const trimmed = text.normalize("NFKC").trim();
  return /^\d{1,3}([.,]\d{1,2})?$/.test(trimmed) ? Number(trimmed.replace(",", ".")) : null;
}

/** @param {number | null} value @param {readonly [number, number]} range @returns {number | null} */
function within(value, [lowest, highest]) {
  return value !== null && value >= lowest && value <= highest ? value : null;
}

/** @param {string} text @param {Unit} unit @returns {number | null} degrees Fahrenheit, null for what is no reading */
export function readTemperature(text, unit) {
  const value = plainNumber(text);
  if (value === null) return null;
  return within(unit === "C" ? Math.round((value * 9 / 5 + 32) * 100) / 100 : value, TEMPERATURE_RANGE_F);
}

/** @param {string} text @returns {number | null} percent, null for what is no reading */
export function readOxygen(text) {
  return within(plainNumber(text), OXYGEN_RANGE);
}
