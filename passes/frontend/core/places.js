/**
 * Posters and stickers of a place have the URL of a page of ours. The origin is not compared, so that a poster stays
 * valid when a deployment moves; only the path is used, and only a known one.
 */

const PLACE = /^\/(?:check-in|venues)\/(v_[0-9a-z]{4,32})\/?$/;
const EVENT = /^\/events\/(e_[0-9a-z]{4,32})\/?$/;

/**
 * @param {string} text of a code
 * @returns {string | null} the path of the check-in to the place or event, or null for any other text: a person at the
 *   poster has already chosen the place
 */
export function readPlaceText(text) {
  let address;
  try {
    address = new URL(text);
  } catch {
    return null;
  }
  if (address.protocol !== "https:" && address.protocol !== "http:") return null;
  // Posters may be printed in capitals, which give a smaller code; ids have none.
  const path = address.pathname.toLowerCase();
  const place = PLACE.exec(path);
  if (place) return `/check-in/${place[1]}`;
  const event = EVENT.exec(path);
  return event ? `/events/${event[1]}${address.hash}` : null;
}
