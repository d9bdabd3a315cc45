/**
 * Times of a demonstration's town in the zone of this browser: the page that shows some is asked for again, once, with
 * the zone in a cookie. Pages of real places do not ask for it.
 */
export function showTimesInOwnZone() {
  const cookie = document.querySelector('meta[name="times-in-own-zone"]')?.getAttribute("content");
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!cookie || !zone) return;
  const pair = `${cookie}=${zone}`;
  if (document.cookie.split("; ").includes(pair)) return;
  document.cookie = `${pair}; path=/; SameSite=Lax`;
  // Where cookies are refused, times stay as they are.
  if (document.cookie.split("; ").includes(pair)) location.reload();
}
