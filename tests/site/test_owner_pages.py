"""The owner's dashboard: numbers of people, never people."""

import csv
import datetime as dt
import io
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from common import valkey
from common.task_record import DONE, FAILED, RecordedTask, read_work
from common.time import utc_now
from crowdtrace.site.models import VitalsCount
from crowdtrace.site.operator.status import status
from crowdtrace.site.vitals import counts
from exports.models import StatisticsDraw, VenueFigures, VerifiedDay
from exports.policy.owner_figures import Ratings
from exports.policy.periods import Period
from passes import ticket_keys
from passes.models import TicketKey
from passes.selectors import heads_inside
from tests import factories
from tests.risk.crowds import stay
from venues.fullness import Fullness
from venues.models import Venue
from venues.requirements import RequirementValues
from venues.services.venues import update_venue

pytestmark = pytest.mark.django_db
MINUTE = dt.timedelta(minutes=1)
DAY = dt.timedelta(days=1)
WEEK = dt.timedelta(days=7)


def place(capacity: int = 10) -> tuple[Venue, Client]:
    """Return a venue and its owner's browser."""
    venue = factories.make_venue(requirements=RequirementValues(capacity=capacity), now=utc_now())
    client = Client()
    client.force_login(factories.owner_of(venue.organisation))
    return venue, client


def page_of(client: Client, venue: Venue, end: str = "") -> Any:
    return client.get(f"/owner/venues/{venue.public_id}{end}")


def test_people_who_left_or_timed_out_are_not_inside() -> None:
    venue, _client = place()
    now = utc_now()
    stay(venue, now - 10 * MINUTE, open_end=True)
    stay(venue, now - 90 * MINUTE, minutes=60)
    stay(venue, now - 90 * MINUTE, minutes=60, open_end=True)
    stay(venue, now + 10 * MINUTE, open_end=True)
    assert heads_inside([venue.pk], now) == {venue.pk: 1}


@pytest.mark.parametrize(
    ("inside", "level", "words"),
    [(8, "calm", ""), (9, "fills", "Filling up: 90 % of the limit or more."), (10, "full", "Full: the doors show red")],
)
def test_the_owner_is_notified_before_and_when_the_doors_turn_red(inside: int, level: str, words: str) -> None:
    venue, client = place()
    for _ in range(inside):
        stay(venue, utc_now() - MINUTE, open_end=True)
    for text in (page_of(client, venue).content.decode(), client.get("/owner/now").content.decode()):
        assert f"{'10' if inside == 10 else '5–9'} <small>of 10 inside" in text
        assert f'data-level="{level}" data-place="{venue.public_id}"' in text
        assert words in text
        assert ("is-warning" in text) is bool(words)
    update_venue(venue=venue, changes={"alert_percent": 100}, actor="owner", now=utc_now())
    assert ("is-warning" in page_of(client, venue).content.decode()) is (inside == 10)


def figures_of(venue: Venue, day: dt.date, **noisy: list[int]) -> None:
    """Store a draw with these counts of one venue."""
    period = Period.DAY if "outcome" in noisy else Period.WEEK
    draw, _ = StatisticsDraw.objects.get_or_create(
        period=period,
        first_day=day,
        defaults={"budget": 0.5, "kept_at": utc_now(), "scales": dict.fromkeys(noisy, 10.0)},
    )
    VenueFigures.objects.create(draw=draw, venue=venue, noisy=noisy)


def past_of_a_quarter(venue: Venue) -> dt.date:
    """Create thirteen weeks of visits at 18:00 and of ratings; return the last closed day."""
    last = utc_now().date() - 4 * DAY
    for back in range(90):
        figures_of(venue, last - back * DAY, outcome=[450, 9, -5], hour=[0] * 18 + [450] + [0] * 9)
    monday = last - last.weekday() * DAY
    for back in range(12):
        figures_of(venue, monday - back * WEEK, masks=[0, 0, 0, 900, 0], distancing=[0, 450, 0, 0, 450])
    return last


def test_programs_read_the_same_numbers_as_the_page(django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    venue, client = place()
    for _ in range(9):
        stay(venue, utc_now() - MINUTE, open_end=True)
    address = f"/api/v1/owner/venues/{venue.public_id}/statistics"
    with django_assert_max_num_queries(9):
        told = client.get(address).json()
    assert {name: told["now"][name] for name in ("at_least", "heads", "limit", "percent", "level")} == {
        "at_least": 5,
        "heads": 9,
        "limit": 10,
        "percent": 90,
        "level": "fills",
    }
    assert (told["usual"], told["ratings"], len(told["days"])) == (None, None, 14)
    assert told["days"][0] | {"date": ""} == {
        "date": "", "visits": None, "declined": None, "refused": None, "within": None
    }  # fmt: skip
    last = past_of_a_quarter(venue)
    told = client.get(address).json()
    day = next(one for one in told["days"] if one["date"] == last.isoformat())
    assert [day[name] for name in ("visits", "declined", "refused")] == [500, 10, 0]
    assert set(day["within"].values()) == {day["within"]["visits"]}
    assert told["ratings"] == {"count": 12_000, "masks": 4.0, "distancing": 3.5}
    assert [len(told["usual"]), max(told["usual"][2])] == [7, told["usual"][2][19]]
    page = page_of(client, venue)
    assert page.context["ratings"] == Ratings(12_000, 4.0, 3.5)
    shown = page_of(client, venue, "/statistics").content.decode()
    assert f"500 <small>± {day['within']['visits']}</small>" in shown
    assert shown.count("<rect") == 8


def test_the_file_has_a_line_a_closed_day_with_the_numbers_of_the_page() -> None:
    venue, client = place()
    last = past_of_a_quarter(venue)
    answer = client.get(f"/owner/venues/{venue.public_id}/statistics.csv")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert f"statistics-{venue.public_id}.csv" in answer["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert rows[0]["day"] == last.isoformat()
    assert len(rows) == 87  # of 91 days, four are not closed
    assert {(row["visits"], row["declined"], row["refused"]) for row in rows} == {("500", "10", "0")}
    week = last.isocalendar()
    assert rows[0]["week"] == f"{week.year}-W{week.week:02d}"


def test_weeks_are_compared_where_both_are_whole() -> None:
    venue, client = place()
    past_of_a_quarter(venue)
    weeks = page_of(client, venue, "/statistics").context["past"].weeks
    whole = [week for week in weeks if week.days == 7]
    assert whole[0].visits.people == 3500
    assert whole[0].change.people == 0
    assert whole[0].change.within > whole[0].visits.within
    assert weeks[-1].change is None


def test_without_a_closed_day_the_page_says_when_there_will_be_one() -> None:
    venue, client = place()
    text = page_of(client, venue, "/statistics").content.decode()
    assert "a day is shown 3 days after it began" in text
    assert "<svg" not in text.split("<main")[1]


@pytest.mark.parametrize(
    ("heads", "limit", "band", "percent"),
    [
        (0, 10, "0–4", 40),
        (4, 10, "0–4", 40),
        (9, 10, "5–9", 90),
        (10, 10, "10", 100),
        (12, 10, "10", 100),
        (40, 10, "40–49", 490),
        (29, 30, "20–29", 96),
        (0, 3, "0–2", 66),
        (123_456, 500_000, "100000–149999", 29),
    ],
)
def test_people_inside_are_shown_in_bands(heads: int, limit: int, band: str, percent: int) -> None:
    venue, _client = place(capacity=limit)
    full = Fullness(venue, heads)
    assert (str(full.band), full.percent) == (band, percent)


def test_the_numbers_of_another_team_are_unknown() -> None:
    venue, _client = place()
    _other, stranger = place()
    answers = [
        stranger.get(f"/api/v1/owner/venues/{venue_id}/statistics") for venue_id in (venue.public_id, "v_0000000000")
    ]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].content == answers[1].content


def test_no_page_of_the_owner_holds_a_key_of_a_visit() -> None:
    venue, client = place()
    one = stay(venue, utc_now() - MINUTE, open_end=True)
    for end in ("", "/now", "/statistics", "/statistics.csv", "/doors", "/settings", "/events"):
        text = page_of(client, venue, end).content.decode()
        for secret in (bytes(one.visit.tag), one.owner, bytes(one.pass_row.owner_hash)):
            assert secret.hex() not in text
        assert str(one.visit.pk) not in text
        assert str(one.pass_row.pk) not in text


def test_the_dashboard_asks_the_database_little(django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    venue, client = place()
    with django_assert_max_num_queries(12):
        page_of(client, venue)
    with django_assert_max_num_queries(6):
        page_of(client, venue, "/statistics")
    with django_assert_max_num_queries(6):
        page_of(client, venue, "/now")
    with django_assert_max_num_queries(5):
        client.get("/owner")
    with django_assert_max_num_queries(4):
        client.get("/owner/now")


# The operator's page --------------------------------------------------------------------------------------------------
def operator() -> Client:
    """Return an operator's browser."""
    client = Client()
    client.force_login(factories.make_user(is_staff=True, now=utc_now()))
    return client


def test_the_status_is_for_operators_alone() -> None:
    _venue, client = place()
    assert client.get("/owner/operator").status_code == 403
    assert Client().get("/owner/operator").status_code == 302
    assert operator().get("/owner/operator").status_code == 200


@pytest.fixture
def no_record() -> None:
    """Delete the record of ended tasks."""
    store = valkey.client()
    store.delete(DONE, f"{FAILED}:{utc_now().date().isoformat()}")


@pytest.mark.usefixtures("no_record")
def test_a_failed_and_a_late_task_stand_out(time_machine: Any) -> None:
    task = RecordedTask()
    task.name = "risk.crowd.refresh"
    task.on_success(None, "1", (), {})
    assert not next(one for one in status(utc_now()).tasks if one.name == "risk.crowd.refresh").is_late
    later = next(one for one in status(utc_now() + 21 * MINUTE).tasks if one.name == "risk.crowd.refresh")
    assert later.is_late
    task.on_failure(ValueError("a secret"), "1", (), {}, None)
    task.on_failure(ValueError("a secret"), "2", (), {}, None)
    assert read_work(utc_now()).failures == {"risk.crowd.refresh": 2}
    page = operator().get("/owner/operator").content.decode()
    assert '<span class="badge is-bad">2</span>' in page
    assert "a secret" not in page


def test_an_unpublished_day_of_the_verified_tier_is_highlighted_with_what_to_do() -> None:
    VerifiedDay.objects.create(day=dt.date(2020, 10, 15), tries=5, failure="step write: OSError errno 28")
    page = operator().get("/owner/operator").content.decode()
    assert "2020-10-15: step write: OSError errno 28; tried 5 times" in page
    assert "manage.py release --date 2020-10-15" in page


def test_a_key_that_is_due_is_highlighted() -> None:
    from passes import keys

    now = utc_now()
    assert [key.is_there for key in status(now).keys] == [False, False]
    keys.make_keys(now)
    assert [key.is_there for key in status(now).keys] == [True, True]


def test_the_status_marks_days_whose_ticket_keys_are_missing_or_lost() -> None:
    now = utc_now()
    ticket_keys.forget()
    assert len(status(now).ticket_days_missing) == 16
    ticket_keys.make_ticket_keys(now)
    page = operator().get("/owner/operator").content.decode()
    assert status(now).ticket_days_missing == []
    assert "next 15 days" in page
    lost, gone = status(now).keys[0].day, status(now).keys[1].day
    TicketKey.objects.filter(epoch=lost, ticket_class="other").update(public=None, private=None)
    TicketKey.objects.filter(epoch=gone).delete()
    ticket_keys.forget()
    assert status(now).ticket_days_missing == [lost, gone]
    assert "nobody can get a ticket" in operator().get("/owner/operator").content.decode()


def test_the_status_comes_also_without_valkey(settings: Any) -> None:
    client = operator()
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    text = client.get("/owner/operator").content.decode()
    assert "Valkey does not answer" in text
    assert "Rate limits are off" not in text


def test_the_status_says_that_limits_are_not_counted(settings: Any) -> None:
    client = operator()
    settings.LIMITS_URL = "redis://127.0.0.1:1/0"
    text = client.get("/owner/operator").content.decode()
    assert "Rate limits are off" in text
    assert "Valkey does not answer" not in text


# Page speed -----------------------------------------------------------------------------------------------------------


def report(**body: Any) -> Any:
    """Send what a page sends."""
    return Client().post("/api/v1/vitals", body, content_type="application/json")


def test_a_report_is_counted_in_its_step_and_the_number_is_gone(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for _ in range(3):
        with django_assert_max_num_queries(1):
            assert report(page="page-pass", lcp_ms=812.4, cls=0).status_code == 204
    assert report(page="page-pass", lcp_ms=3100).status_code == 204
    rows = VitalsCount.objects.order_by("metric", "step").values_list("page", "metric", "step", "count")
    assert list(rows) == [("page-pass", "cls", 0, 3), ("page-pass", "lcp", 1, 3), ("page-pass", "lcp", 6, 1)]


@pytest.mark.parametrize(
    "body",
    [
        {"page": "page-nowhere", "lcp_ms": 1},
        {"page": "page-pass", "lcp_ms": -1},
        {"page": "page-pass", "lcp_ms": 1e9},
        {"page": "page-pass", "lcp_ms": "fast"},
        {"page": "page-pass", "who": "me"},
        {"lcp_ms": 1},
    ],
)
def test_a_report_that_means_nothing_is_refused(body: dict[str, Any]) -> None:
    assert report(**body).status_code == 400
    assert not VitalsCount.objects.exists()


def test_three_of_four_loads_are_within_the_bound_that_is_shown() -> None:
    for value in (400, 900, 900, 9000):
        report(page="page-pass", lcp_ms=value)
    (speed,) = counts.page_speeds(utc_now())
    assert (speed.loads, speed.within, speed.is_good) == (4, 1000, True)
    for _ in range(4):
        report(page="page-pass", lcp_ms=20_000)
    (speed,) = counts.page_speeds(utc_now())
    assert (speed.within, speed.is_good) == (None, False)
    assert counts.page_speeds(utc_now() + dt.timedelta(days=14)) == []


def named(page: Any) -> list[str]:
    return [one.venue.name for one in page.context["places"]]


@pytest.mark.django_db
def test_places_are_searched_and_sorted() -> None:
    host = factories.make_user(now=utc_now())
    team = factories.make_organisation(owner=host, now=utc_now())
    for at, (name, kind) in enumerate({"Zum Löwen": "restaurant", "Café Ärger": "restaurant", "Gym": "gym"}.items()):
        place = factories.make_venue(organisation=team, name=name, kind=kind, now=utc_now())
        Venue.objects.filter(pk=place.pk).update(created_at=utc_now() + dt.timedelta(minutes=at))
    factories.make_venue(name="Zum Fremden", now=utc_now())
    client = Client()
    client.force_login(host)
    assert named(client.get("/owner")) == ["Café Ärger", "Gym", "Zum Löwen"]
    assert named(client.get("/owner?sort=new")) == ["Gym", "Café Ärger", "Zum Löwen"]
    assert named(client.get("/owner?sort=nonsense&q=CAFE")) == ["Café Ärger"]
    assert named(client.get("/owner?q=zum")) == named(client.get("/owner/now?q=zum")) == ["Zum Löwen"]
    page = client.get("/owner?q=nowhere&sort=full").content.decode()
    assert "No results." in page
    assert "/owner/now?q=nowhere&amp;sort=full" in page, "the part that is read again keeps both"
