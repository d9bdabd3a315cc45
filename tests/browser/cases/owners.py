"""Pages for people who run venues. Their names begin with `owner-page-`.

Those with a case here pass every gate. `tests/browser/test_owner.py` opens all others, except those listed here as not
returning a page, and checks each with axe and on a narrow screen.
"""

from collections.abc import Callable
from typing import Final

from playwright.sync_api import Page

from tests.browser.cases import Case, NoPage, Scene, Visit, at
from tests.browser.owners import House, opened


def of_house(address: Callable[[House], str], *, visitors: int = 0, staff: bool = False) -> Visit:
    """Return a visit to a page of a place by its owner."""
    return lambda scene: address(opened(scene, visitors=visitors, staff=staff))


def _wrong(page: Page) -> None:
    page.click("main form [type=submit] >> nth=0")
    page.wait_for_selector("[role=alert]")


def _preview(page: Page) -> None:
    page.click('[value="preview"]')
    page.wait_for_selector("#preview")


def _in(scene: Scene, address: str) -> str:
    opened(scene)
    return address


CASES: Final[dict[str, Case | NoPage]] = {
    "owner-page-sign-up": Case(at("owner-page-sign-up"), ways=(("with errors", _wrong),)),
    "owner-page-log-in": Case(at("owner-page-log-in")),
    "owner-page-start": Case(lambda scene: _in(scene, "/owner/start")),
    "owner-page-quick-event": Case(lambda scene: _in(scene, "/owner/events/new"), ways=(("with errors", _wrong),)),
    "owner-page-home": Case(of_house(lambda house: "/owner", visitors=6)),
    "owner-page-venue": Case(of_house(lambda house: f"/owner/venues/{house.venue.public_id}", visitors=6)),
    "owner-page-statistics": Case(
        of_house(lambda house: f"/owner/venues/{house.venue.public_id}/statistics", visitors=6)
    ),
    "owner-page-doors": Case(of_house(lambda house: f"/owner/venues/{house.venue.public_id}/doors")),
    "owner-page-counts": Case(
        of_house(lambda house: f"/owner/venues/{house.venue.public_id}/counts"), ways=(("with errors", _wrong),)
    ),
    "owner-page-rules": Case(
        of_house(lambda house: f"/owner/venues/{house.venue.public_id}/rules"), ways=(("with a preview", _preview),)
    ),
    "owner-page-event": Case(of_house(lambda house: f"/owner/events/{house.event.public_id}")),
    "owner-page-invitations": Case(of_house(lambda house: f"/owner/events/{house.event.public_id}/invitations")),
    "owner-page-hours": Case(of_house(lambda house: f"/owner/venues/{house.venue.public_id}/hours")),
    "owner-page-new-event": Case(of_house(lambda house: f"/owner/venues/{house.venue.public_id}/events/new")),
    "owner-page-poster": Case(of_house(lambda house: f"/owner/poster?for={house.event.public_id}")),
    "owner-page-all-events": Case(of_house(lambda house: "/owner/events")),
    "owner-page-account": Case(of_house(lambda house: "/owner/account")),
    "owner-page-alert": Case(of_house(lambda house: f"/owner/venues/{house.venue.public_id}/alert")),
    "owner-page-operator": Case(of_house(lambda house: "/owner/operator", staff=True)),
    "owner-page-home-now": NoPage("a part of a page"),
    "owner-page-venue-now": NoPage("a part of a page"),
    "owner-page-statistics-file": NoPage("a file, to a link"),
    "owner-page-event-calendar": NoPage("a calendar file"),
    "owner-page-invitation-calendar": NoPage("a calendar file"),
    "owner-page-event-poster": NoPage("a PDF"),
    "owner-page-venue-poster": NoPage("a PDF"),
    "owner-page-sticker": NoPage("the bytes of a sticker"),
    "owner-page-export": NoPage("a file, to a button"),
    "owner-page-confirmation": NoPage("a redirect, to a button"),
    "owner-page-second-factor-begin": NoPage("a redirect, to a button"),
    "owner-page-remove-token": NoPage("a redirect, to a button"),
    "owner-page-revoke-invitation": NoPage("a redirect, to a button"),
    "owner-page-remove-count": NoPage("a redirect, to a button"),
    "owner-page-revoke": NoPage("a redirect, to a button"),
}
