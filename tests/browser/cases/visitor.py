"""Visitors' pages other than check-in and pass, with each of their states."""

from typing import Final

from tests.browser.actions import now
from tests.browser.cases import Case, NoPage, Scene, at
from tests.factories import HOUR, make_event


def _event(scene: Scene) -> str:
    event = make_event(starts_at=now() - HOUR, ends_at=now() + HOUR, now=now())
    return f"/events/{event.public_id}"


CASES: Final[dict[str, Case | NoPage]] = {
    "page-event": Case(_event),
    "page-event-calendar": NoPage("a calendar file"),
    "page-rate": Case(at("page-rate")),
    "page-test": Case(at("page-test")),
    "page-shield": Case(at("page-shield")),
    "page-example": Case(at("page-example")),
    "page-my-data": Case(at("page-my-data")),
}
