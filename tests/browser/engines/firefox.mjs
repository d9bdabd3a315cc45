/**
 * Firefox for the tests: puppeteer controls it by WebDriver BiDi; Python exchanges lines of JSON with this program.
 * The response to a line `{id, does, window, with}` is `{id, result}` or `{id, error}`.
 */
import { createInterface } from "node:readline";
import puppeteer from "puppeteer-core";

const [executablePath] = process.argv.slice(2);
const browser = await puppeteer.launch({
  browser: "firefox",
  executablePath,
  headless: true,
  protocolTimeout: 120_000,
});
/** @type {Map<number, {context: import("puppeteer-core").BrowserContext, page: import("puppeteer-core").Page, wrong: string[]}>} */
const windows = new Map();

/** @param {import("puppeteer-core").Page} page @param {string} selector @returns the first visible one */
async function visible(page, selector) {
  const handle = await page.evaluateHandle(
    (wanted) => [...document.querySelectorAll(wanted)].find((each) => each.checkVisibility({ visibilityProperty: true })),
    selector,
  );
  const element = handle.asElement();
  if (!element) throw new Error(`nothing to be seen of ${selector}`);
  return element;
}

/** Press all keys in one request: one by one, a code takes seconds. @param {import("puppeteer-core").Page} page @param {[string, boolean][]} keys */
async function type(page, keys) {
  const actions = keys.flatMap(([value, shifted]) => {
    const stroke = [{ type: "keyDown", value }, { type: "keyUp", value }];
    return shifted ? [{ type: "keyDown", value: "\uE008" }, ...stroke, { type: "keyUp", value: "\uE008" }] : stroke;
  });
  await page.mainFrame().browsingContext.performActions([{ type: "key", id: "keyboard", actions }]);
}

const deeds = {
  open: async ({ window, width, height }) => {
    const context = await browser.createBrowserContext();
    const page = await context.newPage();
    await page.setViewport({ width, height });
    const wrong = [];
    page.on("pageerror", (error) => wrong.push(`uncaught: ${error}`));
    page.on("console", (message) => message.type() === "error" && wrong.push(`console: ${message.text()}`));
    windows.set(window, { context, page, wrong });
  },
  goto: ({ address }, { page }) => page.goto(address, { waitUntil: "load" }).then(() => null),
  reload: (_, { page }) => page.reload({ waitUntil: "load" }).then(() => null),
  run: ({ source, given }, { page }) => page.evaluate(`(${source})(...${JSON.stringify(given)})`),
  press: async ({ selector }, { page }) => (await visible(page, selector)).click(),
  keys: ({ keys }, { page }) => type(page, keys),
  picture: async ({ selector }, { page }) => (await visible(page, selector)).screenshot({ encoding: "base64" }),
  resize: ({ width, height }, { page }) => page.setViewport({ width, height }),
  cookie: ({ name, value, url }, { context }) => context.setCookie({ name, value, domain: new URL(url).hostname, path: "/" }),
  wrong: (_, { wrong }) => wrong.splice(0),
  close: async ({ window }, { context }) => {
    windows.delete(window);
    await context.close();
  },
};

/** Bring the requested window to the front, because a window in the background is slow. */
let front = 0;

const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
say({ id: 0, result: await browser.version() });
for await (const line of createInterface({ input: process.stdin })) {
  const { id, does, ...given } = JSON.parse(line);
  const asked = windows.get(given.window);
  try {
    if (asked && front !== given.window) await asked.page.bringToFront();
    front = given.window;
    say({ id, result: (await deeds[does](given, asked)) ?? null });
  } catch (error) {
    say({ id, error: String(error) });
  }
}
await browser.close();
