/**
 * The query page with a script: a chart of the answer, Ctrl+Enter, the cursor where the mistake is, copying. The server
 * has already answered; without this file the page asks and shows just the same.
 */
import uPlot from "uplot";
import { find, pageData } from "../../../../passes/frontend/ui/page.js";

/**
 * @typedef {object} Chart
 * @property {"date" | "text"} kind  what the first column holds
 * @property {string[]} x
 * @property {{name: string, values: number[]}[]} series
 */

const HEIGHT_PX = 320;
/** Told apart by light and dark and by dashes too, for those who see no colour. */
const STROKES = [
  ["--ct-main", []],
  ["--ct-dot", [8, 4]],
  ["--ct-ink", [2, 3]],
  ["--ct-quiet", [10, 3, 2, 3]],
  ["--ct-good", [4, 4]],
  ["--ct-bad", [1, 4]],
];

/** @param {string} name @returns {string} a colour of the page as it is now */
function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** @param {Chart} chart @param {HTMLElement} box @returns {uPlot} */
function draw(chart, box) {
  const isDate = chart.kind === "date";
  const x = chart.x.map((value, at) => (isDate ? Date.parse(`${value}T00:00:00Z`) / 1000 : at));
  const axis = { stroke: colour("--ct-quiet"), grid: { stroke: colour("--ct-line"), width: 1 }, ticks: { stroke: colour("--ct-line") } };
  return new uPlot(
    {
      width: box.clientWidth,
      height: HEIGHT_PX,
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "UTC"),
      scales: { x: { time: isDate } },
      axes: [
        isDate
          ? { ...axis, values: (_plot, splits) => splits.map((seconds) => new Date(seconds * 1000).toISOString().slice(0, 10)), space: 90 }
          : { ...axis, values: (_plot, splits) => splits.map((at) => (Number.isInteger(at) ? (chart.x[at] ?? "") : "")) },
        { ...axis, size: 70 },
      ],
      series: [
        {},
        ...chart.series.map(({ name }, at) => {
          const [stroke, dash] = /** @type {[string, number[]]} */ (STROKES[at % STROKES.length]);
          return { label: name, stroke: colour(stroke), width: 2, dash, points: { show: x.length < 60 } };
        }),
      ],
      legend: { live: false },
      cursor: { show: false },
    },
    [x, ...chart.series.map(({ values }) => values)],
    box,
  );
}

function showChart() {
  /** @type {Chart | null} */
  const chart = pageData("chart");
  if (!chart) return;
  find("[data-chart]").hidden = false;
  const box = find("[data-plot]");
  let plot = draw(chart, box);
  const again = () => {
    plot.destroy();
    plot = draw(chart, box);
  };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
  new ResizeObserver(() => {
    if (Math.abs(plot.width - box.clientWidth) > 1) again();
  }).observe(box);
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
