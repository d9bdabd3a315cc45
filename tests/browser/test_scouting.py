"""Before going: search, scouting card, poster, event link."""

import datetime as dt
from pathlib import Path

import pytest
from playwright.sync_api import Page, Playwright
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from passes.render import Level, qr_png
from risk.crowd.refresh import refresh_crowd
from risk.crowd.usual import Known, store_known
from risk.scouting.curves import refresh_cards
from tests.browser.actions import answer, first_question, launch_with_camera, make_key, now
from tests.browser.conftest import OpenContext, shows
from tests.factories import make_event, make_organisation, make_user, make_venue
from tests.risk.crowds import crowd
from venues.models import Venue
from venues.requirements import RequirementValues
from venues.services.accounts import DEMONSTRATION
from venues.services.events import invitation_code, make_invitation
from venues.services.venues import close_venue

pytestmark = pytest.mark.django_db(transaction=True)
HOUR = dt.timedelta(hours=1)


def full_place(name: str = "The Corner") -> Venue:
    """Make a place with thirty people inside and with ratings."""
    venue = make_venue(name=name, now=now())
    crowd(venue, 30, now() - HOUR, 240)
    refresh_crowd(now=now())
    refresh_cards(now=now())
    store_known({venue.pk: Known(None, (800, 2.5, 1.5))}, now=now())
    return venue


def test_a_card_says_how_full_how_rated_and_what_a_stay_costs_without_a_script(open_context: OpenContext) -> None:
    quiet, full = make_venue(name="The Nook", now=now()), full_place()
    page = open_context(java_script_enabled=False).new_page()
    page.goto(f"/venues/{full.public_id}")
    said = page.inner_text("[data-card]")
    assert "under a third full" in said
    assert "2.5 of 5" in said
    assert "About 800 visitors rated this place" in said
    assert "air changes per hour" in said
    assert page.locator("table >> nth=1 >> tbody tr").count() >= 4
    assert page.locator(".bars rect").count() >= 24
    assert quiet.name in page.inner_text("#others + ul")
    page.click("[data-profile-choice=cautious]")
    assert page.locator("[data-profile-choice=cautious][aria-current]").count() == 1
    assert "Above your limit" in page.inner_text(".verdict")


def test_the_table_says_what_the_bars_say(phone: Page) -> None:
    venue = full_place()
    phone.goto(f"/venues/{venue.public_id}")
    phone.click("#when ~ details summary")
    assert phone.locator("#when ~ details tbody tr").count() == phone.locator("#when ~ .bars rect").count() == 24
    marked = phone.locator("#when ~ .bars rect.is-marked").count()
    assert phone.locator("#when ~ details tbody td:last-child:text-is('yes')").count() == marked


def test_ratings_that_noise_hides_are_not_shown(phone: Page) -> None:
    venue = make_venue(now=now())
    phone.goto(f"/venues/{venue.public_id}")
    assert phone.inner_text("[data-card]").count("too few ratings") == 2
    assert "5.0" not in phone.inner_text(".facts")


def test_a_profile_that_was_chosen_once_holds_on_every_card(phone: Page) -> None:
    first, second = full_place(), full_place("The Hall")
    phone.goto("/me")
    make_key(phone)
    phone.goto(f"/venues/{first.public_id}")
    phone.click("[data-profile-choice=cautious]")
    phone.wait_for_selector("[data-card][data-profile=cautious]")
    phone.goto(f"/venues/{second.public_id}")
    phone.wait_for_selector("[data-card][data-profile=cautious]")
    assert phone.url.endswith(second.public_id)
    phone.goto("/venues")
    phone.wait_for_selector("[data-places][data-profile=cautious]")


def test_search_results_say_how_full_and_what_an_hour_costs(phone: Page) -> None:
    full_place()
    make_venue(name="Corner of Nowhere", zip_code="10001", now=now())
    phone.goto("/venues")
    phone.fill("#q", "corner")
    phone.fill("#zip", "94110")
    phone.click("search [type=submit]")
    rows = phone.locator("[data-places] li")
    assert "The Corner" in rows.nth(0).inner_text()
    assert "under a third full" in rows.nth(0).inner_text()
    assert "an hour" in rows.nth(0).inner_text()
    assert "km" in rows.nth(1).inner_text()


def test_near_me_sends_a_rounded_position_and_nothing_before_it_is_asked(open_context: OpenContext) -> None:
    make_venue(now=now())
    context = open_context(geolocation={"latitude": 37.75993, "longitude": -122.41477}, permissions=["geolocation"])
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    page = context.new_page()
    page.goto("/venues")
    page.click("[data-do=locate]")
    page.wait_for_url("**near=37.8*")
    assert "about" in page.inner_text("[data-places]")
    assert not any("37.7" in address or "122.41" in address for address in asked)


def test_a_position_that_is_refused_leaves_the_search(phone: Page) -> None:
    phone.goto("/venues")
    phone.click("[data-do=locate]")
    phone.wait_for_selector('[data-slot="locate-note"]:has-text("type a ZIP code")')


def test_a_pass_of_an_unverified_place_says_so(phone: Page) -> None:
    organisation = make_organisation(verified=False, now=now())
    place = make_venue(organisation=organisation, requirements=RequirementValues(rotating_code=False), now=now())
    phone.goto("/me")
    make_key(phone)
    phone.goto(f"/check-in/{place.public_id}")
    assert phone.locator("[data-unverified]").is_visible()
    answer(phone)
    phone.wait_for_url("**/pass")
    shows(phone, "shown")
    assert phone.locator('[data-state=shown] [data-when="unverified"]').is_visible()
    phone.goto("/rate")
    shows(phone, "shown")
    assert phone.inner_text("[data-part=place]") == f"{place.name} (not verified)"
    phone.goto(f"/check-in/{place.public_id}/paper")
    phone.click('[data-do="day"] >> nth=0')
    answer(phone)
    shows(phone, "printed")
    assert phone.inner_text("[data-state=printed] h1") == f"{place.name} (not verified)"


def test_a_picture_of_a_poster_opens_its_place(phone: Page, tmp_path: Path) -> None:
    venue = make_venue(now=now())
    poster = tmp_path / "poster.png"
    poster.write_bytes(qr_png(f"https://crowd.example/check-in/{venue.public_id}"))
    phone.goto("/venues")
    phone.wait_for_selector("[data-when=can-scan]:not([hidden])")
    phone.set_input_files("#picture", poster)
    phone.wait_for_url(f"**/check-in/{venue.public_id}")
    assert venue.name in phone.inner_text('[data-state="no-key"] h1')


def test_a_poster_before_the_camera_opens_its_place(
    open_context: OpenContext, playwright: Playwright, tmp_path: Path
) -> None:
    venue = make_venue(now=now())
    printed = qr_png(f"https://crowd.example/venues/{venue.public_id}", level=Level.PAPER)
    browser = launch_with_camera(playwright, printed, tmp_path)
    page = open_context(of=browser, permissions=["camera"]).new_page()
    page.goto("/venues")
    page.click("[data-do=scan]")
    page.wait_for_url(f"**/check-in/{venue.public_id}")
    assert venue.name in page.inner_text('[data-state="no-key"] h1')
    page.context.close()
    browser.close()


def test_a_code_that_is_no_place_is_not_followed(phone: Page, tmp_path: Path) -> None:
    code = tmp_path / "code.png"
    code.write_bytes(qr_png("https://elsewhere.example/venues/../owner"))
    phone.goto("/venues")
    phone.wait_for_selector("[data-when=can-scan]:not([hidden])")
    phone.set_input_files("#picture", code)
    phone.wait_for_selector('[data-slot="scan-note"]:has-text("not the code of a place")')
    assert phone.url.endswith("/venues")


def test_a_refused_camera_leaves_two_other_ways(phone: Page) -> None:
    phone.goto("/venues")
    phone.click("[data-do=scan]")
    phone.wait_for_selector('[data-slot="scan-note"]:has-text("camera cannot be used")')
    assert phone.locator("#q").is_visible()


def test_a_closed_place_says_so(open_context: OpenContext) -> None:
    venue = make_venue(now=now())
    close_venue(venue=venue, actor="owner", now=now())
    page = open_context(expected="404 (Not Found)").new_page()
    for path in ("venues", "check-in"):
        page.goto(f"/{path}/{venue.public_id}")
        assert "has closed" in page.inner_text("main")


def test_an_event_link_brings_its_invitation_to_check_in_and_to_no_request(
    open_context: OpenContext, live_server: LiveServer
) -> None:
    venue = make_venue(now=now())
    event = make_event(venue=venue, starts_at=now() - HOUR, ends_at=now() + 3 * HOUR, now=now())
    code = invitation_code(make_invitation(event=event, actor="owner", now=now()))
    context = open_context()
    addresses: list[str] = []
    context.on("request", lambda request: addresses.append(request.url))
    page = context.new_page()
    page.goto(f"/events/{event.public_id}#{code}")
    page.wait_for_selector("[data-when=invited]:not([hidden])")
    assert page.url == f"{live_server.url}/events/{event.public_id}"
    page.click("main a[role=button]")
    first_question(page)
    page.click('[data-do="days"]')
    shows(page, "day")
    assert page.input_value("#invitation") == code
    page.click('[data-do="day"] >> nth=0')
    answer(page)
    page.wait_for_url("**/pass")
    assert not any(code in address.partition("#")[0] for address in addresses)


def test_times_of_the_demonstration_change_to_the_browsers_zone_without_a_reload(
    open_context: OpenContext, settings: Settings
) -> None:
    settings.EMBEDDED = True
    owner = make_user(username=DEMONSTRATION)
    venue = make_venue(organisation=make_organisation(owner=owner), now=now())
    page = open_context(timezone_id="Europe/Madrid").new_page()
    page.goto(f"/venues/{venue.public_id}")
    page.wait_for_selector('[data-opening]:has-text("Europe/Madrid")')
    assert page.evaluate("performance.getEntriesByType('navigation').map((one) => one.type)") == ["navigate"]
    # From then on, the server knows the zone.
    (stored,) = [cookie for cookie in page.context.cookies() if cookie.get("name") == "zone"]
    assert stored.get("value") == "Europe/Madrid"
