"""What the flows require of any browser: one window with separate storage."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Final

PATIENCE_S: Final = 60.0
PAUSE_S: Final = 0.05
# Neither browser runs a script before the page's own, so a page is watched only once it is loaded.
_WATCH: Final = """() => {
  if (window.wrong) return;
  window.wrong = [];
  addEventListener("error", (event) => window.wrong.push(`uncaught: ${event.message}`));
  addEventListener("unhandledrejection", (event) => window.wrong.push(`unhandled: ${event.reason}`));
  addEventListener("securitypolicyviolation", (event) => window.wrong.push(`policy: ${event.blockedURI}`));
  for (const { name } of performance.getEntriesByType("resource")) {
    if (new URL(name).origin !== location.origin) window.wrong.push(`request to another origin: ${name}`);
  }
  window.lights = [];
  const signal = document.querySelector(".signal");
  if (!signal) return;
  let shown = false;
  new MutationObserver(() => {
    if (!signal.hidden && !shown) window.lights.push(signal.dataset.signal);
    shown = !signal.hidden;
  }).observe(signal, { attributes: true });
}"""
_VISIBLE: Final = """(selector, text) => [...document.querySelectorAll(selector)].some((each) =>
  each.checkVisibility({ visibilityProperty: true }) && each.textContent.includes(text))"""

# A press must reach its element, not something that covers it for a moment, as a door's light does.
_REACHABLE: Final = """(selector) => {
  const element = [...document.querySelectorAll(selector)].find((each) =>
    each.checkVisibility({ visibilityProperty: true }));
  if (!element) return false;
  element.scrollIntoView({ block: "center", behavior: "instant" });
  const box = element.getBoundingClientRect();
  const there = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  return element.contains(there) || Boolean(there?.closest("label")?.contains(element));
}"""
# Characters typed with Shift on the US keyboard layout, the default of scanners.
SHIFTED: Final = frozenset('ABCDEFGHIJKLMNOPQRSTUVWXYZ$%*+:"?_&()@!<>{}|~^#')


class WindowError(Exception):
    """The browser did not do what was requested, for example because the page was being left."""


class Window(ABC):
    """A browser window driven by a test.

    Selectors are CSS selectors. `run` takes the source of a JavaScript function, which may be asynchronous, and its
    arguments, and returns its result as JSON.
    """

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.wrong: list[str] = []

    @abstractmethod
    def load(self, address: str) -> None:
        """Load a URL and wait until it is loaded."""

    @abstractmethod
    def load_again(self) -> None:
        """Load the page again, as the Reload button does."""

    @abstractmethod
    def run(self, function: str, *arguments: Any) -> Any:
        """Run a function in the page."""

    @abstractmethod
    def press(self, selector: str) -> None:
        """Press the first visible element, as a mouse or a finger does."""

    @abstractmethod
    def keys(self, text: str) -> None:
        """Type on the keyboard into the focused element; a line feed is the Enter key."""

    @abstractmethod
    def picture(self, selector: str) -> bytes:
        """Return a screenshot of an element, as PNG."""

    @abstractmethod
    def resize(self, width: int, height: int) -> None:
        """Resize the page."""

    @abstractmethod
    def keep_cookie(self, name: str, value: str) -> None:
        """Store a cookie of the origin."""

    @abstractmethod
    def close(self) -> None:
        """Close the window and forget its storage."""

    def open(self, path: str) -> None:
        """Go to a page of the server."""
        self.gather()
        self.load(path if "://" in path else f"{self.origin}{path}")
        self.run(_WATCH)

    def reload(self) -> None:
        """Load the page again, and watch it."""
        self.gather()
        self.load_again()
        self.run(_WATCH)

    def gather(self) -> None:
        """Record the errors of the present page."""
        self.wrong += self.run("() => window.wrong ? window.wrong.splice(0) : []")

    def until(self, holds: Callable[[], Any], what: str) -> None:
        """Wait until a condition holds."""
        end = time.monotonic() + PATIENCE_S
        while not self._tried(holds):
            if time.monotonic() > end:
                seen = self.run("() => [location.href, document.body.innerText]")
                raise AssertionError(f"not within {PATIENCE_S:.0f} s: {what}; seen: {seen}; wrong: {self.wrong}")
            time.sleep(PAUSE_S)

    @staticmethod
    def _tried(holds: Callable[[], Any]) -> bool:
        try:
            return bool(holds())
        except WindowError:
            return False

    def sees(self, selector: str, text: str = "") -> bool:
        """Return whether an element that contains a text is visible."""
        return bool(self.run(_VISIBLE, selector, text))

    def wait(self, selector: str, text: str = "") -> None:
        """Wait until an element that contains a text is visible."""
        self.until(lambda: self.sees(selector, text), f"{selector} {text!r}")

    def shows(self, state: str) -> None:
        """Wait until the page shows a state."""
        self.wait(f'[data-state="{state}"]')

    def at(self, path: str) -> None:
        """Wait until the browser has arrived at a URL, and watch the page there."""
        ready = "(path) => (location.pathname + location.search).startsWith(path) && document.readyState === 'complete'"
        self.until(lambda: self.run(ready, path), f"the page {path}")
        self.run(_WATCH)

    def click(self, selector: str) -> None:
        """Wait for an element, and press it."""
        self.until(lambda: self.run(_REACHABLE, selector), f"a way to press {selector}")
        self.press(selector)

    def fill(self, selector: str, text: str) -> None:
        """Type into an empty field."""
        self.wait(selector)
        self.run("(selector) => document.querySelector(selector).focus()", selector)
        self.keys(text)

    def text(self, selector: str) -> str:
        """Return the text of an element as it is shown."""
        return str(self.run("(selector) => document.querySelector(selector).innerText", selector))
