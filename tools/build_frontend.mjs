/**
 * Build the browser assets from the sources in each app's `frontend/` into that app's `static/`.
 *
 * The output is committed: running CrowdTrace needs no Node. `--check` builds into memory and fails when the committed
 * files differ, so that output and sources cannot drift apart. Each app's output folder belongs to this script alone.
 */
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const HERE = dirname(dirname(fileURLToPath(import.meta.url)));
/** The oldest browsers that have what the pages need: modules, IndexedDB, HKDF, `color-scheme`. */
const TARGET = ["chrome109", "firefox115", "safari16.4"];

/**
 * @typedef {object} App
 * @property {string} from  folder of sources
 * @property {string} to    folder of built files
 * @property {string[]} entries one self-contained file each: no chunks, so that a page loads one script
 * @property {Record<string, string>} copies name of the built file, source in `node_modules`
 */

/** @type {App[]} */
const APPS = [
  {
    from: "crowdtrace/site/frontend",
    to: "crowdtrace/site/static/site/built",
    entries: ["site.js", "vitals.js", "site.css", "visitor.css", "pages/places.js", "pages/shield.js", "pages/my_data.js", "front.css", "reading.css", "research.css", "radar.css", "pages/sql.js", "pages/map.js", "pages/radar.js"],
    copies: { "pico.min.css": "@picocss/pico/css/pico.min.css" },
  },
  {
    from: "passes/frontend",
    to: "passes/static/passes/built",
    entries: ["pages/me.js", "pages/check_in.js", "pages/paper.js", "pages/pass.js", "pages/visits.js", "pages/event.js", "pages/rate.js", "pages/test.js", "pages/ahead.js", "pages/kiosk.js", "core/ed25519_script.js", "door/x25519_script.js", "ui/address_qr_script.js", "workers/reader.js", "workers/reader_script.js", "workers/service.js", "passes.css", "kiosk.css"],
    copies: { "zxing_reader.wasm": "zxing-wasm/dist/reader/zxing_reader.wasm" },
  },
  {
    from: "venues/frontend",
    to: "venues/static/venues/built",
    entries: ["owner.js", "venues.css"],
    copies: {},
  },
];

/** @param {string} path @returns {string} the npm package that a file belongs to, or empty */
function packageOf(path) {
  const inside = path.split("node_modules/").at(-1) ?? "";
  if (!path.includes("node_modules/")) return "";
  const [scope = "", name] = inside.split("/");
  return scope.startsWith("@") ? `${scope}/${name}` : scope;
}

/** @param {Set<string>} packages @returns {Promise<string>} names, versions and full licence texts */
async function licences(packages) {
  const parts = ["Third-party code in this folder, with its licences.\n"];
  for (const name of [...packages].sort()) {
    const folder = join(HERE, "node_modules", name);
    const { version, license } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
    const file = (await readdir(folder)).filter((entry) => /^licen[cs]e/i.test(entry)).sort()[0];
    const text = file ? await readFile(join(folder, file), "utf8") : SPOKEN_LICENCES[name];
    if (!text) throw new Error(`${name} has no licence text`);
    parts.push(`${"=".repeat(100)}\n${name} ${version} (${license})\n\n${text.trim()}\n`);
  }
  return parts.join("\n");
}

/** Licence texts of packages whose archive has none, as in their repository. @type {Record<string, string>} */
const SPOKEN_LICENCES = {};

/** Packages without side effects that do not declare `sideEffects: false`: unused exports are removed. */
const PURE = /[\\/]node_modules[\\/](cborg|idb|@hpke|@noble)[\\/]/;

/** @type {import("esbuild").Plugin} */
const leaveOutUnused = {
  name: "leave-out-unused",
  setup({ onResolve, resolve }) {
    onResolve({ filter: /./ }, async ({ path, pluginData, ...from }) => {
      if (pluginData === leaveOutUnused) return undefined;
      const found = await resolve(path, { ...from, pluginData: leaveOutUnused });
      return PURE.test(found.path) ? { ...found, sideEffects: false } : undefined;
    });
  },
};

/** @param {App} app @returns {Promise<Map<string, Uint8Array>>} file name to bytes */
async function buildApp(app) {
  const result = await build({
    absWorkingDir: HERE,
    entryPoints: app.entries.map((entry) => join(app.from, entry)),
    outdir: app.to,
    entryNames: "[name]",
    treeShaking: true,
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    target: TARGET,
    legalComments: "none",
    charset: "utf8",
    metafile: true,
    write: false,
    logLevel: "warning",
    plugins: [leaveOutUnused],
    define: { "process.env.NODE_ENV": '"production"' },
  });
  const files = new Map(result.outputFiles.map((file) => [relative(join(HERE, app.to), file.path), file.contents]));
  const packages = new Set(Object.values(result.metafile.outputs).flatMap((output) => Object.entries(output.inputs).filter(([, use]) => use.bytesInOutput > 0).map(([path]) => packageOf(path))));
  for (const [name, source] of Object.entries(app.copies)) {
    files.set(name, await readFile(join(HERE, "node_modules", source)));
    packages.add(packageOf(`node_modules/${source}`));
  }
  packages.delete("");
  files.set("LICENCES.txt", Buffer.from(await licences(packages)));
  return files;
}

/** @param {string} folder @returns {Promise<string[]>} names of the files in it */
async function listed(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isFile()).map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"));
}

/** @param {App} app @param {Map<string, Uint8Array>} files */
async function write(app, files) {
  const folder = join(HERE, app.to);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const [name, bytes] of files) await writeFile(join(folder, name), bytes);
}

/** @param {App} app @param {Map<string, Uint8Array>} files @returns {Promise<string[]>} names of files that differ */
async function differences(app, files) {
  const folder = join(HERE, app.to);
  const names = new Set([...(await listed(folder)), ...files.keys()]);
  const differing = [];
  for (const name of names) {
    const built = files.get(name);
    const committed = await readFile(join(folder, name)).catch(() => null);
    if (!built || !committed || !committed.equals(built)) differing.push(join(app.to, name));
  }
  return differing;
}

const check = process.argv.includes("--check");
const stale = [];
for (const app of APPS) {
  const files = await buildApp(app);
  if (check) stale.push(...(await differences(app, files)));
  else await write(app, files);
}
if (stale.length > 0) {
  console.error(`Built files differ from their sources; run \`npm run build\` and commit:\n${stale.sort().join("\n")}`);
  process.exitCode = 1;
}
