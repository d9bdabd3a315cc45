/** Four questions, one a page, then a pass or kind advice. Each step is kept, so a reload loses nothing where the store lasts. */
import { Unreachable } from "../core/api.js";
import { checkIn } from "../core/check_in.js";
import { CHECK_IN_OPENS_BEFORE_S } from "../core/epoch.js";
import { fill, find, formatTime, onActions, pageData, showState, when, word } from "./page.js";
import { calledOn } from "./people.js";

/**
 * @typedef {import("../stores/visitor.js").Draft} Draft
 * @typedef {import("../core/epoch.js").Epoch} Epoch
 * @typedef {keyof import("../stores/visitor.js").Answers} Question
 */

/** @type {{id: string, name: string, verified: boolean}} */
const venue = pageData("venue");
const QUESTIONS = Array.from(document.querySelectorAll("[data-question]"), (section) => /** @type {Question} */ (/** @type {HTMLElement} */ (section).dataset.question));
/** A page left open overnight still lists yesterday, whose check-in closed when today started. */
const open = () => {
  const now = Date.now() / 1000;
  const started = /** @type {Epoch[]} */ (pageData("epochs")).filter((epoch) => epoch.start - CHECK_IN_OPENS_BEFORE_S <= now);
  return started.filter((epoch) => now < epoch.end && !started.some((later) => later.start > epoch.start && later.start <= now));
};

/** @type {import("../stores/visitor.js").VisitorStore} */
let store;
/** @type {import("../stores/visitor.js").Person} */
let person;
/** @type {(pass: import("../stores/visitor.js").KeptPass) => unknown} */
let showPass;
/** @type {Draft} */
let draft;
let askedAt = performance.now();

/** @returns {Promise<Draft>} */
async function emptyDraft() {
  const invitation = await store.invitation(venue.id);
  return { person: person.id, venue: venue.id, epoch: null, index: null, answers: {}, surveySeconds: 0, invitation };
}

/** @param {Partial<Draft>} change */
async function keep(change) {
  draft = { ...draft, ...change };
  await store.saveDraft(draft);
}

/** Gives up a place of the book whose request may have gone out: it belongs to the words it was sent with. */
async function burn() {
  const { epoch, index } = draft;
  if (epoch === null || index === null) return;
  await store.burnPlace({ person: person.id, epochStart: epoch.start, index, epoch, venue });
  draft = { ...draft, index: null };
}

/** @param {string} step a day or a question, or `send` */
function show(step) {
  askedAt = performance.now();
  if (step === "send") return void send();
  showState(step === "day" ? "day" : `question-${step}`);
  if (step === "day") return listDays();
  for (const button of document.querySelectorAll(`[data-question="${step}"] [data-do="answer"]`)) {
    const { value } = /** @type {HTMLElement} */ (button).dataset;
    const given = draft.answers[/** @type {Question} */ (step)];
    button.setAttribute("aria-pressed", String(given !== undefined && given === (value === "yes")));
  }
}

/** Steps are history entries without an address of their own: back goes one question back. @param {string} step */
function go(step) {
  history.pushState({ step }, "");
  show(step);
}

/** @returns {string} the first step that is still open */
function nextStep() {
  if (!draft.epoch) return "day";
  return QUESTIONS.find((question) => draft.answers[question] === undefined) ?? "send";
}

function listDays() {
  const now = Date.now() / 1000;
  const buttons = open().map((epoch) => {
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.do = "day";
    button.dataset.date = epoch.date;
    const day = formatTime(epoch.start + 12 * 3600, { weekday: "long", day: "numeric", month: "short" });
    button.textContent = now < epoch.start ? `${word("tomorrow")}, ${day}` : now < epoch.start + 24 * 3600 ? `${word("today")}, ${day}` : day;
    return button;
  });
  find("[data-days]").replaceChildren(...buttons);
  const field = /** @type {HTMLInputElement} */ (find("#invitation"));
  if (!draft.invitation) return;
  field.value = draft.invitation;
  /** @type {HTMLDetailsElement} */ (field.closest("details")).open = true;
}

/** A family checks in one after the other: whoever is chosen is the one whose pages are shown. */
async function listPeople() {
  const people = await store.people();
  fill("label", calledOn(person, people));
  when("labelled", person.label !== "" || people.length > 1);
  const who = /** @type {HTMLSelectElement} */ (find("[data-who]"));
  who.replaceChildren(...people.map((each) => new Option(calledOn(each, people), each.id, false, each.id === person.id)));
  who.addEventListener("change", async () => {
    await store.choose(who.value);
    location.reload();
  });
  when("several", people.length > 1);
}

/** A server that hands out tickets slowly is asked again by itself. @type {ReturnType<typeof setTimeout> | undefined} */
let asksAgain;
const USUAL_PATIENCE_S = 10;

async function send() {
  clearTimeout(asksAgain);
  const epoch = open().find((candidate) => candidate.date === draft.epoch?.date);
  if (!epoch) {
    await burn();
    await keep({ epoch: null });
    return showState("closed");
  }
  showState("sending");
  try {
    await finish(await checkIn({ store, person, draft, epoch, venue }));
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
    showOffline(false);
  }
}

/** @param {boolean} firstUse whether a ticket is missing, and not only the answer to a check-in */
function showOffline(firstUse) {
  when("first-use", firstUse);
  showState("offline");
}

/** @param {import("../core/check_in.js").Outcome} outcome */
async function finish(outcome) {
  if (outcome.kind === "go") return showPass(outcome.pass);
  if (outcome.kind === "no") {
    const items = outcome.advice.map(({ text }) => Object.assign(document.createElement("li"), { textContent: text }));
    find("[data-advice]").replaceChildren(...items);
    return showState("no");
  }
  draft = (await store.draft(person.id, venue.id)) ?? draft;
  if (outcome.kind === "no_tickets") return showOffline(true);
  showState(outcome.kind.replace("_", "-"));
  // Phones that were turned away together shall not come back together.
  if (outcome.kind === "later") asksAgain = setTimeout(() => void send(), (1 + Math.random()) * 1000 * (outcome.retryAfterS ?? USUAL_PATIENCE_S));
}

onActions({
  reload: () => location.reload(),
  day: async (button) => {
    const epoch = open().find((candidate) => candidate.date === button.dataset.date) ?? null;
    const invitation = /** @type {HTMLInputElement} */ (find("#invitation")).value.trim() || draft.invitation;
    if (epoch?.date !== draft.epoch?.date || invitation !== draft.invitation) await burn();
    await keep({ epoch, invitation });
    go(nextStep());
  },
  answer: async (button) => {
    const question = /** @type {Question} */ (/** @type {HTMLElement} */ (button.closest("[data-question]")).dataset.question);
    const answers = { ...draft.answers, [question]: button.dataset.value === "yes" };
    if (draft.answers[question] !== answers[question]) await burn();
    // The time is part of what was sent too: it stands still once a place of the book is taken.
    const surveySeconds = draft.surveySeconds + (draft.index === null ? (performance.now() - askedAt) / 1000 : 0);
    await keep({ answers, surveySeconds });
    const following = QUESTIONS[QUESTIONS.indexOf(question) + 1];
    go(following ?? "send");
  },
  back: () => history.back(),
  send: () => send(),
  again: async () => {
    // Only the answers have changed: the day, while it is open, and a code that was typed hold.
    const epoch = open().find((candidate) => candidate.date === draft.epoch?.date) ?? null;
    const { invitation } = draft;
    await keep({ ...(await emptyDraft()), epoch, invitation });
    go(nextStep());
  },
  "other-day": async () => {
    await burn();
    await keep({ epoch: null });
    go("day");
  },
});

globalThis.addEventListener("popstate", (event) => show(event.state?.step ?? "day"));

/**
 * @param {object} parts
 * @param {import("../stores/visitor.js").VisitorStore} parts.store
 * @param {import("../stores/visitor.js").Person} parts.person
 * @param {(pass: import("../stores/visitor.js").KeptPass) => unknown} parts.go what a pass leads to
 */
export async function ask(parts) {
  ({ store, person, go: showPass } = parts);
  draft = (await store.draft(person.id, venue.id)) ?? (await emptyDraft());
  // An invitation that was opened after the answers were begun counts for them too.
  draft.invitation ??= await store.invitation(venue.id);
  await listPeople();
  if (open().length === 0) return showState("closed");
  const step = nextStep();
  history.replaceState({ step: step === "send" ? QUESTIONS.at(-1) : step }, "");
  show(step);
}
