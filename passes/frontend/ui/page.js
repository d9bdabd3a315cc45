/**
 * A page made of states. The server renders every state and every text; a script shows one state at a time, fills slots
 * and handles actions. So texts stay in templates, where they are translated.
 */

/** @param {string} name @returns {HTMLElement} the state `<section data-state="name">` */
function stateElement(name) {
  const element = document.querySelector(`[data-state="${name}"]`);
  if (!(element instanceof HTMLElement)) throw new Error(`the page has no state ${name}`);
  return element;
}

/**
 * Show one state and hide the others. Its heading gets the focus, so that screen readers read it.
 *
 * @param {string} name
 * @param {{focus?: boolean}} [options]
 */
export function showState(name, { focus = true } = {}) {
  const shown = stateElement(name);
  for (const element of document.querySelectorAll("[data-state]")) {
    if (element instanceof HTMLElement) element.hidden = element !== shown;
  }
  document.documentElement.dataset.shown = name;
  const heading = shown.querySelector("h1, h2, legend");
  if (focus && heading instanceof HTMLElement) {
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
    globalThis.scrollTo(0, 0);
  }
}

/** @param {string} name @param {string} text put into every `data-slot="name"` */
export function fill(name, text) {
  for (const element of document.querySelectorAll(`[data-slot="${name}"]`)) element.textContent = text;
}

/** @param {string} name @param {boolean} shown whether elements with `data-when="name"` are shown */
export function when(name, shown) {
  for (const element of document.querySelectorAll(`[data-when="${name}"]`)) {
    if (element instanceof HTMLElement) element.hidden = !shown;
  }
}

/** @param {Record<string, (button: HTMLElement) => unknown>} actions handlers of buttons with `data-do="name"` */
export function onActions(actions) {
  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("[data-do]") : null;
    if (!(button instanceof HTMLElement)) return;
    const action = actions[button.dataset.do ?? ""];
    if (!action) return;
    event.preventDefault();
    action(button);
  });
}

/** @param {string} selector @returns {HTMLElement} */
export function find(selector) {
  const element = document.querySelector(selector);
  if (!(element instanceof HTMLElement)) throw new Error(`the page has no ${selector}`);
  return element;
}

/** @param {string} name @returns {string} the text of `<template data-word="name">` */
export function word(name) {
  return /** @type {HTMLTemplateElement} */ (find(`template[data-word="${name}"]`)).content.textContent ?? "";
}

/** @param {string} name @param {Record<string, string | number>} values @returns {string} the text with `{key}` filled in */
export function words(name, values) {
  return word(name).replace(/\{(\w+)\}/g, (whole, key) => String(values[key] ?? whole));
}

/**
 * @param {string} name
 * @param {number} count that selects singular or plural, as shown
 * @param {Record<string, string | number>} values
 * @returns {string} the text with `{key}` filled in: that of `name-one` if the language has a singular
 */
export function countedWords(name, count, values) {
  const one = new Intl.PluralRules(document.documentElement.lang || "en").select(count) === "one";
  return words(one ? `${name}-one` : name, values);
}

/** @param {string} selector of `<template data-row>` and the like @returns {HTMLElement} a new copy of its one element */
export function copyOf(selector) {
  const template = document.querySelector(selector);
  const first = template instanceof HTMLTemplateElement ? template.content.firstElementChild?.cloneNode(true) : null;
  if (!(first instanceof HTMLElement)) throw new Error(`the page has no template ${selector}`);
  return first;
}

/** @param {HTMLElement} element @param {string} part @param {string} text put into its `data-part="part"` */
export function fillPart(element, part, text) {
  for (const place of element.querySelectorAll(`[data-part="${part}"]`)) place.textContent = text;
}

/** @param {string} id @returns {any} data that the server put into the page with `json_script` */
export function pageData(id) {
  return JSON.parse(document.getElementById(id)?.textContent ?? "null");
}

/** @param {string | null} path @returns {string | null} the path if it is of this site, else null */
export function ownPath(path) {
  return path !== null && /^\/(?![/\\])/.test(path) && !path.includes("#") ? path : null;
}

/** @param {number} unixS @param {Intl.DateTimeFormatOptions} options @returns {string} in the page's language */
export function formatTime(unixS, options) {
  return new Intl.DateTimeFormat(document.documentElement.lang || "en", options).format(unixS * 1000);
}

/** @param {number} value @param {number} digits after the point, at most @returns {string} in the page's language */
export function formatNumber(value, digits) {
  return new Intl.NumberFormat(document.documentElement.lang || "en", { maximumFractionDigits: digits }).format(value);
}
