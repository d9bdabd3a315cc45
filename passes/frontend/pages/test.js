/** Report of a test result for one's visits, and advice after it. */
import { Unreachable, request } from "../core/api.js";
import { isAsked } from "../core/asked.js";
import { OLDEST_TEST_DAYS } from "../core/epoch.js";
import { ownersOf } from "../core/owners.js";
import { openVisitorStore } from "../stores/visitor.js";
import { find, onActions, pageData, showState, when } from "../ui/page.js";

/** @param {Date} date @returns {string} `YYYY-MM-DD` on this device's calendar */
function isoDay(date) {
  return `${date.getFullYear()}-${String(date.getMonth() + 1).padStart(2, "0")}-${String(date.getDate()).padStart(2, "0")}`;
}

const form = /** @type {HTMLFormElement} */ (find("[data-form=test]"));
const day = /** @type {HTMLInputElement} */ (find("#tested"));
const now = new Date();
day.max = isoDay(now);
day.min = isoDay(new Date(now.getFullYear(), now.getMonth(), now.getDate() - OLDEST_TEST_DAYS));
day.value = day.max;

const store = await openVisitorStore().catch(() => null);
const person = await store?.current().catch(() => null);
/**
 * Whether the random prompt asked, so that the result counts as one of randomly chosen people. No coin is tossed here:
 * people who come to report a result were not chosen.
 */
let prompted = false;
if (store && person) {
  prompted = isAsked(await store.tossOf(person.id), Date.now());
  when("asked", prompted);
}
if (!store) showState("unable");
else showState(person ? "ask" : "no-key", { focus: false });

onActions({
  again: () => showState("ask"),
  decline: async () => {
    if (store && person) await store.settleToss(person.id);
    prompted = false;
    when("asked", false);
    when("declined", true);
  },
});

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (!store || !person) return;
  const result = String(new FormData(form).get("result"));
  const owners = await ownersOf(person, pageData("epochs"), await store.passes(person.id));
  try {
    const { status } = await request("POST", "/api/v1/diagnoses", { body: { owners, tested_on: day.value, result, prompted } });
    if (status === 202 && prompted) await store.settleToss(person.id);
    showState(status === 202 ? result : status === 400 ? "refused" : "offline");
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
    showState("offline");
  }
});
