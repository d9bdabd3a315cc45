/**
 * Readings typed by staff. A number that no thermometer or oximeter shows is a typing error or has another unit: it is
 * requested again and never used.
 *
 * @typedef {"F" | "C"} Unit of temperatures as people read them
 */

/** Lowest and highest valid temperature in degrees Fahrenheit, as on the server. */
export const TEMPERATURE_RANGE_F = /** @type {const} */ ([50, 150]);
/** Lowest and highest valid oxygen saturation in percent. */
export const OXYGEN_RANGE = /** @type {const} */ ([0, 100]);

/** @param {string} text @returns {number | null} a decimal number, full-width or not, with a point or a comma */
function plainNumber(text) {
  const trimmed = text.normalize("NFKC").trim();
  return /^\d{1,3}([.,]\d{1,2})?$/.test(trimmed) ? Number(trimmed.replace(",", ".")) : null;
}

/** @param {number | null} value @param {readonly [number, number]} range @returns {number | null} */
function within(value, [lowest, highest]) {
  return value !== null && value >= lowest && value <= highest ? value : null;
}

/** @param {string} text @param {Unit} unit @returns {number | null} degrees Fahrenheit; null for an invalid reading */
export function readTemperature(text, unit) {
  const value = plainNumber(text);
  if (value === null) return null;
  return within(unit === "C" ? Math.round((value * 9 / 5 + 32) * 100) / 100 : value, TEMPERATURE_RANGE_F);
}

/** @param {string} text @returns {number | null} percent; null for an invalid reading */
export function readOxygen(text) {
  return within(plainNumber(text), OXYGEN_RANGE);
}
