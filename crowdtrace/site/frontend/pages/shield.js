/** My shield: requested with values that only this device can derive, explained in words, with its recovery. */
import { Unreachable, request } from "../../../../passes/frontend/core/api.js";
import { ownersOf } from "../../../../passes/frontend/core/owners.js";
import { openVisitorStore } from "../../../../passes/frontend/stores/visitor.js";
import { copyOf, countedWords, fill, fillPart, find, formatNumber, formatTime, onActions, pageData, showState, when, word, words } from "../../../../passes/frontend/ui/page.js";
import { shownName } from "../../../../passes/frontend/ui/place_name.js";
import { exampleStore } from "../core/example.js";
import { beyondBudget, byDay, recovery } from "../core/outlook.js";
import { left, shownPoints } from "../core/rounding.js";
import { drawBars, drawRing } from "../ui/chart.js";

/**
 * @typedef {import("../core/outlook.js").Visit} Visit
 * @typedef {import("../../../../passes/frontend/stores/visitor.js").KeptPass} KeptPass
 * @typedef {{shield: number, low: number, high: number, infection_probability: number, spent: number, incubating: number, risklevel: "Low" | "Moderate" | "High", parameters: string, visits: Visit[], like: Comparison | null, dearest: number | null, prevalence: number, ordinary_probability: number, suggested_profile: string}} Shield
 * @typedef {import("../core/outlook.js").Comparison} Comparison
 */

const DATE = /** @type {const} */ ({ weekday: "long", day: "numeric", month: "long" });
const TIME = /** @type {const} */ ({ hour: "numeric", minute: "2-digit" });
/** Percentage below which a shield is called low. */
const LOW = 34;

/** @type {import("../core/example.js").ShieldStore} */
let store;
/** @type {import("../../../../passes/frontend/stores/visitor.js").Person} */
let person;
/** @type {KeptPass[]} */
let kept = [];
/** @type {Shield | null} */
let shield = null;
/** @type {Map<string, string>} names of places by their ids */
const names = new Map();
/** @type {any} card of the place in `what if` */
let card = null;

const seconds = (/** @type {string} */ time) => new Date(time).getTime() / 1000;
const select = (/** @type {string} */ name) => /** @type {HTMLSelectElement} */ (find(`[data-what-if="${name}"]`));

/** @param {number} share @returns {string} a probability in percent, never rounded to 0 */
function percent(share) {
  if (share <= 0) return "0 %";
  const value = 100 * share;
  return value < 0.01 ? "< 0.01 %" : `${formatNumber(value, value < 1 ? 2 : 1)} %`;
}

/** @param {number} points @returns {string} */
const pointsText = (points) => formatNumber(shownPoints(points), 1);

const ownMask = () => /** @type {HTMLSelectElement} */ (find("#own-mask"));

/** @param {Comparison | null} like @returns {string} a comparison with time in a familiar place */
function shownLike(like) {
  if (!like) return "";
  const hours = Number((like.minutes / 60).toFixed(like.minutes < 600 ? 1 : 0));
  const time = like.minutes < 100 ? countedWords("minutes", like.minutes, { minutes: formatNumber(like.minutes, 0) }) : countedWords("hours", hours, { hours: formatNumber(hours, 1) });
  return words(`like-${like.kind}`, { time });
}

/** @param {string} id @returns {Promise<string>} the name of a place, from this device or from its card */
async function nameOf(id) {
  const known = names.get(id);
  if (known !== undefined) return known;
  const { status, body } = await request("GET", `/api/v1/venues/${id}`);
  const name = status === 200 ? shownName(body) : word("unknown-place");
  names.set(id, name);
  return name;
}

async function load() {
  const profile = await store.profile(person.id);
  for (const button of document.querySelectorAll("[data-do=profile]")) button.setAttribute("aria-pressed", String(/** @type {HTMLElement} */ (button).dataset.value === profile));
  const owners = await ownersOf(person, pageData("epochs"), kept);
  const mask = await store.ownMask(person.id);
  ownMask().value = mask;
  const { status, body } = await request("POST", "/api/v1/shield", { body: { owners, profile, ...(mask === "" ? {} : { own_mask: Number(mask) }) } });
  if (status !== 200) return showState("busy");
  shield = /** @type {Shield} */ (body);
  await Promise.all(shield.visits.map((visit) => nameOf(visit.venue)));
  await render(shield);
  if (document.documentElement.dataset.shown !== "shown") showState("shown", { focus: false });
}

/** @param {Shield} answer */
async function render(answer) {
  const now = new Date();
  const whole = left(100 * answer.spent);
  drawRing(/** @type {SVGCircleElement} */ (document.querySelector("[data-ring]")), whole);
  drawRing(/** @type {SVGCircleElement} */ (document.querySelector("[data-beyond]")), beyondBudget(answer.spent));
  find("[data-ring-card]").dataset.level = whole === 0 ? "none" : whole < LOW ? "low" : "good";
  fill("shield", formatNumber(whole, 1));
  // The ends are whole numbers, rounded down: the value between them stays between them.
  const [low, high] = [formatNumber(answer.low, 0), formatNumber(Math.max(answer.high, whole), 1)];
  fill("range", low === high || answer.spent === 0 ? "" : words("range", { low, high }));
  fill("verdict", answer.spent > 1 ? words("overspent", { times: pointsText(answer.spent) }) : word(answer.spent === 0 ? "untouched" : whole < LOW ? "low" : "good"));
  fill("chance", percent(answer.infection_probability));
  fill("like", shownLike(answer.like));
  fill("dearest", shownDearest(answer));
  const suggested = document.querySelector(`[data-do=profile][data-value="${answer.suggested_profile}"]`);
  fill("ordinary", words("ordinary", { prevalence: percent(answer.prevalence), ordinary: percent(answer.ordinary_probability), profile: suggested?.firstChild?.textContent?.trim() ?? "" }));
  fill("incubating", percent(answer.incubating));
  fill("risklevel", word(`risk-${answer.risklevel}`));
  fill("parameters", answer.parameters);
  when("guidance", whole === 0);
  when("visits", answer.visits.length > 0);
  when("no-visits", answer.visits.length === 0);
  listVisits(answer.visits);
  listRecovery(answer, now);
  drawDays(answer.visits, now);
  await listPlaces();
}

/** @param {Shield} answer @returns {string} the visit with the highest probability, in words */
function shownDearest({ visits, dearest }) {
  const visit = visits[dearest ?? -1];
  if (!visit) return "";
  const { venue, arrived, infection_probability, like } = visit;
  const day = formatTime(seconds(arrived), { weekday: "long" });
  return words("dearest", { place: names.get(venue) ?? venue, day, chance: percent(infection_probability), like: shownLike(like) });
}

/** @param {Visit} visit @returns {string} */
function timeOf(visit) {
  const start = `${formatTime(seconds(visit.arrived), { weekday: "short", day: "numeric", month: "short" })}, ${formatTime(seconds(visit.arrived), TIME)}`;
  return visit.left ? `${start} – ${formatTime(seconds(visit.left), TIME)}` : `${start} – ${word("still-there")}`;
}

/** @param {Visit} visit @returns {KeptPass | undefined} the pass of this device for the visit */
function passOf(visit) {
  const at = seconds(visit.arrived);
  return kept.find((pass) => pass.venue.id === visit.venue && (pass.credential !== null || pass.withdrawn !== undefined) && pass.epoch.start <= at && at < pass.epoch.end);
}

/** @param {Visit[]} visits most expensive first */
function listVisits(visits) {
  const rows = visits.toSorted((a, b) => b.shield_cost - a.shield_cost).map((visit) => {
    const row = copyOf("[data-row=visit]");
    const pending = visit.why.some(({ code }) => code === "pending");
    fillPart(row, "place", names.get(visit.venue) ?? visit.venue);
    fillPart(row, "time", timeOf(visit));
    fillPart(row, "cost", pending ? word("pending") : visit.shield_cost > 0 ? `−${pointsText(visit.shield_cost)}` : "0");
    const why = /** @type {HTMLElement} */ (row.querySelector("[data-part=why]"));
    why.replaceChildren(...visit.why.map(({ text }) => Object.assign(document.createElement("li"), { textContent: text })));
    const pass = passOf(visit);
    const rate = /** @type {HTMLElement} */ (row.querySelector("[data-part=rate]"));
    rate.hidden = !pass || pass.rated !== undefined;
    return row;
  });
  find("[data-visits]").replaceChildren(...rows);
}

/** @param {Shield} answer @param {Date} now */
function listRecovery(answer, now) {
  const steps = recovery(answer.visits, answer.spent, now);
  when("recovery", steps.length > 0);
  const rows = steps.map(({ days, shield: then }) => {
    const day = formatTime(now.getTime() / 1000 + days * 86_400, DATE);
    return Object.assign(document.createElement("li"), { textContent: words("back-on", { day, shield: formatNumber(then, 1) }) });
  });
  find("[data-recovery]").replaceChildren(...rows);
}

/** @param {Visit[]} visits @param {Date} now */
function drawDays(visits, now) {
  const days = byDay(visits, now);
  const svg = /** @type {SVGElement} */ (document.querySelector("[data-days]"));
  drawBars(svg, days.map(({ day, points }, at) => ({ value: points, label: formatTime(day.getTime() / 1000, { day: "numeric" }), marked: at < days.length - 1 })), (value) => formatNumber(value, 0));
  const rows = days.flatMap(({ day, visits: on }) =>
    on.map((visit) => {
      const row = copyOf("[data-row=day]");
      fillPart(row, "day", formatTime(day.getTime() / 1000, { weekday: "short", day: "numeric", month: "short" }));
      fillPart(row, "place", names.get(visit.venue) ?? visit.venue);
      fillPart(row, "cost", pointsText(visit.shield_cost));
      return row;
    }),
  );
  find("[data-day-rows]").replaceChildren(...rows);
}

/** Places of this device, for `what if`. */
async function listPlaces() {
  const choice = select("place");
  const chosen = choice.value;
  const options = Array.from(names, ([id, name]) => new Option(name, id, false, id === chosen));
  choice.replaceChildren(new Option(word("choose-place"), ""), ...options);
  if (chosen) await showWhatIf();
}

/** @param {string} query */
async function searchPlaces(query) {
  const { status, body } = await request("GET", `/api/v1/venues?limit=10&q=${encodeURIComponent(query)}`);
  if (status !== 200) return;
  for (const found of body.results) names.set(found.id, shownName(found));
  when("not-found", body.results.length === 0);
  await listPlaces();
  if (body.results.length > 0) {
    select("place").value = body.results[0].id;
    await choosePlace();
  }
}

async function choosePlace() {
  const id = select("place").value;
  when("what-if", false);
  card = null;
  if (!id) return;
  const { status, body } = await request("GET", `/api/v1/venues/${id}?profile=${await store.profile(person.id)}&costs=all`);
  when("closed", status !== 200);
  if (status !== 200) return;
  card = body;
  const options = card.hours.map((/** @type {{start: string}} */ { start }, /** @type {number} */ at) => {
    const sameDay = new Date(start).toDateString() === new Date().toDateString();
    return new Option(formatTime(seconds(start), sameDay ? TIME : { ...TIME, weekday: "short" }), String(at));
  });
  select("hour").replaceChildren(new Option(word(card.open ? "now" : "when-open"), ""), ...options);
  await showWhatIf();
}

async function showWhatIf() {
  if (!card || !shield) return;
  const at = select("hour").value;
  const costs = at === "" ? card.shield_cost : card.hours[Number(at)].shield_cost;
  const mask = /** @type {HTMLInputElement} */ (find("[data-what-if=mask]")).checked;
  const cost = costs[select("minutes").value][mask ? "mask" : "no_mask"];
  const total = shownPoints(100 * shield.spent) + shownPoints(cost);
  const values = { cost: pointsText(cost), before: formatNumber(left(100 * shield.spent), 1), after: formatNumber(left(total), 1), times: pointsText(total / 100) };
  fill("what-if", countedWords(total > 100 ? "would-spend" : "would-be", shownPoints(cost), values));
  when("what-if", true);
}

onActions({
  reload: () => start(),
  profile: async (button) => {
    await store.saveProfile(person.id, button.dataset.value ?? "standard");
    card = null;
    await load();
    await choosePlace();
  },
});

async function start() {
  try {
    await load();
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
    showState("offline");
  }
}

ownMask().addEventListener("change", async () => {
  await store.saveOwnMask(person.id, ownMask().value);
  await load();
});
find("[data-form=what-if]").addEventListener("submit", (event) => event.preventDefault());
select("place").addEventListener("change", () => void choosePlace());
for (const name of ["hour", "minutes", "mask"]) find(`[data-what-if="${name}"]`).addEventListener("change", () => void showWhatIf());
find("[data-form=search]").addEventListener("submit", (event) => {
  event.preventDefault();
  void searchPlaces(/** @type {HTMLInputElement} */ (find("#search")).value.trim());
});

const opened = exampleStore(pageData("example")) ?? (await openVisitorStore().catch(() => null));
const current = await opened?.current().catch(() => null);
if (!opened) showState("unable");
else if (!current) showState("no-key", { focus: false });
else {
  store = opened;
  person = current;
  kept = await store.passes(person.id);
  for (const pass of kept) names.set(pass.venue.id, shownName(pass.venue));
  fill("label", person.label);
  when("labelled", person.label !== "");
  await start();
}
