"""Cases that say how a test reaches every page: one for each URL name that begins with `page-`.

A new page needs a case in a file of this folder (any file: each has a `CASES`), or `test_every_page_has_a_case` fails.
Then all gates of `test_every_page.py` apply to it: light and dark, narrow, right-to-left and on paper.
"""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from playwright.sync_api import BrowserContext, Page

from tests.browser.engines.window import Window

# Bytes of the document and everything it loads at first, gzipped.
PAGE_BYTES: Final = 60_000


@dataclass(frozen=True)
class Scene:
    """The browser that will open the page, and the server behind it."""

    context: BrowserContext | Window
    origin: str

    def sign_in(self, user: User) -> None:
        """Open a session of an account in the browser."""
        client = Client()
        client.force_login(user)
        cookie = client.cookies["sessionid"].value
        if isinstance(self.context, Window):
            self.context.keep_cookie("sessionid", cookie)
        else:
            self.context.add_cookies([{"name": "sessionid", "value": cookie, "url": self.origin}])


Visit = Callable[[Scene], str]
Way = Callable[[Page], None]


@dataclass(frozen=True)
class Case:
    """How to reach a page.

    `visit` makes what the page shows and returns its URL. `ways` lead from the loaded page to states that are tested
    separately; sections with `data-state` are tested one by one in any case. `needs` names a fixture that must be set
    up first.
    """

    visit: Visit
    ways: tuple[tuple[str, Way], ...] = ()
    status: int = 200
    budget_bytes: int = PAGE_BYTES
    needs: str = ""


@dataclass(frozen=True)
class NoPage:
    """A URL whose name begins with `page-` and that does not return a page, with what it returns instead."""

    answers: str


def at(name: str) -> Visit:
    """Return a visit to a page that needs no data."""
    return lambda scene: reverse(name)


def all_cases() -> dict[str, Case | NoPage]:
    """Return every case, from every file of this folder."""
    found: dict[str, Case | NoPage] = {}
    for module in pkgutil.iter_modules(__path__):
        cases = importlib.import_module(f"{__name__}.{module.name}").CASES
        assert not found.keys() & cases.keys(), f"{module.name} has a case that another file has"
        found |= cases
    return found
