/**
 * Times of a demonstration's town in the zone of this browser: a page with such times is reloaded once, with the zone in a
 * cookie. Pages of real places do not request it.
 */
export function showTimesInOwnZone() {
  const cookie = document.querySelector('meta[name="times-in-own-zone"]')?.getAttribute("content");
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!cookie || !zone) return;
  const pair = `${cookie}=${zone}`;
  if (document.cookie.split("; ").includes(pair)) return;
  document.cookie = `${pair}; path=/; SameSite=Lax`;
  // Without cookies, times stay unchanged.
  if (document.cookie.split("; ").includes(pair)) location.reload();
}
