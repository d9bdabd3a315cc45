"""Scores of how unusual a scan is."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.models import AuditEntry
from common.web.problems import Invalid
from passes.abuse import ScanMark, score_marks
from passes.abuse_figures import figures_of_days, odd_days
from passes.clock import calendar
from passes.models import Change, Scan, Visit
from passes.selectors import causes_of_day
from passes.services import abuse_settings, scoring
from passes.tasks import score_scans
from tests.factories import NOW, EnrolledDevice, make_device, make_venue
from tests.passes.people import Phone, scan
from tests.plans import explained
from venues.selectors import device_for_operator


def mark(key: int, at: float, *, out: bool = False, approved: bool = True, tag: bytes | None = None) -> ScanMark:
    return ScanMark(key, "door", at, out, approved, tag)


def test_a_steady_stream_and_a_rush_are_ordinary() -> None:
    stream = [mark(minute * 10 + one, minute * 60 + one) for minute in range(30) for one in range(4)]
    rush = [mark(1000 + one, 40 * 60 + one) for one in range(20)]
    assert set(score_marks(stream + rush).values()) == {0.0}


def test_a_hundred_scans_in_a_minute_of_a_quiet_door_are_a_script() -> None:
    quiet = [mark(minute, minute * 60) for minute in range(30)]
    burst = [mark(1000 + one, 40 * 60 + one / 2) for one in range(100)]
    scores = score_marks(quiet + burst)
    assert scores[1000] == 1.0
    assert scores[0] == 0.0


def test_trying_out_credentials_shows_in_the_share_of_red_lights() -> None:
    half = [mark(at, at * 60, approved=at % 2 == 0) for at in range(40)]
    assert score_marks(half)[1] == pytest.approx(0.5)
    assert score_marks(half)[0] == 0, "a green light is no guess"
    assert set(score_marks(half[:10]).values()) == {0.0}  # too few for a score


def test_a_checkout_within_a_minute_is_not_a_stay() -> None:
    stays = [
        mark(1, 0, tag=b"a"),
        mark(2, 59, out=True, tag=b"a"),
        mark(3, 100, tag=b"b"),
        mark(4, 160, out=True, tag=b"b"),
    ]
    assert score_marks(stays) == {1: 0.0, 2: 1.0, 3: 0.0, 4: 0.0}


@given(
    st.lists(
        st.builds(
            ScanMark,
            key=st.uuids(),
            device=st.sampled_from([None, 1, 2]),
            at=st.integers(0, 90_000).map(float),
            is_checkout=st.booleans(),
            approved=st.booleans(),
            tag=st.none() | st.sampled_from([b"a", b"b"]),
        ),
        unique_by=lambda row: row.key,
        max_size=60,
    )
)
def test_scores_lie_between_zero_and_one_and_order_does_not_matter(marks: list[ScanMark]) -> None:
    scores = score_marks(marks)
    assert all(0 <= score <= 1 for score in scores.values() if score is not None)
    assert all(scores[row.key] is not None for row in marks if row.device is not None)
    assert set(scores) == {row.key for row in marks}


@pytest.mark.django_db
def test_scores_are_written_once() -> None:
    place = make_venue()
    door = make_device(venue=place)
    held = Phone().check_in(place)
    scan(door, held.on_screen(NOW), now=NOW)
    scan(door, held.on_screen(NOW), now=NOW + dt.timedelta(seconds=30), type="Checkout")

    assert set(Scan.objects.values_list("abuse_score", flat=True)) == {None}
    assert scoring.score_scans(now=NOW) == 2
    assert scoring.score_scans(now=NOW) == 0
    assert Scan.objects.get(type="Checkout").abuse_score == 1.0
    score_scans()


@pytest.mark.django_db
def test_a_day_of_a_device_is_odd_from_ten_odd_scans_on_and_none_is_where_nothing_was_scanned() -> None:
    assert odd_days(NOW) == []
    place = make_venue()
    door, quiet = make_device(venue=place), make_device(venue=place)
    assert odd_days(NOW) == []
    for number in range(10):
        for one in (door, quiet):
            scan(one, "GO1:HELLO", now=NOW + dt.timedelta(seconds=number))
    assert odd_days(NOW) == [], "scans that have no score yet are not odd"
    Scan.objects.filter(device=door.device).update(abuse_score=0.5)
    Scan.objects.filter(device=quiet.device).update(abuse_score=0.49)
    (found,) = odd_days(NOW)
    assert (found.name, found.venue, found.scans, found.odd, found.red) == (door.device.name, place.name, 10, 10, 10)
    assert found.day == NOW.date()
    first = Scan.objects.filter(device=door.device).first()
    assert first is not None
    Scan.objects.filter(pk=first.pk).update(abuse_score=0)
    assert odd_days(NOW) == []


def test_two_hundred_green_lights_a_minute_all_day_are_impossible() -> None:
    script = [mark(at, at * 0.3) for at in range(2_000)]
    assert score_marks(script)[1_000] == 1.0
    turnstile = [mark(at, at * 2.0) for at in range(2_000)]
    assert set(score_marks(turnstile).values()) == {0.0}


def test_red_lights_never_raise_the_score_of_a_green_one() -> None:
    people = [mark(at, 120 + at * 15, tag=b"%d" % at) for at in range(20)]
    garbage = [mark(1_000 + at, 120 + at * 0.2, approved=False) for at in range(1_500)]
    scores = score_marks(people + garbage)
    assert {scores[one.key] for one in people} == {0.0}
    assert scores[1_000] == 1.0


def test_a_pass_at_another_door_a_moment_after_it_was_let_in_marks_the_later_scan() -> None:
    def at_door(key: int, at: float, device: str, *, approved: bool = True) -> ScanMark:
        return ScanMark(key, device, at, False, approved, b"a")

    scans = [at_door(1, 0, "A"), at_door(2, 5, "B"), at_door(3, 60, "A"), at_door(4, 61, "A")]
    assert score_marks(scans) == {1: 0.0, 2: 1.0, 3: 0.0, 4: 0.0}
    declined_first = [at_door(1, 0, "A", approved=False), at_door(2, 5, "B")]
    assert score_marks(declined_first) == {1: 0.0, 2: 0.0}


@pytest.mark.parametrize(("seconds", "score"), [(0, 1.0), (1, 1.0), (2, 0.0), (None, 0.0)])
def test_four_answers_in_a_second_were_not_read(seconds: int | None, score: float) -> None:
    assert score_marks([ScanMark(1, "door", 0, False, True, b"a", seconds)]) == {1: score}


def test_without_any_fact_there_is_no_score() -> None:
    assert score_marks([ScanMark(1, None, 0, False, False, None)]) == {1: None}


@pytest.fixture
def fast(db: None) -> tuple[EnrolledDevice, Visit]:
    """Create a visit whose questions were answered in a second, scored."""
    place = make_venue()
    door = make_device(venue=place)
    scan(door, Phone().check_in(place, survey_seconds=1).on_screen(NOW), now=NOW)
    Change.objects.all().delete()
    scoring.score_scans(now=NOW)
    return door, Visit.objects.get()


def test_a_visit_that_scores_too_high_is_kept_out_and_queued(fast: tuple[EnrolledDevice, Visit]) -> None:
    _door, visit = fast
    assert visit.kept_out
    assert list(Change.objects.values_list("venue", "since")) == [(visit.venue_id, visit.arrived_at)]
    assert scoring.score_scans(now=NOW) == 0
    assert Change.objects.count() == 1


def test_the_threshold_is_the_operators_and_logged(fast: tuple[EnrolledDevice, Visit]) -> None:
    _door, visit = fast
    with pytest.raises(Invalid):
        abuse_settings.set_threshold(value=0.05, actor="operator", now=NOW)
    Scan.objects.update(abuse_score=0.8)
    abuse_settings.set_threshold(value=0.9, actor="operator", now=NOW)
    abuse_settings.set_threshold(value=0.9, actor="operator", now=NOW)
    entry = AuditEntry.objects.get(verb="abuse.threshold")
    assert (entry.actor, entry.details) == ("operator", {"before": "0.5", "after": "0.9"})
    scoring._keep_out(calendar().epoch_of(visit.epoch), NOW)
    visit.refresh_from_db()
    assert not visit.kept_out


def test_an_exempt_device_keeps_nobody_out_until_it_ends(fast: tuple[EnrolledDevice, Visit]) -> None:
    door, visit = fast
    until = NOW + dt.timedelta(days=1)
    for wrong in (NOW, NOW + dt.timedelta(days=91)):
        with pytest.raises(Invalid):
            abuse_settings.exempt_device(device=door.device, until=wrong, reason="x", actor="operator", now=NOW)
    abuse_settings.exempt_device(device=door.device, until=until, reason="turnstile", actor="operator", now=NOW)

    def is_kept_out(now: dt.datetime) -> bool:
        scoring.score_scans(now=now)
        visit.refresh_from_db()
        return visit.kept_out

    assert not is_kept_out(NOW)
    assert Scan.objects.get().abuse_score == 1.0, "it is still scored"
    assert is_kept_out(until)
    assert not is_kept_out(NOW)
    abuse_settings.end_exemption(device=door.device, actor="operator", now=NOW)
    abuse_settings.end_exemption(device=door.device, actor="operator", now=NOW)
    assert is_kept_out(NOW)
    verbs = AuditEntry.objects.filter(verb__startswith="abuse").order_by("verb").values_list("verb", flat=True)
    assert list(verbs) == ["abuse.exempt", "abuse.exemption_ended"]


def test_only_devices_of_verified_organisations_can_be_exempt(fast: tuple[EnrolledDevice, Visit]) -> None:
    door, visit = fast
    until = NOW + dt.timedelta(days=1)
    abuse_settings.exempt_device(device=door.device, until=until, reason="turnstile", actor="operator", now=NOW)
    organisation = visit.venue.organisation
    organisation.verified_at = None
    organisation.save()
    scoring.score_scans(now=NOW)
    visit.refresh_from_db()
    assert visit.kept_out, "a withdrawn verification ends it at once"
    device = device_for_operator(door.device.public_id)
    with pytest.raises(Invalid):
        abuse_settings.exempt_device(device=device, until=until, reason="again", actor="operator", now=NOW)


def test_figures_count_scans_without_a_score_separately(fast: tuple[EnrolledDevice, Visit]) -> None:
    door, _visit = fast
    scan(door, "GO1:HELLO", now=NOW + dt.timedelta(seconds=9))
    (day,) = figures_of_days(NOW)
    assert (day.day, day.scans, day.not_computed, day.over, day.kept_out, day.too_fast) == (NOW.date(), 2, 1, 1, 1, 1)
    assert day.bins == (0,) * 9 + (1,)


@pytest.mark.django_db
def test_scores_find_the_rows_of_their_days_by_an_index() -> None:
    """Without one, each hour would read the scans and visits of all days."""
    place = make_venue()
    scan(make_device(venue=place), Phone().check_in(place).on_screen(NOW), now=NOW)
    with explained() as plans:
        assert scoring.score_scans(now=NOW, days=1) == 1
    of_visits = [plan for plan in plans if "passes_scan" in plan or "passes_visit" in plan]
    assert len(of_visits) == 3, "marks, scores, visits to keep out"
    assert not [plan for plan in of_visits if "Seq Scan on passes_" in plan]


@pytest.mark.django_db
def test_causes_of_a_day_are_counted_by_an_index() -> None:
    with explained() as plans:
        causes_of_day(NOW.date() - dt.timedelta(days=2), NOW)
    of_scans = [plan for plan in plans if "passes_scan" in plan]
    assert len(of_scans) == 1
    assert "Seq Scan on passes_scan" not in of_scans[0]


@pytest.mark.django_db
def test_the_photo_of_an_old_code_shown_all_day_is_scored_on_that_day() -> None:
    place = make_venue()
    door = make_device(venue=place)
    photos = [Phone().check_in(place).on_screen(NOW) for _ in range(3)]
    later = NOW + dt.timedelta(days=4)
    for number in range(60):
        scan(door, photos[number % 3], now=later + dt.timedelta(seconds=20 * number))
    assert Scan.objects.filter(approved=False).count() == 60
    assert scoring.score_scans(now=later, days=2) == 60
    assert scoring.score_scans(now=later) == 0
    (odd,) = odd_days(later)
    assert (odd.day, odd.odd) == (later.date(), 60)
    (day,) = figures_of_days(later)
    assert (day.day, day.scans, day.not_computed) == (later.date(), 60, 0)
