/**
 * What posters and stickers of a place say: an address of a page of ours. The origin is not compared, so that a poster
 * stays good when a deployment moves; only the path is followed, and only one that we know.
 */

const PLACE = /^\/(?:check-in|venues)\/(v_[0-9a-z]{4,32})\/?$/;
const EVENT = /^\/events\/(e_[0-9a-z]{4,32})\/?$/;

/**
 * @param {string} text what a code says
 * @returns {string | null} the path of the place's or event's page on this deployment, or null for any other text
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
  if (place) return `/venues/${place[1]}`;
  const event = EVENT.exec(path);
  return event ? `/events/${event[1]}${address.hash}` : null;
}
