/**
 * What posters and stickers of a place say: an address of a page of ours. The origin is not compared, so that a poster
 * stays good when a deployment moves; only the path is followed, and only one that we know.
 */

const PLACE = /^\/(?:check-in|venues)\/(v_[0-9a-z]{4,32})\/?$/;
const EVENT = /^\/events\/(e_[0-9a-z]{4,32})\/?$/;

/**
 * @param {string} text what a code says
 * @returns {string | null} the path where check-in to the place or the event begins here, or null for any other text: who
 *   stands before the poster has chosen the place
 */
export function readPlaceText(text) {
  let address;
  try {
    address = new URL(text);
  } catch {
    return null;
  }
  if (address.protocol !== "https:" && address.protocol !== "http:") return null;
  // Posters may be printed in capitals, which make a smaller code; ids know none.
  const path = address.pathname.toLowerCase();
  const place = PLACE.exec(path);
  if (place) return `/check-in/${place[1]}`;
  const event = EVENT.exec(path);
  return event ? `/events/${event[1]}${address.hash}` : null;
}
