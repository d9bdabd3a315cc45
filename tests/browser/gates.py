"""Requirements of every page. Each gate checks an open page and returns descriptions of what is wrong."""

import gzip
from typing import Any, Final

from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from playwright.sync_api import Page, Response

NARROW: Final = {"width": 320, "height": 640}
# 1280 px wide at a zoom of 200 %.
ZOOMED: Final = {"width": 640, "height": 400}
# A4 at 96 px an inch.
PAPER: Final = {"width": 794, "height": 1123}
LONGEST_TRANSITION_S: Final = 0.05
TAB_STOPS: Final = 250

_AXE: Final = Axe().axe_script
# Rules that depend on colours run again in the dark; the others cannot have changed.
_RULES_OF_COLOUR: Final = ["color-contrast", "link-in-text-block"]
_RUN_AXE = """async (only) => {
  const options = { resultTypes: ["violations"], ...(only ? { runOnly: { type: "rule", values: only } } : {}) };
  const { violations } = await axe.run(document, options);
  return violations.map(({ id, nodes }) => ({ id, places: nodes.slice(0, 3).map((node) => node.html.slice(0, 120)) }));
}"""
# A busy state lasts only a moment and has no heading.
STATES: Final = "[...document.querySelectorAll('[data-state]:not([aria-busy])')].map((each) => each.dataset.state)"
UNHIDE_STATE: Final = """(name) => {
  for (const state of document.querySelectorAll("[data-state]")) state.hidden = state.dataset.state !== name;
  for (const part of document.querySelectorAll("[data-when], [data-form]")) part.hidden = false;
  for (const slot of document.querySelectorAll("[data-slot]")) if (!slot.textContent.trim()) slot.textContent = "0";
}"""
WIDER: Final = """() => {
  const width = document.documentElement.clientWidth;
  if (document.scrollingElement.scrollWidth <= width) return [];
  const boxed = (element) => {
    for (let above = element.parentElement; above; above = above.parentElement) {
      if (["auto", "scroll", "hidden", "clip"].includes(getComputedStyle(above).overflowX)) return true;
    }
    return false;
  };
  const beyond = [...document.body.querySelectorAll("*")].filter((element) => {
    const box = element.getBoundingClientRect();
    return box.width > 0 && (box.right > width + 1 || box.left < -1);
  });
  // What only screen readers see leaves a box that scrolls, where that box is no containing block.
  const free = beyond.filter((element) => !boxed(element));
  return (free.length ? free : beyond).slice(0, 5).map((element) => element.outerHTML.slice(0, 120));
}"""
_DIRECTION = """() => {
  const { dir, lang } = document.documentElement;
  return [dir, lang, getComputedStyle(document.querySelector("main")).direction];
}"""
_MOVING = """(longest) => {
  const seconds = (text) => Math.max(...text.split(",").map((each) => parseFloat(each) || 0));
  const moves = (style) => seconds(style.transitionDuration) > longest ||
    (style.animationName !== "none" && seconds(style.animationDuration) > longest);
  return [...document.querySelectorAll("body *")].filter((element) => moves(getComputedStyle(element)))
    .slice(0, 5).map((element) => element.outerHTML.slice(0, 120));
}"""
_ON_PAPER = """() => {
  const wrong = [];
  const light = (colour) => {
    const [red, green, blue] = colour.match(/[\\d.]+/g).map(Number);
    return (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255;
  };
  const body = getComputedStyle(document.body);
  const ground = body.backgroundColor === "rgba(0, 0, 0, 0)" ? getComputedStyle(document.documentElement) : body;
  if (ground.backgroundColor !== "rgba(0, 0, 0, 0)" && light(ground.backgroundColor) < 0.9) wrong.push("dark ground");
  if (light(body.color) > 0.4) wrong.push("light text");
  for (const element of document.querySelectorAll(".top, .foot, .skip")) {
    if (element.getClientRects().length) wrong.push(`printed: ${element.outerHTML.slice(0, 60)}`);
  }
  return wrong;
}"""
# Radio buttons of a group are one stop; the content of a closed <details> is none.
_STOPS = """() => {
  const all = "a[href], button:not(:disabled), input:not([type=hidden]):not(:disabled), select, textarea, summary";
  const groups = new Set();
  let number = 0;
  for (const element of document.querySelectorAll(all)) {
    if (element.tabIndex < 0 || !element.checkVisibility({ visibilityProperty: true })) continue;
    if (element.type === "radio") {
      if (groups.has(element.name)) continue;
      groups.add(element.name);
    }
    element.dataset.stop = String(number++);
  }
  return number;
}"""
_STOPPED = """() => {
  const element = document.activeElement;
  if (!element || element === document.body) return null;
  const stop = element.type === "radio"
    ? document.querySelector(`[name="${CSS.escape(element.name)}"][data-stop]`) : element;
  const box = element.getBoundingClientRect();
  const seen = element.classList.contains("visually-hidden") || (box.width > 0 && box.height > 0 &&
    box.bottom > 0 && box.top < innerHeight);
  return { stop: stop?.dataset.stop ?? "", seen, text: element.outerHTML.slice(0, 120) };
}"""


def accessible(page: Page, where: str) -> list[str]:
    """Check that axe finds nothing, light or dark, without motion: a fading colour has too little contrast."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(_AXE)
    wrong: list[str] = []
    for scheme, rules in (("light", None), ("dark", _RULES_OF_COLOUR)):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        found = page.evaluate(_RUN_AXE, rules)
        wrong += [f"{where}, {scheme}: axe {each['id']}: {'; '.join(each['places'])}" for each in found]
    page.emulate_media(color_scheme="light")
    return wrong


def accessible_states(page: Page) -> list[str]:
    """Check that axe finds nothing in any state of the page, with all its parts shown and each slot filled."""
    names: list[str] = page.evaluate(STATES)
    wrong: list[str] = []
    for name in names:
        page.evaluate(UNHIDE_STATE, name)
        wrong += accessible(page, f"state {name}")
        wrong += fits(page, f"state {name}")
    return wrong


def fits(page: Page, where: str) -> list[str]:
    """Check that nothing scrolls sideways, on the narrowest screen and at a zoom of 200 %."""
    before = page.viewport_size
    wrong = []
    for size in (NARROW, ZOOMED):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        wrong += [f"{where}: wider than {size['width']} px: {each}" for each in page.evaluate(WIDER)]
    if before:
        page.set_viewport_size(before)
    return wrong


def right_to_left(page: Page, language: str) -> list[str]:
    """Check that a page in a right-to-left language declares it, is laid out that way, and fits."""
    found = page.evaluate(_DIRECTION)
    asked = ["rtl", language, "rtl"]
    wrong = [] if found == asked else [f"direction, language and layout are {found}, not {asked}"]
    return wrong + fits(page, "right to left")


def still(page: Page) -> list[str]:
    """Check that nothing moves if reduced motion is requested, as this page's context does."""
    return [f"moves: {each}" for each in page.evaluate(_MOVING, LONGEST_TRANSITION_S)]


def printable(page: Page) -> list[str]:
    """Check that print is dark on white, without the site's frame, as wide as paper, also on a dark screen."""
    before = page.viewport_size
    page.emulate_media(media="print", color_scheme="dark")
    page.set_viewport_size(PAPER)  # type: ignore[arg-type]
    wrong = [f"paper: {each}" for each in page.evaluate(_ON_PAPER) + page.evaluate(WIDER)]
    page.emulate_media(media="screen", color_scheme="light")
    if before:
        page.set_viewport_size(before)
    return wrong


def walkable(page: Page) -> list[str]:
    """Check that the Tab key reaches every control, and that the focus is visible at each stop."""
    left = {str(number) for number in range(page.evaluate(_STOPS))}
    page.evaluate("document.activeElement?.blur(); scrollTo(0, 0)")
    wrong: list[str] = []
    # Walk from where the page put the focus to its end, and once more from the beginning.
    ends = 0
    for _ in range(TAB_STOPS):
        page.keyboard.press("Tab")
        stop: dict[str, Any] | None = page.evaluate(_STOPPED)
        ends += stop is None
        if not left or ends == 2:
            break
        if stop is None:
            continue
        if not stop["seen"]:
            wrong.append(f"Tab stops out of sight: {stop['text']}")
        left.discard(stop["stop"])
    for number in sorted(left)[:5] if len(left) < TAB_STOPS else []:
        html = page.evaluate("(stop) => document.querySelector(`[data-stop='${stop}']`).outerHTML", number)
        wrong.append(f"Tab never comes to: {html[:120]}")
    return wrong


def protected(response: Response) -> list[str]:
    """Check that the Content-Security-Policy is the one in the settings."""
    found = response.header_value("content-security-policy")
    return [] if found == settings.CONTENT_SECURITY_POLICY else [f"policy: {found}"]


def titled(page: Page) -> list[str]:
    """Check that the page has a title and exactly one visible `h1`."""
    wrong = [] if page.title().strip() else ["no title"]
    seen = [each for each in page.locator("h1").all() if each.is_visible()]
    return wrong if len(seen) == 1 else [*wrong, f"{len(seen)} visible h1"]


def light(responses: list[Response], budget_bytes: int) -> list[str]:
    """Check that the gzipped size of the first load is within the budget."""
    sizes = {each.url: len(gzip.compress(each.body(), 6)) for each in responses if each.status == 200}
    total = sum(sizes.values())
    return [] if total <= budget_bytes else [f"{total:,} bytes gzipped, {budget_bytes:,} allowed: {sizes}"]
