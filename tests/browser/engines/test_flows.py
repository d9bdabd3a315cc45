"""The main flows in Firefox, and in WebKit, which every iPhone runs."""

from pathlib import Path
from typing import Any, Final

import pytest

from tests.browser.cases import Case, all_cases
from tests.browser.engines import flows
from tests.browser.engines.cable import Cable
from tests.browser.engines.flows import OpenWindow
from tests.exports.ledger import ReleasedLake

pytestmark = pytest.mark.django_db(transaction=True)
ENGINES: Final = {"Firefox": "firefox", "WebKit": "webkit"}
SLOW_IN_WEBKIT: Final = [pytest.param("firefox"), pytest.param("webkit", marks=pytest.mark.long)]
each_engine: Final = pytest.mark.parametrize("open_window", ENGINES.values(), indirect=True)


@each_engine
def test_first_use_leads_to_a_pass_that_opens_without_a_network(open_window: OpenWindow, cable: Cable) -> None:
    flows.first_use_to_pass(open_window, cable)


@pytest.mark.parametrize("open_window", SLOW_IN_WEBKIT, indirect=True)
def test_a_door_decides_with_and_without_a_network(open_window: OpenWindow, cable: Cable) -> None:
    flows.door_with_and_without_network(open_window, cable)


@pytest.mark.long
@each_engine
def test_a_visit_is_rated_lowers_the_shield_and_is_erased(
    open_window: OpenWindow, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flows.rate_shield_erase(open_window, settings, tmp_path, monkeypatch)


@each_engine
def test_an_owner_makes_a_first_event(open_window: OpenWindow) -> None:
    flows.first_event_of_an_owner(open_window)


@pytest.mark.long
@each_engine
def test_a_query_is_answered_and_the_map_is_drawn(open_window: OpenWindow, released: ReleasedLake) -> None:
    flows.query_and_map(open_window)


@each_engine
def test_without_a_camera_a_code_is_read_from_a_picture(open_window: OpenWindow) -> None:
    flows.code_in_a_picture(open_window)


@pytest.mark.parametrize(("named", "open_window"), ENGINES.items(), indirect=["open_window"])
def test_the_browser_has_and_lacks_what_the_documents_say(named: str, open_window: OpenWindow) -> None:
    flows.missing_features(open_window, named)


@pytest.mark.long
@pytest.mark.parametrize("open_window", ["firefox"], indirect=True)
def test_no_page_is_wider_than_the_narrowest_phone(open_window: OpenWindow, released: ReleasedLake) -> None:
    flows.narrow_pages(open_window, {name: case for name, case in all_cases().items() if isinstance(case, Case)})
