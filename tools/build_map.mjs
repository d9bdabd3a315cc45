/**
 * Make crowdtrace/site/research/data/us_map.json: outlines of the states and the place of each 3-digit ZIP area on the same map.
 *
 * Outlines are those of `us-atlas` (U.S. Census Bureau, public domain; package ISC), which are projected by
 * `d3.geoAlbersUsa().scale(1300).translate([487.5, 305])`. Places of ZIP areas are the coordinates of
 * `venues/data/zip3.csv`, projected the same way. Areas outside that projection (Puerto Rico, Guam and the like,
 * military addresses) or without coordinates have no place on the map; the table next to it has all areas.
 *
 * The output is committed; `--check` fails when it differs.
 */
import { readFile, writeFile } from "node:fs/promises";
import { geoAlbersUsa } from "d3-geo";
import { feature } from "topojson-client";

const OUTPUT = new URL("../crowdtrace/site/research/data/us_map.json", import.meta.url);
const ATLAS = new URL("../node_modules/us-atlas/states-albers-10m.json", import.meta.url);
const ZIPS = new URL("../venues/data/zip3.csv", import.meta.url);
const NAMES = new URL("../crowdtrace/site/research/data/states.json", import.meta.url);
/** Units of the map are its pixels; one in ten is finer than any screen shows. */
const STEP = 10;
/** Islands below this area, in square units, are specks. */
const SMALLEST_AREA = 1.5;

/** @param {number[][]} ring @returns {number} its area (shoelace formula) */
function area(ring) {
  let twice = 0;
  ring.forEach(([x, y], at) => {
    const [nextX, nextY] = ring[(at + 1) % ring.length];
    twice += x * nextY - nextX * y;
  });
  return Math.abs(twice) / 2;
}

/** @param {number[][]} ring @returns {string} a closed path in relative steps of a tenth */
function path(ring) {
  const points = ring.map(([x, y]) => [Math.round(x * STEP), Math.round(y * STEP)]);
  let [lastX, lastY] = points[0];
  let text = `M${lastX / STEP} ${lastY / STEP}l`;
  const steps = [];
  for (const [x, y] of points.slice(1, -1)) {
    if (x === lastX && y === lastY) continue;
    steps.push(`${(x - lastX) / STEP} ${(y - lastY) / STEP}`);
    [lastX, lastY] = [x, y];
  }
  text += steps.join(" ");
  return `${text.replaceAll(" 0.", " .").replaceAll("-0.", "-.").replaceAll(" -", "-")}z`;
}

const atlas = JSON.parse(await readFile(ATLAS, "utf8"));
/** @type {Record<string, string>} full name of each state by its USPS letters */
const names = JSON.parse(await readFile(NAMES, "utf8"));
const letters = new Map(Object.entries(names).map(([code, name]) => [name, code]));
const states = feature(atlas, atlas.objects.states)
  .features.map(({ geometry, properties }) => {
    const polygons = geometry.type === "Polygon" ? [geometry.coordinates] : geometry.coordinates;
    const rings = polygons.flat().filter((ring) => area(ring) >= SMALLEST_AREA);
    const code = letters.get(properties.name);
    if (!code) throw new Error(`no letters for ${properties.name}`);
    return { state: code, path: rings.map(path).join("") };
  })
  .sort((a, b) => (a.state < b.state ? -1 : 1));

const project = geoAlbersUsa().scale(1300).translate([487.5, 305]);
const zips = (await readFile(ZIPS, "utf8"))
  .trim()
  .split("\n")
  .slice(1)
  .map((line) => line.trim().split(","))
  .filter(([, , latitude, longitude]) => latitude && longitude)
  .map(([zip3, , latitude, longitude]) => ({ zip3, point: project([Number(longitude), Number(latitude)]) }))
  .filter(({ point }) => point)
  .map(({ zip3, point }) => [zip3, ...point.map((value) => Math.round(value * STEP) / STEP)]);

const made = `${JSON.stringify({ width: 975, height: 610, states, zips })}\n`;
if (process.argv.includes("--check")) {
  if ((await readFile(OUTPUT, "utf8")) !== made) {
    console.error("crowdtrace/site/research/data/us_map.json differs from its sources; run `npm run map` and commit.");
    process.exitCode = 1;
  }
} else {
  await writeFile(OUTPUT, made);
}
