"""Pages of visitors and doors."""

from typing import Final

from tests.browser.actions import now
from tests.browser.cases import Case, NoPage, Scene, at
from tests.factories import make_venue

# The door reads codes with a program of 410 kB (zxing-wasm), loaded once and kept.
KIOSK_BYTES: Final = 480_000


def _venues(scene: Scene) -> str:
    make_venue(now=now())
    return "/venues?zip=941"


def _venue(scene: Scene) -> str:
    return f"/venues/{make_venue(now=now()).public_id}"


def _paper(scene: Scene) -> str:
    return f"/check-in/{make_venue(now=now()).public_id}/paper"


def _check_in(scene: Scene) -> str:
    return f"/check-in/{make_venue(now=now()).public_id}"


CASES: Final[dict[str, Case | NoPage]] = {
    "page-me": Case(at("page-me")),
    "page-pass": Case(at("page-pass")),
    "page-visits": Case(at("page-visits")),
    "page-kiosk": Case(at("page-kiosk"), budget_bytes=KIOSK_BYTES),
    "page-kiosk-manifest": NoPage("a web app manifest"),
    "page-venues": Case(_venues),
    "page-venue": Case(_venue),
    "page-check-in": Case(_check_in),
    "page-paper": Case(_paper),
}
