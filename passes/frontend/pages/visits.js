/** Passes and visits on this device, and favourite places of its people. It sends no request. */
import { VISIT_RETENTION_S } from "../core/epoch.js";
import { openVisitorStore } from "../stores/visitor.js";
import { copyOf, fill, fillPart, find, formatTime, onActions, showState, when, word, words } from "../ui/page.js";
import { calledOn } from "../ui/people.js";
import { shownName } from "../ui/place_name.js";

/**
 * @typedef {import("../stores/visitor.js").KeptPass} KeptPass
 * @typedef {import("../stores/visitor.js").Person} Person
 * @typedef {import("../stores/visitor.js").Place} Place
 */

/** @type {import("../stores/visitor.js").VisitorStore} */
let store;
/** @type {Person} */
let person;
/** Places of the rows that are shown. @type {Map<string, Place>} */
const places = new Map();

/** Exclude refusals from lists, because somebody could read them over a shoulder. @param {KeptPass} pass @returns {boolean} */
const isShown = ({ credential, withdrawn, erased }) => credential !== null || withdrawn !== undefined || erased === true;

/** @param {KeptPass} pass @param {number} nowS @returns {string} */
function stateOf({ epoch, withdrawn, erased }, nowS) {
  if (erased) return word("erased");
  if (withdrawn) return word("withdrawn"); // one word for both reasons, so that it reveals neither
  return nowS < epoch.end ? words("good-until", { time: formatTime(epoch.end, { weekday: "short", hour: "numeric", minute: "2-digit" }) }) : word("over");
}

/** @param {KeptPass} pass @param {number} nowS @returns {string} */
function stayOf({ inAt, outAt, credential, epoch }, nowS) {
  const time = (/** @type {number} */ atS) => formatTime(atS, { hour: "numeric", minute: "2-digit" });
  if (inAt === undefined) return "";
  if (outAt !== undefined) return words("in-out", { from: time(inAt), to: time(outAt) });
  return words(credential !== null && nowS < epoch.end ? "in-since" : "in-at", { time: time(inAt) });
}

/** @param {HTMLElement} row @param {Place} place @param {boolean} liked */
function showPlace(row, place, liked) {
  places.set(place.id, place);
  fillPart(row, "place", shownName(place));
  for (const link of row.querySelectorAll("a[data-link]")) {
    /** @type {HTMLAnchorElement} */ (link).href = `/${/** @type {HTMLElement} */ (link).dataset.link}/${place.id}`;
  }
  const star = row.querySelector("[data-do=favourite]");
  if (!(star instanceof HTMLElement)) return;
  star.dataset.place = place.id;
  star.setAttribute("aria-pressed", String(liked));
}

async function show() {
  const nowS = Date.now() / 1000;
  const [passes, favourites] = await Promise.all([store.passes(person.id), store.favourites(person.id)]);
  const liked = new Set(favourites.map(({ id }) => id));
  const visits = passes.filter((pass) => isShown(pass) && nowS < pass.epoch.end + VISIT_RETENTION_S);
  const rows = visits.map((pass) => {
    const row = copyOf("[data-row=visit]");
    showPlace(row, pass.venue, liked.has(pass.venue.id));
    fillPart(row, "day", formatTime(pass.epoch.start + 12 * 3600, { weekday: "long", day: "numeric", month: "long" }));
    fillPart(row, "state", stateOf(pass, nowS));
    fillPart(row, "stay", stayOf(pass, nowS));
    return row;
  });
  find("[data-visits]").replaceChildren(...rows);
  const starred = favourites.map((place) => {
    const row = copyOf("[data-row=favourite]");
    showPlace(row, place, true);
    return row;
  });
  find("[data-favourites]").replaceChildren(...starred);
  when("favourites", favourites.length > 0);
  when("visits", visits.length > 0);
  when("no-visits", visits.length === 0);
}

onActions({
  reload: () => location.reload(),
  favourite: async (button) => {
    const id = button.dataset.place ?? "";
    const place = places.get(id);
    if (place) await store.toggleFavourite(person.id, place);
    await show();
    /** @type {HTMLElement | null} */ (document.querySelector(`[data-do=favourite][data-place="${id}"]`) ?? document.querySelector("h1"))?.focus();
  },
});

const opened = await openVisitorStore().catch(() => null);
const current = await opened?.current().catch(() => null);
if (!opened) showState("unable");
else if (!current) showState("none", { focus: false });
else {
  store = opened;
  person = current;
  const people = await store.people();
  fill("label", calledOn(person, people));
  when("labelled", person.label !== "" || people.length > 1);
  await show();
  showState("shown", { focus: false });
}
