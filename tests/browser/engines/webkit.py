"""WebKitGTK's MiniBrowser on a virtual screen, through WebKitWebDriver and Selenium."""

import os
import subprocess
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from tests.browser.engines.window import SHIFTED, Window, WindowError

# The source is part of the script, because a page's policy forbids evaluating text.
_RUN: Final = """const [given, done] = arguments;
(async () => (%s)(...given))().then((result) => done([result ?? null]), (error) => done(String(error)));"""

_BOX: Final = """(selector) => {
  const element = document.querySelector(selector);
  element.scrollIntoView({ block: "center", behavior: "instant" });
  const { x, y, width, height } = element.getBoundingClientRect();
  return [x, y, width, height].map(Math.round);
}"""


@contextmanager
def screen() -> Iterator[str]:
    """Start a screen in memory and yield the name of its display."""
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1280x1100x24", "-nolisten", "tcp"]
    process = subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL)
    os.close(write)
    try:
        with os.fdopen(read) as said:
            yield f":{said.readline().strip()}"
    finally:
        process.terminate()
        process.wait()


def _environment(display: str) -> dict[str, str]:
    """Return this environment in the locale C, as on servers: this browser then says that its language is "C"."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG"))}
    return kept | {"DISPLAY": display, "LANG": "C"}


@dataclass(frozen=True)
class WebKit:
    """The paths of the driver and the browser, and a display for them."""

    driver: str
    browser: str
    display: str

    def window(self, origin: str, width: int, height: int) -> Window:
        """Open a window whose storage is empty."""
        return WebKitWindow(self, origin, width, height)


class WebKitWindow(Window):
    """A window in a separate MiniBrowser, with separate storage in memory."""

    def __init__(self, webkit: WebKit, origin: str, width: int, height: int) -> None:
        super().__init__(origin)
        options = webdriver.WebKitGTKOptions()
        options.binary_location = webkit.browser
        options.add_argument("--automation")
        service = webdriver.WebKitGTKService(executable_path=webkit.driver, env=_environment(webkit.display))
        with warnings.catch_warnings():
            # Selenium's class for this browser calls its base class in a deprecated way.
            warnings.simplefilter("ignore", DeprecationWarning)
            self._driver = webdriver.WebKitGTK(options=options, service=service)
        self._driver.set_script_timeout(60)
        self.resize(width, height)

    def _visible(self, selector: str) -> WebElement:
        found = [each for each in self._driver.find_elements(By.CSS_SELECTOR, selector) if each.is_displayed()]
        assert found, f"nothing to be seen of {selector}"
        return found[0]

    def load(self, address: str) -> None:
        self._driver.get(address)

    def load_again(self) -> None:
        self._driver.refresh()

    def run(self, function: str, *arguments: Any) -> Any:
        try:
            answer = self._driver.execute_async_script(_RUN % function, arguments)
        except WebDriverException as error:
            raise WindowError(str(error)) from error
        if isinstance(answer, str):
            raise WindowError(answer)
        return answer[0]

    def press(self, selector: str) -> None:
        self._visible(selector).click()

    def keys(self, text: str) -> None:
        typing = ActionChains(self._driver, duration=0)
        for mark in text:
            if mark in SHIFTED:
                typing.key_down(Keys.SHIFT).send_keys(mark).key_up(Keys.SHIFT)
            else:
                typing.send_keys(Keys.ENTER if mark == "\n" else mark)
        typing.perform()

    def picture(self, selector: str) -> bytes:
        # The driver's own screenshot of an element is black where the element is outside the window.
        x, y, width, height = self.run(_BOX, selector)
        image = cv2.imdecode(np.frombuffer(self._driver.get_screenshot_as_png(), np.uint8), cv2.IMREAD_COLOR)
        assert image is not None
        _done, encoded = cv2.imencode(".png", image[y : y + height, x : x + width])
        return encoded.tobytes()

    def resize(self, width: int, height: int) -> None:
        self._driver.set_window_size(width, height)

    def keep_cookie(self, name: str, value: str) -> None:
        self.load(f"{self.origin}/robots.txt")
        self._driver.add_cookie({"name": name, "value": value, "path": "/"})

    def close(self) -> None:
        self._driver.quit()
