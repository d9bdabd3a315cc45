/**
 * The interactive query page: a chart of chosen columns, completion of names, earlier queries, Ctrl+Enter, the cursor at
 * an error, copying. The server renders the result; without this file the page still runs queries and shows results.
 */
import "../core/page_language.js";
import uPlot from "uplot";
import { find, pageData } from "../../../../passes/frontend/ui/page.js";
import { drawn, inTime, isInterval, usual } from "../core/drawn.js";
import { begun, completed, fitting } from "../core/names.js";

/** @typedef {import("../core/drawn.js").Choice} Choice */

/**
 * @typedef {object} Chart
 * @property {"date" | "text"} kind  what the first column holds
 * @property {string[]} x
 * @property {{name: string, values: number[]}[]} series
 */

const HEIGHT_PX = 320;
/** Strokes differ in lightness and dashes too, for people who see no colour. */
const STROKES = [
  ["--ct-main", []],
  ["--ct-dot", [8, 4]],
  ["--ct-ink", [2, 3]],
  ["--ct-quiet", [10, 3, 2, 3]],
  ["--ct-good", [4, 4]],
  ["--ct-bad", [1, 4]],
];

/** @param {string} name @returns {string} a colour of the current theme */
function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** @typedef {{kind: "date" | "text", x: string[], lines: import("../core/drawn.js").Line[]}} Drawn */

/** @param {Drawn} chart @param {HTMLElement} box @returns {uPlot} */
function draw(chart, box) {
  const isDate = chart.kind === "date";
  const x = chart.x.map((value, at) => (isDate ? Date.parse(`${value}T00:00:00Z`) / 1000 : at));
  const axis = { stroke: colour("--ct-quiet"), grid: { stroke: colour("--ct-line"), width: 1 }, ticks: { stroke: colour("--ct-line") } };
  /** @type {uPlot.Series[]} */
  const series = [{}];
  /** @type {uPlot.Band[]} */
  const bands = [];
  /** @type {(number | null)[][]} */
  const values = [];
  for (const [at, line] of chart.lines.entries()) {
    const [name, dash] = /** @type {[string, number[]]} */ (STROKES[at % STROKES.length]);
    const stroke = colour(name);
    series.push({ label: line.name, stroke, width: 2, dash, points: { show: x.length < 60 } });
    values.push(line.values);
    if (!line.low || !line.high) continue;
    const word = `${line.name} · ${/** @type {HTMLTemplateElement} */ (find('[data-word="interval"]')).content.textContent}`;
    bands.push({ series: [series.length, series.length + 1], fill: `color-mix(in srgb, ${stroke} 20%, transparent)` });
    series.push({ label: `${word} ↑`, stroke, width: 0.5, points: { show: false } }, { label: `${word} ↓`, stroke, width: 0.5, points: { show: false } });
    values.push(line.high, line.low);
  }
  const places = isDate ? inTime(x, values) : { times: x, lines: values };
  return new uPlot(
    {
      width: box.clientWidth,
      height: HEIGHT_PX,
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "UTC"),
      scales: { x: { time: isDate } },
      axes: [
        isDate
          ? { ...axis, values: (_plot, splits) => splits.map((seconds) => new Date(seconds * 1000).toISOString().slice(0, 10)), space: 90 }
          : { ...axis, space: 90, values: (_plot, splits) => splits.map((at) => (Number.isInteger(at) ? (chart.x[at] ?? "") : "")) },
        { ...axis, size: 70 },
      ],
      series,
      bands,
      legend: { live: false },
      cursor: { show: false },
    },
    [places.times, ...places.lines],
    box,
  );
}

/** @returns {Drawn | null} the server's default: whole numbers, summed */
function givenChart() {
  /** @type {Chart | null} */
  const chart = pageData("chart");
  return chart && { kind: chart.kind, x: chart.x, lines: chart.series.map((each) => ({ ...each, low: null, high: null })) };
}

/** @param {Choice} choice @param {(chart: Drawn) => void} show */
function offerChoice(choice, show) {
  const box = /** @type {HTMLDetailsElement} */ (find("[data-choice]"));
  const across = /** @type {HTMLSelectElement} */ (find("[data-across]"));
  const lines = find("[data-lines]");
  const first = usual(choice);
  across.replaceChildren(...choice.names.map((name, at) => new Option(name, String(at), at === first.across, at === first.across)));
  for (const [at, name] of choice.names.entries()) {
    if (choice.kinds[at] !== "number") continue;
    const label = document.createElement("label");
    const tick = document.createElement("input");
    tick.type = "checkbox";
    tick.value = String(at);
    tick.checked = first.lines.includes(at);
    label.append(tick, ` ${name}`);
    lines.append(label);
  }
  const chosen = () => {
    const column = Number(across.value);
    const ticked = [...lines.querySelectorAll("input")].filter((each) => each.checked).map((each) => Number(each.value));
    const made = drawn(choice, column, ticked.filter((each) => each !== column));
    show({ kind: choice.kinds[column] === "date" ? "date" : "text", x: made.x, lines: made.lines });
  };
  box.addEventListener("change", chosen);
  box.hidden = false;
  return chosen;
}

function showChart() {
  /** @type {Choice | null} */
  const choice = pageData("choice");
  let chart = givenChart();
  if (!chart && !choice) return;
  const box = find("[data-plot]");
  let plot = /** @type {uPlot | null} */ (null);
  const again = () => {
    plot?.destroy();
    plot = chart && draw(chart, box);
  };
  find("[data-chart]").hidden = false;
  if (choice) {
    const chosen = offerChoice(choice, (next) => {
      chart = next;
      again();
    });
    // Only the columns of the result have intervals and fractions.
    if (!chart || choice.names.some((_, at) => isInterval(choice, at))) chosen();
  }
  again();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
  new ResizeObserver(() => {
    if (plot && Math.abs(plot.width - box.clientWidth) > 1) again();
  }).observe(box);
}

/** Complete names in a list below the text: letters open it, Down selects, Tab or Enter accepts, Escape closes. */
function completeNames() {
  /** @type {string[]} */
  const names = pageData("names-known") ?? [];
  const list = find("[data-names]");
  const said = find("[data-names-said]");
  const words = /** @type {HTMLTemplateElement} */ (find('[data-word="names"]')).content.textContent ?? "";
  let chosen = -1;
  text.setAttribute("aria-controls", list.id);
  const close = () => {
    list.hidden = true;
    chosen = -1;
    text.removeAttribute("aria-activedescendant");
  };
  /** @param {string} name */
  const take = (name) => {
    const made = completed(text.value, text.selectionStart, name);
    text.value = made.text;
    text.setSelectionRange(made.at, made.at);
    text.focus();
    close();
  };
  /** @param {number} at */
  const choose = (at) => {
    const options = [...list.children];
    chosen = (at + options.length) % options.length;
    for (const [place, option] of options.entries()) option.setAttribute("aria-selected", String(place === chosen));
    text.setAttribute("aria-activedescendant", `name-${chosen}`);
  };
  text.addEventListener("input", () => {
    const found = text.selectionStart === text.selectionEnd ? fitting(names, begun(text.value, text.selectionStart)) : [];
    close();
    list.replaceChildren(
      ...found.map((name, at) => {
        const option = document.createElement("li");
        option.id = `name-${at}`;
        option.setAttribute("role", "option");
        option.setAttribute("aria-selected", "false");
        option.textContent = name;
        option.addEventListener("pointerdown", (event) => {
          event.preventDefault();
          take(name);
        });
        return option;
      }),
    );
    list.hidden = found.length === 0;
    said.textContent = found.length ? words.replace("{n}", String(found.length)) : "";
  });
  text.addEventListener("keydown", (event) => {
    if (list.hidden) return;
    if (event.key === "Escape") close();
    else if (event.key === "ArrowDown") choose(chosen + 1);
    else if (event.key === "ArrowUp" && chosen >= 0) choose(chosen - 1);
    else if ((event.key === "Tab" || event.key === "Enter") && chosen >= 0) take(list.children[chosen]?.textContent ?? "");
    else return;
    event.preventDefault();
  });
  text.addEventListener("blur", close);
}

const KEPT = "crowdtrace-queries";
const MOST_KEPT = 20;

/** @returns {string[]} queries of this browser, newest first */
function asked() {
  try {
    const found = JSON.parse(localStorage.getItem(KEPT) ?? "[]");
    return Array.isArray(found) ? found.filter((each) => typeof each === "string") : [];
  } catch {
    return [];
  }
}

function showHistory() {
  const box = find("[data-history]");
  const here = new URLSearchParams(location.search).get("sql");
  const found = asked();
  const kept = [...new Set(here && !text.dataset.line ? [here, ...found] : found)].slice(0, MOST_KEPT);
  try {
    localStorage.setItem(KEPT, JSON.stringify(kept));
  } catch {
    // Without storage, queries are not remembered.
  }
  box.hidden = kept.length === 0;
  find("[data-history-list]").replaceChildren(
    ...kept.map((sql) => {
      const item = document.createElement("li");
      const link = document.createElement("a");
      link.href = `${form.getAttribute("action")?.split("#")[0]}?${new URLSearchParams({ sql })}#answer`;
      link.textContent = sql.replace(/\s+/g, " ").slice(0, 80);
      item.append(link);
      return item;
    }),
  );
  find("[data-history-clear]").addEventListener("click", () => {
    localStorage.removeItem(KEPT);
    box.hidden = true;
  });
}

const form = /** @type {HTMLFormElement} */ (find("[data-query]"));
const text = /** @type {HTMLTextAreaElement} */ (find("#sql"));
text.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
});
const { line, column } = text.dataset;
if (line) {
  const lines = text.value.split("\n");
  const start = lines.slice(0, Number(line) - 1).reduce((sum, each) => sum + each.length + 1, 0) + Number(column) - 1;
  text.focus();
  text.setSelectionRange(start, start + 1);
}

for (const button of document.querySelectorAll("[data-copy]")) {
  if (!(button instanceof HTMLButtonElement) || !navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const text = button.parentElement?.querySelector("code")?.textContent ?? "";
    const copied = await navigator.clipboard.writeText(text).then(() => true, () => false);
    if (copied) button.textContent = /** @type {HTMLTemplateElement} */ (find('[data-word="copied"]')).content.textContent;
  });
}
showChart();
completeNames();
showHistory();
const answer = document.querySelector("#answer");
if (answer instanceof HTMLElement && !line && new URLSearchParams(location.search).has("sql")) {
  answer.scrollIntoView();
  answer.focus({ preventScroll: true });
}
