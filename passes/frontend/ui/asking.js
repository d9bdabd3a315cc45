/** Four questions, one per page, then a pass or advice. Each step is stored, so a reload loses nothing. */
import { Unreachable } from "../core/api.js";
import { checkIn, passFor } from "../core/check_in.js";
import { CHECK_IN_OPENS_BEFORE_S } from "../core/epoch.js";
import { invitationIn, isInvitation } from "../core/invitation.js";
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
/** Days that need an invitation. @type {string[]} */
const BY_INVITATION = pageData("by-invitation");
/** Epochs with open check-in: a page left open overnight still lists yesterday, whose check-in has closed. */
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

/** Mark an index of the book as used if its request may have been sent: it belongs to the answers it was sent with. */
async function burn() {
  const { epoch, index } = draft;
  if (epoch === null || index === null) return;
  await store.burnPlace({ person: person.id, epochStart: epoch.start, index, epoch, venue });
  draft = { ...draft, index: null, unspent: false };
}

/** @param {string} step a day or a question, or `send` */
function show(step) {
  askedAt = performance.now();
  if (step === "send") return void send();
  showState(step === "day" ? "day" : `question-${step}`);
  if (step === "day") return listDays();
  fill("day", draft.epoch ? dayName(draft.epoch) : "");
  void tellOfPasses();
  for (const button of document.querySelectorAll(`[data-question="${step}"] [data-do="answer"]`)) {
    const { value } = /** @type {HTMLElement} */ (button).dataset;
    const given = draft.answers[/** @type {Question} */ (step)];
    button.setAttribute("aria-pressed", String(given !== undefined && given === (value === "yes")));
  }
}

/** Show a step. Steps are history entries with the same URL, so that the back button returns to the last question. @param {string} step */
function go(step) {
  history.pushState({ step }, "");
  show(step);
}

/** @returns {string} the first open step */
function nextStep() {
  if (!draft.epoch) return "day";
  return QUESTIONS.find((question) => draft.answers[question] === undefined) ?? "send";
}

/** @param {Epoch} epoch @returns {string} */
function dayName(epoch) {
  const now = Date.now() / 1000;
  const day = formatTime(epoch.start + 12 * 3600, { weekday: "long", day: "numeric", month: "short" });
  if (now < epoch.start) return `${word("tomorrow")}, ${day}`;
  return isToday(epoch) ? `${word("today")}, ${day}` : day;
}

/** @param {Epoch} epoch @returns {boolean} */
function isToday({ start }) {
  const now = Date.now() / 1000;
  return start <= now && now < start + 24 * 3600;
}

/** Return a valid pass for this place and day, and whether a yes has withdrawn one. */
async function tellOfPasses() {
  if (!draft.epoch) return;
  const of = { venue: venue.id, epochStart: draft.epoch.start };
  const passes = await store.passes(person.id);
  when("has-pass", passFor(passes, of) !== undefined);
  when("withdrew", passes.some((pass) => pass.withdrawn === "answers" && pass.venue.id === of.venue && pass.epochStart === of.epochStart));
}

/** @param {Draft} begun @returns {Epoch | null} today, if neither person nor invitation has to be chosen first */
function usualDay(begun) {
  const today = open().find(isToday);
  return today && (begun.invitation !== null || !BY_INVITATION.includes(today.date)) ? today : null;
}

function listDays() {
  const buttons = open().map((epoch) => {
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.do = "day";
    button.dataset.date = epoch.date;
    button.textContent = dayName(epoch);
    return button;
  });
  find("[data-days]").replaceChildren(...buttons);
  const field = /** @type {HTMLInputElement} */ (find("#invitation"));
  field.value = draft.invitation ?? "";
  showCode(true);
  const needed = open().some(({ date }) => BY_INVITATION.includes(date));
  /** @type {HTMLDetailsElement} */ (field.closest("details")).open = needed || field.value !== "";
}

/** @param {boolean} good whether the invitation code has the right format */
function showCode(good) {
  const field = /** @type {HTMLInputElement} */ (find("#invitation"));
  when("bad-code", !good);
  if (good) return field.removeAttribute("aria-invalid");
  field.setAttribute("aria-invalid", "true");
  /** @type {HTMLDetailsElement} */ (field.closest("details")).open = true;
  field.focus();
}

/** A family checks in one after another: the chosen person becomes the current one. */
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

/** Timer of the automatic retry while the server issues tickets slowly. @type {ReturnType<typeof setTimeout> | undefined} */
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
    // It may be sent: from now on its index of the book belongs to these answers.
    draft = (await store.draft(person.id, venue.id)) ?? draft;
    showOffline(false);
  } finally {
    await tellOfPasses();
  }
}

/** @param {boolean} firstUse whether a ticket is missing, not only the response to a check-in */
function showOffline(firstUse) {
  when("first-use", firstUse);
  showState("offline");
}

/** @param {import("../core/check_in.js").Outcome} outcome */
async function finish(outcome) {
  if (outcome.kind === "go") return showPass(outcome.pass);
  if ("advice" in outcome) {
    const items = outcome.advice.map(({ text }) => Object.assign(document.createElement("li"), { textContent: text }));
    find(`[data-state="${outcome.kind.replace("_", "-")}"] [data-advice]`).replaceChildren(...items);
  }
  if (outcome.kind === "no") return showState("no");
  draft = (await store.draft(person.id, venue.id)) ?? draft;
  if (outcome.kind === "no_tickets") return showOffline(true);
  showState(outcome.kind.replace("_", "-"));
  // Random delay, so that phones refused at the same time do not retry at the same time.
  if (outcome.kind === "later") asksAgain = setTimeout(() => void send(), (1 + Math.random()) * 1000 * (outcome.retryAfterS ?? USUAL_PATIENCE_S));
}

onActions({
  reload: () => location.reload(),
  day: async (button) => {
    const epoch = open().find((candidate) => candidate.date === button.dataset.date) ?? null;
    const typed = /** @type {HTMLInputElement} */ (find("#invitation")).value.trim();
    const invitation = typed ? invitationIn(typed) : null;
    if (invitation !== null && !isInvitation(invitation)) return showCode(false);
    // With a code that the server refused, nothing was stored: the same ticket is sent with the right one.
    if (epoch?.date !== draft.epoch?.date || (invitation !== draft.invitation && !draft.unspent)) await burn();
    await keep({ epoch, invitation });
    go(nextStep());
  },
  answer: async (button) => {
    const question = /** @type {Question} */ (/** @type {HTMLElement} */ (button.closest("[data-question]")).dataset.question);
    const answers = { ...draft.answers, [question]: button.dataset.value === "yes" };
    if (draft.answers[question] !== answers[question]) await burn();
    // The time is part of the request, so it stops once an index of the book is taken.
    const surveySeconds = draft.surveySeconds + (draft.index === null ? (performance.now() - askedAt) / 1000 : 0);
    await keep({ answers, surveySeconds });
    const following = QUESTIONS[QUESTIONS.indexOf(question) + 1];
    go(following ?? "send");
  },
  back: () => history.back(),
  send: () => send(),
  again: async () => {
    // Only the answers are reset: the day, while it is open, and a typed code are kept.
    const epoch = open().find((candidate) => candidate.date === draft.epoch?.date) ?? null;
    const { invitation } = draft;
    await keep({ ...(await emptyDraft()), epoch, invitation });
    go(nextStep());
  },
  days: () => go("day"),
  "other-day": async () => {
    await burn();
    await keep({ epoch: null });
    go("day");
  },
});

globalThis.addEventListener("popstate", (event) => show(event.state?.step ?? (draft.epoch ? QUESTIONS[0] : "day")));

/**
 * @param {object} parts
 * @param {import("../stores/visitor.js").VisitorStore} parts.store
 * @param {import("../stores/visitor.js").Person} parts.person
 * unknown} parts.go what a pass leads to => @param {(pass: import("../stores/visitor.js").KeptPass) => unknown} parts.go called with a pass => unknown} parts.go what a pass leads to
 */
export async function ask(parts) {
  ({ store, person, go: showPass } = parts);
  draft = (await store.draft(person.id, venue.id)) ?? (await emptyDraft());
  // An invitation that was opened after the first answer counts too.
  draft.invitation ??= await store.invitation(venue.id);
  await listPeople();
  if (open().length === 0) return showState("closed");
  if (draft.epoch && !open().some(({ date }) => date === draft.epoch?.date)) {
    await burn(); // answers of a day whose check-in has closed
    draft = await emptyDraft();
  }
  // A family first chooses a person; the device of a place first explains the sheet of paper.
  if (!draft.epoch && !person.once && (await store.people()).length === 1) draft.epoch = usualDay(draft);
  const step = nextStep();
  history.replaceState({ step: step === "send" ? QUESTIONS.at(-1) : step }, "");
  show(step);
}
