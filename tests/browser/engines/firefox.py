"""Firefox, through `firefox.mjs`."""

import base64
import itertools
import json
import subprocess
from pathlib import Path
from typing import Any, Final

from tests.browser.engines.window import SHIFTED, Window, WindowError

_BRIDGE: Final = Path(__file__).with_suffix(".mjs")


class Firefox:
    """A running Firefox."""

    def __init__(self, node: str, path: str) -> None:
        self._process = subprocess.Popen(
            [node, str(_BRIDGE), path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._numbers = itertools.count(1)
        self.version = self._hear(0)

    def _hear(self, number: int) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise WindowError("Firefox has ended")
        answer = json.loads(line)
        assert answer["id"] == number
        if "error" in answer:
            raise WindowError(answer["error"])
        return answer["result"]

    def ask(self, does: str, window: int, **given: Any) -> Any:
        """Send one command and return its result."""
        assert self._process.stdin is not None
        number = next(self._numbers)
        self._process.stdin.write(json.dumps({"id": number, "does": does, "window": window, **given}) + "\n")
        self._process.stdin.flush()
        return self._hear(number)

    def window(self, origin: str, width: int, height: int) -> Window:
        """Open a window whose storage is empty."""
        number = next(self._numbers)
        self.ask("open", number, width=width, height=height)
        return FirefoxWindow(self, number, origin)

    def stop(self) -> None:
        """End the browser."""
        self._process.communicate(timeout=30)


class FirefoxWindow(Window):
    """A window of Firefox."""

    def __init__(self, firefox: Firefox, number: int, origin: str) -> None:
        super().__init__(origin)
        self._firefox, self._number = firefox, number

    def _ask(self, does: str, **given: Any) -> Any:
        return self._firefox.ask(does, self._number, **given)

    def load(self, address: str) -> None:
        self._ask("goto", address=address)

    def load_again(self) -> None:
        self._ask("reload")

    def run(self, function: str, *arguments: Any) -> Any:
        return self._ask("run", source=function, given=arguments)

    def press(self, selector: str) -> None:
        self._ask("press", selector=selector)

    def keys(self, text: str) -> None:
        self._ask("keys", keys=[("\ue006" if mark == "\n" else mark, mark in SHIFTED) for mark in text])

    def picture(self, selector: str) -> bytes:
        return base64.b64decode(self._ask("picture", selector=selector))

    def resize(self, width: int, height: int) -> None:
        self._ask("resize", width=width, height=height)

    def keep_cookie(self, name: str, value: str) -> None:
        self._ask("cookie", name=name, value=value, url=self.origin)

    def gather(self) -> None:
        super().gather()
        self.wrong += self._ask("wrong")

    def close(self) -> None:
        self._ask("close")
