"""What a release does not count: passes answered in no time, and days of devices that the operator left out."""

import datetime as dt

import pytest

from common.models import AuditEntry
from common.web.problems import Invalid
from exports.models import LeftOutDay
from exports.policy.domain import ZIP_SYMPTOMS, workloads
from exports.release import left_out
from exports.release.counts import exact_counts
from passes.models import Scan
from tests.exports.rows import DAY, Place, a_pass, a_place, a_scan, a_scanned_pass
from tests.factories import make_device

pytestmark = pytest.mark.django_db
NOON = dt.datetime.combine(DAY, dt.time(12), tzinfo=dt.UTC)


def counted() -> int:
    made = exact_counts(
        day=DAY, tables=workloads(zip3=("941",), readings=False), levels=dict.fromkeys(("", "941"), [1] * 16)
    )
    return int(made[ZIP_SYMPTOMS].sum())


def leave_out(place: Place, *days: dt.date, now: dt.datetime = NOON) -> None:
    left_out.leave_out(device=place.device, days=days, actor="operator", now=now)


@pytest.mark.parametrize(("seconds", "rows"), [(0, 0), (1, 0), (2, 2)])
def test_passes_and_refusals_answered_in_under_two_seconds_are_not_counted(seconds: int, rows: int) -> None:
    place = a_place()
    a_scanned_pass(place, survey_seconds=seconds)
    a_pass(place, go=False, refused_hour=9, survey_seconds=seconds)
    assert counted() == rows


def test_a_score_leaves_no_row_out() -> None:
    a_scanned_pass(a_place())
    Scan.objects.update(abuse_score=1.0)
    assert counted() == 1


def test_a_day_of_a_device_left_out_takes_its_passes_alone() -> None:
    place = a_place()
    other = Place(place.venue, make_device(venue=place.venue).device)
    a_scanned_pass(place)
    late = a_scanned_pass(other, hour=12)
    a_scan(place, late, hour=13)  # seen there later, first let in by the other
    a_pass(place, go=False, refused_hour=9)
    assert counted() == 3
    leave_out(place, DAY)
    assert counted() == 2
    assert left_out.passes_left_out([DAY]) == {DAY: 1}
    leave_out(place)
    assert counted() == 3
    verbs = AuditEntry.objects.filter(verb__startswith="abuse").order_by("verb").values_list("verb", "subject")
    subject = f"{place.device.public_id} {DAY}"
    assert list(verbs) == [("abuse.counted_again", subject), ("abuse.left_out", subject)]


def test_a_day_can_be_left_out_only_until_it_closes() -> None:
    place = a_place()
    closes = dt.datetime.combine(DAY + dt.timedelta(days=3), dt.time(), tzinfo=dt.UTC)
    leave_out(place, DAY, now=closes - dt.timedelta(seconds=1))
    with pytest.raises(Invalid):
        leave_out(place, DAY, now=closes)
    leave_out(place, now=closes)
    assert LeftOutDay.objects.get().day == DAY, "a closed day stays as it was decided"
    with pytest.raises(Invalid):
        leave_out(place, DAY + dt.timedelta(days=1), now=NOON)
