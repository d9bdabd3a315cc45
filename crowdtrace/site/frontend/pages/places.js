/** Search and scouting card: the profile stored on the device, and the poster's code. The rest works without this file. */
import { readPlaceText } from "../../../../passes/frontend/core/places.js";
import { openVisitorStore } from "../../../../passes/frontend/stores/visitor.js";
import { copyOf, fill, fillPart, find, onActions, pageData, when, word } from "../../../../passes/frontend/ui/page.js";
import { shownName } from "../../../../passes/frontend/ui/place_name.js";
import { storeOwnZone } from "../../../../passes/frontend/ui/zone.js";
import { Scanner } from "../../../../passes/frontend/ui/scanner.js";

/** Parts of the page that depend on the profile or on the zone of this browser. */
const PARTS = "[data-card], [data-places], [data-opening]";
const STANDARD = "standard";

/** @returns {string} the profile that the page shows */
const shownProfile = () => /** @type {HTMLElement} */ (find("[data-profile]")).dataset.profile ?? STANDARD;

/**
 * Fetch the page for a profile and replace the parts. A reload instead would take as long as the first load.
 *
 * @param {string} profile
 * @param {boolean} [anyway] although the page shows that profile
 */
async function show(profile, anyway = false) {
  if (shownProfile() === profile && !anyway) return;
  const address = new URL(location.href);
  address.searchParams.set("profile", profile);
  const response = await fetch(address, { credentials: "same-origin" });
  if (!response.ok) return;
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html").querySelectorAll(PARTS);
  for (const [at, part] of document.querySelectorAll(PARTS).entries()) {
    const other = fresh[at];
    if (other) part.replaceWith(document.adoptNode(other));
  }
}

const scanner = new Scanner("scan-note", async (text) => {
  const path = readPlaceText(text);
  if (path === null) return "nothing";
  scanner.stop();
  location.assign(path);
  return "";
});

/** The position is rounded to a tenth of a degree, and sent only on request. */
const TENTHS = 10;
const PATIENCE_MS = 10_000;

function locate() {
  fill("locate-note", word("locating"));
  navigator.geolocation.getCurrentPosition(
    ({ coords }) => {
      const near = /** @type {HTMLInputElement} */ (find("[data-near]"));
      near.value = [coords.latitude, coords.longitude].map((degrees) => Math.round(degrees * TENTHS) / TENTHS).join(",");
      near.disabled = false;
      /** @type {HTMLInputElement} */ (find("#zip")).value = "";
      /** @type {HTMLFormElement} */ (find("[data-search]")).submit();
    },
    () => fill("locate-note", word("no-position")),
    { enableHighAccuracy: false, timeout: PATIENCE_MS, maximumAge: 600_000 },
  );
}

/** A typed ZIP code replaces the position. */
document.querySelector("#zip")?.addEventListener("input", () => (/** @type {HTMLInputElement} */ (find("[data-near]")).disabled = true));

onActions({ locate, scan: () => scanner.start(), picture: () => find("[data-picture]").click() });
document.querySelector("[data-picture]")?.addEventListener("change", (event) => void scanner.readPicture(/** @type {HTMLInputElement} */ (event.target).files?.[0]));
when("can-scan", true);
when("can-locate", "geolocation" in navigator);

// A private window has no storage; the URLs of the links suffice.
const store = await openVisitorStore().catch(() => null);
const person = await store?.current();
const isOtherZone = storeOwnZone();
if (store && person) {
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("[data-profile-choice]") : null;
    if (!(link instanceof HTMLElement)) return;
    event.preventDefault();
    const profile = link.dataset.profileChoice ?? STANDARD;
    void store.saveProfile(person.id, profile);
    void show(profile).then(() => find(`[data-profile-choice="${profile}"]`).focus());
  });
}
const chosen = store && person && !new URLSearchParams(location.search).has("profile") ? await store.profile(person.id) : shownProfile();
await show(chosen, isOtherZone).catch(() => undefined);

/** Number of offered places from the last visits. */
const MOST_RECENT = 5;

/** @typedef {import("../../../../passes/frontend/stores/visitor.js").Place} Place */

/** List the holder's favourite places, then visited ones, each with a link to check-in. @param {string} id of the person */
async function listMine(id) {
  if (!store || !document.querySelector("[data-mine]")) return;
  const [liked, passes] = await Promise.all([store.favourites(id), store.passes(id)]);
  const went = passes.filter(({ credential, withdrawn }) => credential !== null || withdrawn).map(({ venue }) => venue);
  const recent = new Map(went.filter((place) => !liked.some((other) => other.id === place.id)).map((place) => [place.id, place]));
  const places = [...liked, ...[...recent.values()].slice(0, MOST_RECENT)];
  find("[data-mine]").replaceChildren(...places.map(rowOf));
  when("mine", places.length > 0);
}

/** @param {Place} place @returns {HTMLElement} */
function rowOf(place) {
  const row = copyOf("[data-row=mine]");
  fillPart(row, "place", shownName(place));
  /** @type {HTMLAnchorElement} */ (row.querySelector("a")).href = `/check-in/${place.id}`;
  return row;
}

/** Show the star on a card. @param {string} id of the person */
async function showStar(id) {
  const star = document.querySelector("[data-do=favourite]");
  if (!store || !star) return;
  /** @type {Place} */
  const place = pageData("place");
  const show = (/** @type {Place[]} */ liked) => star.setAttribute("aria-pressed", String(liked.some((other) => other.id === place.id)));
  show(await store.favourites(id));
  onActions({ favourite: async () => show((await store?.toggleFavourite(id, place)) ?? []) });
  when("can-like", true);
}

if (person) await Promise.all([listMine(person.id), showStar(person.id)]);
