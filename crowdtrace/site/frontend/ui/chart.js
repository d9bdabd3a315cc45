/** Bars like those of the server, for numbers that only this device has. A table next to them has the same numbers. */
import { axisTop } from "../core/rounding.js";

const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 96;
const STEP = 24;
const WIDTH = 16;
const LEAST = 2;

/** @param {string} name @param {Record<string, string | number>} attributes @returns {SVGElement} */
function element(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  return made;
}

const AXIS = 30;

/**
 * @param {SVGElement} svg
 * @param {{value: number, label: string, marked: boolean}[]} bars
 * @param {(value: number) => string} format for the numbers of the axis
 */
export function drawBars(svg, bars, format) {
  const most = axisTop(Math.max(...bars.map((bar) => bar.value), 0));
  svg.setAttribute("viewBox", `${-AXIS} -8 ${AXIS + bars.length * STEP} ${HEIGHT + 26}`);
  const drawn = bars.flatMap(({ value, label, marked }, at) => {
    const height = value > 0 ? Math.max(LEAST, (HEIGHT * value) / most) : 0;
    const x = at * STEP + (STEP - WIDTH) / 2;
    const bar = element("rect", { x, y: HEIGHT - height, width: WIDTH, height, rx: 2, class: marked ? "is-marked" : "" });
    const text = element("text", { x: at * STEP + STEP / 2, y: HEIGHT + 13, "text-anchor": "middle" });
    text.textContent = label;
    return [bar, text];
  });
  const axis = [0, most / 2, most].flatMap((value) => {
    const y = HEIGHT - (HEIGHT * value) / most;
    const text = element("text", { x: -5, y: y + 4, "text-anchor": "end" });
    text.textContent = format(value);
    return [element("line", { x1: 0, x2: bars.length * STEP, y1: y, y2: y, class: value > 0 ? "is-faint" : "" }), text];
  });
  svg.replaceChildren(...axis, ...drawn);
}

/** @param {SVGCircleElement} ring whose `pathLength` is 100 @param {number} percent */
export function drawRing(ring, percent) {
  ring.setAttribute("stroke-dasharray", `${percent} ${100 - percent}`);
}
