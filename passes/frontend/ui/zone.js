/**
 * Times of a demonstration's town in the zone of this browser, which a cookie reports. Pages of real places do not
 * request it.
 *
 * @returns {boolean} whether the zone has just been stored, so that the page has times of another one
 */
export function storeOwnZone() {
  const cookie = document.querySelector('meta[name="times-in-own-zone"]')?.getAttribute("content");
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!cookie || !zone) return false;
  const pair = `${cookie}=${zone}`;
  if (document.cookie.split("; ").includes(pair)) return false;
  document.cookie = `${pair}; path=/; SameSite=Lax`;
  // Without cookies, times stay unchanged.
  return document.cookie.split("; ").includes(pair);
}

/** Load a page with times of another zone again. @returns {boolean} whether it is being loaded */
export function showTimesInOwnZone() {
  const reloads = storeOwnZone();
  if (reloads) location.reload();
  return reloads;
}
