"""Tickets on a phone: drawn ahead, spent once, never under a key that changed, never shown to two places."""

import datetime as dt
import json
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, Final

import pytest
from django.core.signals import request_started
from playwright.sync_api import BrowserContext, Page, Request, Response, Route
from pytest_django.live_server_helper import LiveServer

from common.crypto import b64encode
from common.web import throttles
from crowdtrace.site import front
from passes import ticket_keys
from passes.models import DrawnSet, Pass, SpentTicket, TicketKey, Visitor
from tests.browser.actions import answer, begin_check_in, check_in, enrol, make_key, now
from tests.browser.conftest import TABLET, OpenContext, shows, stored_people, stored_rows, until
from tests.factories import HOUR, make_event, make_venue
from venues.services.events import invitation_code, make_invitation

pytestmark = pytest.mark.django_db(transaction=True)
DAYS: Final = 15
MORE_THAN_A_WAIT: Final = "02:00"
LAST_HOUR: Final = 23
TAKEN_UP: Final = "1/50 second"
"""A limit on signing that one other draw uses up; the app waits for twice that at most."""
MORE_THAN_AN_OPENING: Final = "31:00"


class Sent:
    """The API requests of a context, in order."""

    def __init__(self, context: BrowserContext) -> None:
        self.requests: list[Request] = []
        context.on("request", self._note)

    def _note(self, request: Request) -> None:
        if "/api/" in request.url or "/.well-known/" in request.url:
            self.requests.append(request)

    def of(self, path: str) -> list[Request]:
        return [each for each in self.requests if each.url.endswith(path)]

    @property
    def paths(self) -> list[str]:
        return [each.url.split("/", 3)[3] for each in self.requests]

    @property
    def credentials(self) -> list[str]:
        return [each.headers.get("authorization", "").partition(" ")[0] for each in self.requests]


@pytest.fixture
def context(open_context: OpenContext) -> BrowserContext:
    """Return a phone whose clock can be advanced."""
    made = open_context()
    made.clock.install()
    return made


def go_home(page: Page) -> None:
    page.goto("/me")
    page.wait_for_selector('[data-state="home"]:not([hidden]), [data-state="welcome"]:not([hidden])')
    if page.locator('[data-state="welcome"]').is_visible():
        make_key(page)
        shows(page, "home")


def tickets(page: Page) -> list[dict[str, Any]]:
    """Return the tickets that the phone keeps, one row for each person and day."""
    return [row for row in stored_rows(page, "tickets") if row["signatures"] is not None]


def missing_days(page: Page) -> int:
    """Return how many of the days that can be drawn have no ticket, by the phone's clock; the deployment is in UTC."""
    today = dt.datetime.fromtimestamp(page.evaluate("Date.now()") / 1000, dt.UTC).date()
    ahead = {(today + dt.timedelta(days=number)).isoformat() for number in range(DAYS)}
    return len(ahead - {row["epoch"]["date"] for row in tickets(page)})


def draw_ahead(page: Page, *, is_new: bool = True) -> Response:
    """Open the app without checking in, and return the response to its draw of tickets.

    `is_new`: a person draws for the first time, so all days are missing. Otherwise the number depends on whether a day
    has ended on the phone, whose clock the test sets forward.
    """
    page.context.clock.fast_forward(MORE_THAN_AN_OPENING)
    go_home(page)
    before, days = len(tickets(page)), DAYS if is_new else missing_days(page)

    def is_answer(response: Response) -> bool:
        return response.url.endswith("/api/v1/tickets") and response.status != HTTPStatus.UNAUTHORIZED

    with page.expect_response(is_answer) as drawn:
        page.context.clock.fast_forward(MORE_THAN_A_WAIT)
    response = drawn.value
    if response.ok:
        until(page, lambda: len(tickets(page)) >= before + days, "the tickets that were drawn")
        assert len(tickets(page)) == before + days
    return response


def test_a_first_use_draws_at_once_and_spends_one_without_the_key(context: BrowserContext) -> None:
    phone, sent = context.new_page(), Sent(context)
    check_in(phone, make_venue(now=now()))
    assert sent.paths == [".well-known/ticket-keys.json", "api/v1/visitors", "api/v1/tickets", "api/v1/passes"]
    assert sent.credentials == ["", "Visitor", "Visitor", "Ticket"]
    assert len(tickets(phone)) == DrawnSet.objects.count() == DAYS
    assert Pass.objects.count() == SpentTicket.objects.count() == 1


@pytest.fixture
def headers() -> Iterator[list[dict[str, str]]]:
    """Collect the headers of draws and check-ins that the server receives."""
    seen: list[dict[str, str]] = []

    def note(environ: dict[str, Any], **_: Any) -> None:
        if environ["PATH_INFO"] in {"/api/v1/tickets", "/api/v1/passes"}:
            seen.append({name: str(value) for name, value in environ.items() if name.startswith(("HTTP_", "CONTENT_"))})

    request_started.connect(note, weak=False, dispatch_uid="headers")
    yield seen
    request_started.disconnect(dispatch_uid="headers")


def test_a_ticket_drawn_in_another_opening_is_spent_without_drawing_and_shares_no_header(
    context: BrowserContext, live_server: LiveServer, headers: list[dict[str, str]]
) -> None:
    context.add_cookies([{"name": "django_language", "value": "en", "url": live_server.url}])
    phone, sent = context.new_page(), Sent(context)
    assert draw_ahead(phone).status == 201
    assert sent.credentials == ["", "Visitor", "Visitor"]
    sent.requests.clear()
    context.clock.fast_forward(MORE_THAN_AN_OPENING)
    for name in ("The Corner", "The Hall"):
        check_in(phone, make_venue(name=name, now=now()))
    context.clock.fast_forward(MORE_THAN_A_WAIT)
    phone.goto("/shield")
    shows(phone, "shown")
    context.clock.fast_forward(MORE_THAN_A_WAIT)
    assert set(sent.credentials) == {"Ticket", ""}
    assert "api/v1/tickets" not in sent.paths
    first, second = (each.headers["authorization"] for each in sent.of("/passes"))
    assert first != second

    drawn, *spent = headers
    for each in spent:
        assert drawn.keys() == each.keys()
        assert {name for name in drawn if drawn[name] != each[name]} == {"HTTP_AUTHORIZATION", "CONTENT_LENGTH"}
        assert each["HTTP_AUTHORIZATION"].startswith("Ticket ")
    assert drawn["HTTP_AUTHORIZATION"].startswith("Visitor ")
    assert not {"HTTP_COOKIE", "HTTP_REFERER", "HTTP_IF_NONE_MATCH"} & drawn.keys()


def test_nothing_is_drawn_ahead_in_an_opening_with_a_check_in(context: BrowserContext) -> None:
    phone = context.new_page()
    go_home(phone)
    begin_check_in(phone, make_venue(now=now()))
    sent = Sent(context)
    go_home(phone)
    context.clock.fast_forward(MORE_THAN_A_WAIT)
    phone.goto("/pass")
    shows(phone, "none")
    context.clock.fast_forward(MORE_THAN_A_WAIT)
    assert sent.requests == []
    assert draw_ahead(phone).status == 201


def forget_days(page: Page, *, leave: int) -> None:
    """Remove the tickets of the last days from the phone, as if these days had just become available."""
    page.evaluate(
        """(leave) => new Promise((resolve) => {
      const request = indexedDB.open("crowdtrace");
      request.onsuccess = () => {
        const work = request.result.transaction("tickets", "readwrite");
        const tickets = work.objectStore("tickets");
        tickets.getAllKeys().onsuccess = ({ target }) => {
          for (const key of target.result.slice(leave)) tickets.delete(key);
        };
        work.oncomplete = () => { request.result.close(); resolve(); };
      };
    })""",
        leave,
    )


def change_keys() -> None:
    """Make the server replace keys that it has already published."""
    TicketKey.objects.all().delete()
    ticket_keys.forget()
    ticket_keys.make_ticket_keys(now())


def test_nothing_is_ever_drawn_under_a_key_that_changed(context: BrowserContext) -> None:
    phone, sent = context.new_page(), Sent(context)
    draw_ahead(phone)
    forget_days(phone, leave=0)
    change_keys()
    venue = make_venue(now=now())
    context.clock.fast_forward(MORE_THAN_AN_OPENING)
    begin_check_in(phone, venue)
    sent.requests.clear()
    answer(phone)
    shows(phone, "changed")
    phone.reload()
    shows(phone, "changed")
    assert sent.paths == [".well-known/ticket-keys.json"] * 2
    assert tickets(phone) == []
    phone.goto("/my-data")
    shows(phone, "shown")
    phone.wait_for_selector('[data-when="second-keys"]:not([hidden])')
    phone.goto(f"/check-in/{venue.public_id}")
    shows(phone, "changed")
    phone.click('[data-state="changed"] [data-do="other-day"]')
    shows(phone, "day")


def test_tickets_of_a_key_that_changed_are_never_spent_under_another(open_context: OpenContext) -> None:
    context = open_context(expected="401 (Unauthorized)")
    context.clock.install()
    phone, sent = context.new_page(), Sent(context)
    draw_ahead(phone)
    change_keys()
    context.clock.fast_forward(MORE_THAN_AN_OPENING)
    begin_check_in(phone, make_venue(now=now()))
    sent.requests.clear()
    answer(phone)
    shows(phone, "refused")
    assert sent.credentials == ["Ticket"], "no draw, no second try"
    assert Pass.objects.count() == 0
    phone.click('[data-state="refused"] [data-do="reload"]')
    shows(phone, "refused")
    assert len({each.headers["authorization"] for each in sent.of("/passes")}) == 1


def test_a_list_without_valid_keys_gives_no_tickets_and_the_page_says_so(context: BrowserContext) -> None:
    phone, sent = context.new_page(), Sent(context)
    begin_check_in(phone, make_venue(now=now()))
    ticket_keys.make_ticket_keys(now())
    first = TicketKey.objects.order_by("epoch").first()
    assert first is not None
    TicketKey.objects.filter(epoch=first.epoch, ticket_class=first.ticket_class).update(public=None, private=None)
    ticket_keys.forget()
    answer(phone)
    shows(phone, "wrong")
    assert "Visitor" not in sent.credentials


def test_a_first_use_without_a_network_says_what_is_missing(context: BrowserContext) -> None:
    phone = context.new_page()
    begin_check_in(phone, make_venue(now=now()))
    answer(phone, questions=("symptoms", "diagnosed", "contact"))
    shows(phone, "question-near")
    context.set_offline(True)
    answer(phone, questions=("near",))
    shows(phone, "offline")
    assert "has none for this day" in phone.inner_text('[data-state="offline"]')
    context.set_offline(False)
    phone.click('[data-state="offline"] [data-do="send"]')
    phone.wait_for_url("**/pass")


def test_a_first_use_that_the_server_postpones_is_retried_automatically(
    open_context: OpenContext, settings: Any
) -> None:
    context = open_context(expected="503 (Service Unavailable)")
    context.clock.install()
    phone = context.new_page()
    usual = settings.THROTTLES
    settings.THROTTLES = usual | {"signing": TAKEN_UP}
    throttles.hit("signing", "")
    begin_check_in(phone, make_venue(now=now()))
    answer(phone)
    shows(phone, "later")
    assert DrawnSet.objects.count() == 0
    settings.THROTTLES = usual
    context.clock.fast_forward(MORE_THAN_A_WAIT)
    phone.wait_for_url("**/pass")


def test_a_draw_ahead_that_the_server_postpones_waits_for_another_opening(
    open_context: OpenContext, settings: Any
) -> None:
    context = open_context(expected="503 (Service Unavailable)")
    context.clock.install()
    phone, usual = context.new_page(), settings.THROTTLES
    settings.THROTTLES = usual | {"signing": TAKEN_UP}
    throttles.hit("signing", "")
    refused = draw_ahead(phone)
    assert (refused.status, "retry-after" in refused.headers) == (503, True)
    settings.THROTTLES = usual
    sent = Sent(context)
    go_home(phone)
    context.clock.fast_forward(MORE_THAN_A_WAIT)
    phone.goto("/pass")
    shows(phone, "none")
    assert sent.requests == []
    assert draw_ahead(phone).status == 201


def test_people_on_one_phone_draw_in_separate_openings(context: BrowserContext) -> None:
    phone, sent = context.new_page(), Sent(context)
    go_home(phone)
    phone.click('[data-do="person"]')
    shows(phone, "person")
    phone.fill("#label", "Grandma")
    phone.click('[data-form="person"] [type=submit]')
    shows(phone, "keep")
    phone.click('[data-do="later"]')
    shows(phone, "home")
    for opening in (1, 2):
        draw_ahead(phone)
        phone.goto("/pass")
        shows(phone, "none")
        context.clock.fast_forward(MORE_THAN_A_WAIT)
        assert len(sent.of("/tickets")) == opening
    first, second = (each.headers["authorization"] for each in sent.of("/tickets"))
    assert first != second
    assert {row["person"] for row in tickets(phone)} == {person["id"] for person in stored_people(phone)}


def test_a_key_on_a_new_phone_draws_the_same_tickets_and_never_shows_one_again(
    context: BrowserContext, open_context: OpenContext
) -> None:
    old, sent = context.new_page(), Sent(context)
    check_in(old, make_venue(name="The Corner", now=now()))
    secret = bytes(stored_people(old)[0]["secret"])
    newer = open_context()
    # Late in the evening an hour behind, so that both phones draw on the same day.
    newer.clock.install(time=now() - dt.timedelta(hours=now().hour == LAST_HOUR))
    new, again = newer.new_page(), Sent(newer)
    new.goto("/me#" + b64encode(secret))
    shows(new, "home")
    assert draw_ahead(new).status == 200
    assert json.loads(again.of("/tickets")[0].post_data or "") == json.loads(sent.of("/tickets")[0].post_data or "")
    assert [row["signatures"] for row in tickets(new)] == [row["signatures"] for row in tickets(old)]
    newer.clock.fast_forward(MORE_THAN_AN_OPENING)
    check_in(new, make_venue(name="The Hall", now=now()))
    check_in(old, make_venue(name="The Third", now=now()))
    shown = [each.headers["authorization"] for each in sent.of("/passes") + again.of("/passes")]
    assert len(set(shown)) == len(shown) == Pass.objects.count() == 3


def lose_answer(route: Route) -> None:
    """Deliver the request and drop its response."""
    route.fetch()
    route.abort()


def lose_request(route: Route) -> None:
    """Drop the request."""
    route.abort()


def test_a_ticket_is_never_shown_to_a_second_place(open_context: OpenContext) -> None:
    context = open_context(expected="ERR_FAILED")
    phone, sent = context.new_page(), Sent(context)
    check_in(phone, make_venue(name="The Corner", now=now()))
    for loss in (lose_answer, lose_request):
        begin_check_in(phone, make_venue(name=loss.__name__, now=now()))
        phone.route("**/api/v1/passes", loss)
        answer(phone)
        shows(phone, "offline")
        phone.unroute("**/api/v1/passes")
    check_in(phone, make_venue(name="The Hall", now=now()))
    by_place: dict[str, set[str]] = {}
    for each in sent.of("/passes"):
        place = json.loads(each.post_data or "")["venue"]
        by_place.setdefault(place, set()).add(each.headers["authorization"])
    assert [len(shown) for shown in by_place.values()] == [1, 1, 1, 1]
    assert len(set().union(*by_place.values())) == 4


def test_a_refusal_uses_its_ticket_up(context: BrowserContext) -> None:
    phone, sent = context.new_page(), Sent(context)
    begin_check_in(phone, make_venue(name="The Corner", now=now()))
    answer(phone, yes={"symptoms"})
    shows(phone, "no")
    check_in(phone, make_venue(name="The Hall", now=now()))
    first, second = (each.headers["authorization"] for each in sent.of("/passes"))
    assert first != second
    assert SpentTicket.objects.count() == 2


def type_invitation(page: Page, code: str) -> None:
    """Type the code of an invitation on the page of the day, and continue."""
    shows(page, "day")
    page.fill("#invitation", code)
    page.click('[data-do="day"] >> nth=0')


def test_a_mistyped_invitation_costs_no_ticket(phone: Page) -> None:
    venue = make_venue(now=now())
    event = make_event(venue=venue, starts_at=now() - HOUR, ends_at=now() + HOUR, now=now())
    code = invitation_code(make_invitation(event=event, actor="owner", now=now()))
    sent = Sent(phone.context)
    phone.goto(f"/check-in/{venue.public_id}")
    shows(phone, "no-key")
    phone.click('[data-state="no-key"] [data-do="make"]')
    for mistyped in (code[:-1], code + "0", "l" + code[1:]):  # too short, too long, a letter that is in no code
        type_invitation(phone, mistyped)
        phone.wait_for_selector('[data-when="bad-code"]:visible')
    wrong = code[:-1] + ("0" if code[-1] != "0" else "1")
    type_invitation(phone, wrong)
    answer(phone)
    shows(phone, "not-invited")
    assert Pass.objects.count() == SpentTicket.objects.count() == 0
    phone.reload()
    shows(phone, "not-invited")
    phone.click('[data-state="not-invited"] [data-do="days"]')
    type_invitation(phone, f"https://crowd.example/events/e_1#{code.upper()}")
    phone.wait_for_url("**/pass")
    shows(phone, "shown")
    tries = sent.of("/passes")
    assert len({each.headers["authorization"] for each in tries}) == 1
    assert [row["index"] for row in stored_rows(phone, "passes")] == [0]
    check_in(phone, make_venue(name="The Hall", now=now()))
    assert sent.of("/passes")[-1].headers["authorization"] != tries[0].headers["authorization"]


def test_after_a_lost_response_its_ticket_is_not_sent_with_other_answers(open_context: OpenContext) -> None:
    context = open_context(expected="ERR_FAILED")
    phone, sent = context.new_page(), Sent(context)
    begin_check_in(phone, make_venue(now=now()))
    phone.route("**/api/v1/passes", lose_answer)
    answer(phone)
    shows(phone, "offline")
    phone.unroute("**/api/v1/passes")
    phone.go_back()
    answer(phone, questions=("near",), yes={"near"})
    phone.wait_for_url("**/pass")
    first, second = sent.of("/passes")
    assert first.headers["authorization"] != second.headers["authorization"]


def wipe(page: Page) -> None:
    """Remove everything from the phone."""
    page.goto("/my-data")
    shows(page, "shown")
    page.click('[data-do="ask-wipe"]')
    page.click('[data-do="wipe"]')
    shows(page, "wiped")


def test_a_key_that_comes_back_after_erasing_skips_what_is_used_up(open_context: OpenContext) -> None:
    phone = open_context(expected="409 (Conflict)").new_page()
    check_in(phone, make_venue(name="The Corner", now=now()))
    secret = bytes(stored_people(phone)[0]["secret"])
    phone.goto("/my-data")
    shows(phone, "shown")
    phone.click('[data-do="choose-erase"]')
    shows(phone, "erase")
    phone.check("[name=visitor]")
    phone.click("[data-form=erase] [type=submit]")
    shows(phone, "receipt")
    used: list[list[int]] = []
    for name in ("The Hall", "The Third"):
        wipe(phone)
        phone.goto("/me#" + b64encode(secret))
        shows(phone, "home")
        check_in(phone, make_venue(name=name, now=now()))
        used.append([row["index"] for row in stored_rows(phone, "passes") if row["credential"] is not None])
    assert used == [[15], [14]]
    assert Pass.objects.count() == 2


def test_a_key_that_the_server_forgot_is_registered_again_and_draws(open_context: OpenContext) -> None:
    context = open_context(expected="401 (Unauthorized)")
    context.clock.install()
    phone, sent = context.new_page(), Sent(context)
    draw_ahead(phone)
    forget_days(phone, leave=10)
    Visitor.objects.all().delete()
    first = sent.of("/tickets")[0].post_data or ""
    sent.requests.clear()
    draw_ahead(phone, is_new=False)
    assert {len(each.post_data or "") for each in sent.of("/tickets")} == {len(first)}, "five days or fifteen"
    assert [each.split("/")[-1] for each in sent.paths] == ["ticket-keys.json", "tickets", "visitors", "tickets"]
    assert Visitor.objects.count() == 1


def test_after_deleting_the_row_tickets_stay_good_and_nothing_is_drawn(context: BrowserContext) -> None:
    phone = context.new_page()
    check_in(phone, make_venue(name="The Corner", now=now()))
    phone.goto("/my-data")
    shows(phone, "shown")
    phone.click('[data-do="choose-erase"]')
    shows(phone, "erase")
    phone.check("[name=visitor]")
    phone.click("[data-form=erase] [type=submit]")
    shows(phone, "receipt")
    assert Visitor.objects.count() == 0
    forget_days(phone, leave=10)
    sent = Sent(context)
    context.clock.fast_forward(MORE_THAN_AN_OPENING)
    go_home(phone)
    context.clock.fast_forward(MORE_THAN_A_WAIT)
    phone.goto("/my-data")
    shows(phone, "shown")
    phone.wait_for_selector('[data-slot="tickets"]:has-text("deleted")')
    assert sent.of("/tickets") == sent.of("/visitors") == []
    check_in(phone, make_venue(name="The Hall", now=now()))
    assert Visitor.objects.count() == 0


def test_another_key_draws_tickets_of_its_own(context: BrowserContext) -> None:
    phone, sent = context.new_page(), Sent(context)
    draw_ahead(phone)
    phone.goto("/my-data")
    shows(phone, "shown")
    phone.click('[data-do="ask-rotate"]')
    shows(phone, "rotate")
    phone.click('[data-do="rotate"]')
    phone.wait_for_url("**/me")
    shows(phone, "keep")
    assert tickets(phone) == []
    assert draw_ahead(phone).status == 201
    first, second = (json.loads(each.post_data or "")["draws"] for each in sent.of("/tickets"))
    values = [
        {value for day in draws for name in ("counted", "other") for value in day[name]} for draws in (first, second)
    ]
    assert values[0] & values[1] == set()


def test_phone_door_and_public_page_show_the_same_eight_characters(
    context: BrowserContext, open_context: OpenContext
) -> None:
    phone, venue = context.new_page(), make_venue(now=now())
    check_in(phone, venue)
    phone.wait_for_selector('[data-boarding] [data-when="fingerprint"]:not([hidden])')
    shown = phone.inner_text('[data-boarding] [data-slot="fingerprint"]')
    assert shown == ticket_keys.open_fingerprints(now())[0][1]
    phone.goto("/my-data")
    phone.wait_for_selector('[data-when="fingerprint"]:not([hidden])')
    assert phone.inner_text('[data-slot="fingerprint"]') == shown
    phone.goto("/privacy")
    assert shown in phone.locator("#ticket-keys ~ ul code").all_inner_texts()
    door = open_context(viewport=TABLET).new_page()
    enrol(door, venue)
    door.wait_for_selector(f'[data-slot="fingerprint"]:text-is("{shown}")')


def test_a_check_in_that_an_older_version_began_is_loaded_again_with_its_answers(
    context: BrowserContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = context.new_page()
    begin_check_in(phone, make_venue(now=now()))
    answer(phone, questions=("symptoms", "diagnosed"))
    shows(phone, "question-contact")
    phone.evaluate("navigator.serviceWorker.ready.then(() => { window.former = true; })")
    version = json.loads(front._worker_text().split(";\n")[0].partition("= ")[2])["version"]
    newer = front._worker_text().replace(version, "newer")
    monkeypatch.setattr(front, "_worker_text", lambda: newer)
    with phone.expect_navigation():
        phone.evaluate("navigator.serviceWorker.ready.then((registration) => { registration.update(); })")
    shows(phone, "question-contact")
    assert phone.evaluate("window.former === undefined")
    finish_from(phone, "contact", "near")


def finish_from(page: Page, *questions: str) -> None:
    answer(page, questions=questions)
    page.wait_for_url("**/pass")
    shows(page, "shown")


def test_an_app_that_still_sends_its_key_is_asked_to_reload(context: BrowserContext) -> None:
    phone = context.new_page()
    phone.goto("/me")
    refused = context.request.post(
        "/api/v1/passes", headers={"Authorization": "Visitor " + b64encode(bytes(32))}, data={"venue": "v_0000000000"}
    )
    assert refused.status == HTTPStatus.UNAUTHORIZED
    assert refused.json()["type"] == "/problems/outdated"
    assert "Reload" in refused.json()["detail"]


def test_a_phone_of_the_previous_version_keeps_its_people_and_uses_the_next_number(open_context: OpenContext) -> None:
    context = open_context(expected="401 (Unauthorized)")  # the server has forgotten keys of that version
    venue, phone = make_venue(now=now()), context.new_page()
    phone.goto(f"/check-in/{venue.public_id}")
    shows(phone, "no-key")
    epochs = json.loads(phone.locator("#epochs").text_content() or "")
    phone.goto("/privacy")
    phone.evaluate(_FORMER_STORE, {"epoch": epochs[0], "venue": {"id": venue.public_id, "name": venue.name}})
    check_in(phone, make_venue(name="The Hall", now=now()))
    assert [person["label"] for person in stored_people(phone)] == ["Anna"]
    assert {row["index"] for row in stored_rows(phone, "passes")} == {0, 1}


_FORMER_STORE: Final = """({ epoch, venue }) => new Promise((resolve, reject) => {
  const cleared = indexedDB.deleteDatabase("crowdtrace");
  cleared.onsuccess = () => {
    const request = indexedDB.open("crowdtrace", 1);
    request.onerror = () => reject(request.error);
    request.onupgradeneeded = () => {
      const database = request.result;
      const people = database.createObjectStore("people", { keyPath: "id" });
      const passes = database.createObjectStore("passes", { keyPath: ["person", "epochStart", "index"] });
      database.createObjectStore("drafts", { keyPath: ["person", "venue"] });
      database.createObjectStore("settings");
      const secret = new Uint8Array(32).fill(7);
      people.put({ id: "a", label: "Anna", since: 1, secret, kept: true, registered: true });
      passes.put({ person: "a", epochStart: epoch.start, index: 0, epoch, venue, credential: null });
    };
    request.onsuccess = () => { request.result.close(); resolve(); };
  };
})"""
