/** Rating visits in two taps: how many wore masks, how far apart people were. */
import { Unreachable, request } from "../core/api.js";
import { ownerOf } from "../core/owners.js";
import { openVisitorStore } from "../stores/visitor.js";
import { copyOf, fillPart, find, formatTime, onActions, showState, word } from "../ui/page.js";
import { shownName } from "../ui/place_name.js";
import { rateable } from "../core/reminders.js";

/**
 * @typedef {import("../stores/visitor.js").KeptPass} KeptPass
 * @typedef {{pass: KeptPass, card: HTMLElement, masks: number | null, distancing: number | null}} Rated
 */

/** @type {Rated[]} */
let visits = [];

/** @param {Rated} visit */
function show({ card, masks, distancing }) {
  const given = /** @type {Record<string, number | null>} */ ({ masks, distancing });
  for (const scale of card.querySelectorAll("[data-scale]")) {
    const value = given[/** @type {HTMLElement} */ (scale).dataset.scale ?? ""];
    for (const button of scale.querySelectorAll("button")) button.setAttribute("aria-pressed", String(Number(button.dataset.value) === value));
  }
}

/** @param {KeptPass} pass @returns {Rated} */
function cardOf(pass) {
  const card = copyOf("[data-row=visit]");
  fillPart(card, "place", shownName(pass.venue));
  fillPart(card, "day", formatTime(pass.epoch.start + 12 * 3600, { weekday: "long", day: "numeric", month: "long" }));
  const rated = { pass, card, masks: pass.rated?.masks ?? null, distancing: pass.rated?.distancing ?? null };
  show(rated);
  return rated;
}

const store = await openVisitorStore().catch(() => null);
const person = await store?.current().catch(() => null);
if (!store) showState("unable");
else {
  const passes = person ? rateable(await store.passes(person.id), Date.now() / 1000) : [];
  visits = passes.map(cardOf);
  find("[data-visits]").replaceChildren(...visits.map(({ card }) => card));
  showState(visits.length > 0 ? "shown" : "none", { focus: false });
}

onActions({
  rate: async (button) => {
    const visit = visits.find(({ card }) => card.contains(button));
    const scale = button.closest("[data-scale]");
    if (!visit || !store || !person || !(scale instanceof HTMLElement)) return;
    if (scale.dataset.scale === "masks") visit.masks = Number(button.dataset.value);
    else visit.distancing = Number(button.dataset.value);
    show(visit);
    const { pass, card, masks, distancing } = visit;
    if (masks === null || distancing === null) return fillPart(card, "said", word("one-more"));
    try {
      await request("POST", "/api/v1/ratings", { body: { owner: await ownerOf(person, pass), masks, distancing } });
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error;
      return fillPart(card, "said", word("offline"));
    }
    visit.pass = { ...pass, rated: { masks, distancing } };
    await store.savePass(visit.pass);
    return fillPart(card, "said", word("thanks"));
  },
});
