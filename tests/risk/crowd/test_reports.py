"""Self-reported results: counted once, capped, used by shields of people who were there, revealing no reporter."""

import datetime as dt
import json
from io import StringIO
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from common.crypto import b64encode
from common.models import AuditEntry
from passes.models import SpentOwner, Visit
from risk.crowd.refresh import refresh_crowd
from risk.crowd.reports import MOST_REPORTS, fold_reports, report_test, settle_waiting
from risk.model.classes import chances, reported_positive
from risk.model.parameters import Parameters
from risk.models import ReportedDay
from tests.adversaries.stores import dump_tables
from tests.factories import NOW, make_venue
from tests.passes.people import send
from tests.risk.crowds import HOUR, MINUTE, Stay, crowd, queue, stay
from tests.risk.shield.test_answer import answer
from venues.models import Venue

pytestmark = pytest.mark.django_db
TODAY = NOW.date()


def report(*stays: Stay, positive: bool = True, tested_on: dt.date = TODAY) -> None:
    owners = [bytes(one.pass_row.owner_hash) for one in stays]
    report_test(owner_hashes=owners, tested_on=tested_on, positive=positive, now=NOW)


def full_venue() -> tuple[Venue, list[Stay]]:
    """Return sixteen people for an hour from 07:00."""
    venue = make_venue(volume_m3=200.0)
    return venue, [stay(venue, NOW - 3 * HOUR, 60) for _ in range(16)]


def spent(one: Stay) -> float:
    return float(answer(one, budget=1e-3)["spent"])


def test_a_report_counts_once_and_marks_the_quarters_of_the_stay_with_the_night() -> None:
    _venue, (one, *_others) = full_venue()
    stay(one.visit.venue, NOW - 90 * MINUTE, 20, pass_row=one.pass_row)  # the same person again, 08:30 to 08:50
    report(one)
    report(one)
    row = ReportedDay.objects.get()
    assert (bytes(row.positive), row.reports, row.new_reports) == (b"", 0, 1), "it shows with the night"
    assert fold_reports(now=NOW).reports == 1
    assert fold_reports(now=NOW).reports == 0
    row = ReportedDay.objects.get()
    inside = np.frombuffer(row.positive, "<f4")
    assert np.flatnonzero(inside).tolist() == [28, 29, 30, 31, 34, 35]
    np.testing.assert_allclose(inside[[28, 34, 35]], [1.0, 1.0, 1 / 3], rtol=1e-6)
    assert (row.reports, bytes(row.new_positive), row.new_reports) == (1, b"", 0)


@pytest.mark.parametrize(("days", "counts"), [(-4, False), (-3, True), (7, True), (8, False)])
def test_a_test_speaks_of_stays_up_to_seven_days_before_it_and_three_after(days: int, *, counts: bool) -> None:
    _venue, (one, *_others) = full_venue()
    report(one, tested_on=TODAY + dt.timedelta(days=days))
    fold_reports(now=NOW)
    assert ReportedDay.objects.exists() == counts


def test_a_positive_report_lowers_the_shields_of_those_who_were_there_and_of_nobody_else() -> None:
    venue, (one, *others) = full_venue()
    later = stay(venue, NOW - HOUR, 30)  # an hour after they left; their breath lingers a little
    other_day = stay(venue, NOW - 27 * HOUR, 60)
    for _ in range(13):
        stay(venue, NOW - 27 * HOUR, 60)
    refresh_crowd(now=NOW)
    before = [spent(each) for each in (*others, later, other_day)]
    report(one)
    fold_reports(now=NOW)
    after = [spent(each) for each in (*others, later, other_day)]
    assert all(now > then for now, then in zip(after[:-2], before[:-2], strict=True))
    assert after[-1] == before[-1]
    assert 0.0 <= after[-2] - before[-2] < (after[0] - before[0]) / 2


def test_a_report_is_a_likelihood_ratio_and_never_a_certainty() -> None:
    parameters = Parameters()
    believed = chances(parameters, [0.0005, 0.01]).admitted
    said = reported_positive(parameters, believed)
    np.testing.assert_allclose(said / (1 - said), 0.75 / 0.02 * believed / (1 - believed))
    assert (said > believed).all()
    assert (said < 1.0).all()
    assert said[0].mean() < 0.3


def test_more_reports_count_more_until_the_cap_and_the_rest_waits_for_the_operator() -> None:
    venue, people = full_venue()
    refresh_crowd(now=NOW)
    seen = [spent(people[-1])]
    for number in range(5):
        report(people[number])
        assert fold_reports(now=NOW).waiting == max(0, number + 1 - MOST_REPORTS)
        seen.append(spent(people[-1]))
    assert seen[0] < seen[1] < seen[2] < seen[3] == seen[4] == seen[5]
    row = ReportedDay.objects.get()
    assert (row.reports, row.waiting) == (3, 2)
    out = StringIO()
    call_command("reports", stdout=out)
    assert json.loads(out.getvalue()) == [{"venue": venue.public_id, "day": str(TODAY), "counted": 3, "waiting": 2}]
    call_command("reports", venue.public_id, str(TODAY), "--accept", stdout=StringIO())
    assert spent(people[-1]) > seen[-1]
    assert AuditEntry.objects.filter(verb="reports.accepted", subject=f"{venue.public_id} {TODAY}").exists()


def test_reports_that_the_operator_leaves_out_are_gone() -> None:
    venue, people = full_venue()
    refresh_crowd(now=NOW)
    report(*people[:5])
    fold_reports(now=NOW)
    before = spent(people[-1])
    assert settle_waiting(venue=venue.pk, day=TODAY, accept=False, actor="operator", now=NOW) == 2
    assert settle_waiting(venue=venue.pk, day=TODAY, accept=True, actor="operator", now=NOW) == 0
    assert spent(people[-1]) == before
    assert ReportedDay.objects.get().waiting == 0


def test_the_operator_has_to_name_a_venue_and_a_day() -> None:
    with pytest.raises(CommandError, match="public id of a venue"):
        call_command("reports", "v_0000000000", "2026-05-13")


def test_negative_results_change_no_shield_and_leave_no_row() -> None:
    _venue, people = full_venue()
    refresh_crowd(now=NOW)
    before = spent(people[-1])
    report(*people[:4], positive=False)
    assert fold_reports(now=NOW).reports == 0
    assert spent(people[-1]) == before
    assert not ReportedDay.objects.exists()
    assert SpentOwner.objects.count() == 4


@pytest.mark.parametrize("size", [1, 4, 6, 11])
def test_attackers_around_one_person_learn_nothing_of_a_report_below_twelve_others(size: int) -> None:
    """They control all but one of a crowd and compare their shields before and after that person's report."""
    venue = make_venue(volume_m3=50.0)
    mine = [stay(venue, NOW - 9 * HOUR, 500) for _ in range(size)]
    target = stay(venue, NOW - 9 * HOUR, 300)
    refresh_crowd(now=NOW)
    before = [answer(one, budget=1e-6) for one in mine]
    report(target)
    assert fold_reports(now=NOW).days == 1
    assert [answer(one, budget=1e-6) for one in mine] == before


def test_twelve_passes_around_one_target_do_see_a_report() -> None:
    """This is documented (docs/privacy.md) and not intended."""
    venue = make_venue(volume_m3=50.0)
    mine = [stay(venue) for _ in range(12)]
    target = stay(venue)
    refresh_crowd(now=NOW)
    before = spent(mine[0])
    report(target)
    fold_reports(now=NOW)
    assert spent(mine[0]) > before


def test_a_report_stays_a_number_that_never_passes_the_crowd_when_its_visit_is_erased() -> None:
    """Nothing in a sum shows whose report it was, so it stays, bounded by the people who are still counted."""
    venue, (one, *others) = full_venue()
    report(one)
    fold_reports(now=NOW)
    sums = bytes(ReportedDay.objects.get().positive)
    owner_hash, tag = bytes(one.pass_row.owner_hash), bytes(one.pass_row.tag)
    assert owner_hash not in sums
    assert tag not in sums
    for each in (one, *others[:-1]):
        Visit.objects.filter(pk=each.visit.pk).delete()
        each.pass_row.delete()
    queue(venue, one.visit.arrived_at)
    refresh_crowd(now=NOW)
    assert bytes(ReportedDay.objects.get().positive) == sums
    alone: dict[str, Any] = answer(others[-1], budget=1e-6)
    assert (alone["shield"], alone["spent"], alone["visits"][0]["dose"]) == (100, 0.0, 0.0)


def test_a_crowd_that_came_and_went_between_reports_of_two_people_counts_both() -> None:
    venue = make_venue(volume_m3=200.0)
    early, late = stay(venue, NOW - 6 * HOUR, 60), stay(venue, NOW - 4 * HOUR, 60)
    crowd(venue, 12, NOW - 6 * HOUR, 200)
    me = stay(venue, NOW - 6 * HOUR, 200)
    refresh_crowd(now=NOW)
    seen = [spent(me)]
    for one in (early, late):
        report(one)
        fold_reports(now=NOW)
        seen.append(spent(me))
    assert seen[0] < seen[1] < seen[2]


def test_no_row_holds_an_owner_and_a_result() -> None:
    _venue, people = full_venue()
    held = {name: table for name, table in dump_tables().items() if name != "public.passes_pass"}
    report(*people)
    owners = [bytes(one.pass_row.owner_hash) for one in people] + [bytes(one.pass_row.tag) for one in people]
    changed = {name for name, content in dump_tables().items() if content != held.get(name, content)}
    assert changed == {"public.passes_spentowner", "public.risk_reportedday"}
    stores = dump_tables()
    assert not [name for name in changed if any(owner in stores[name] for owner in owners)]
    assert {field.name for field in SpentOwner._meta.fields} == {"spent_hash", "spent_on"}


def test_reports_over_the_api_are_of_owners_of_passes_and_the_first_result_counts() -> None:
    _venue, (one, *_others) = full_venue()
    body = {"owners": [b64encode(one.owner), "A" * 43], "tested_on": str(TODAY), "result": "positive"}
    for result in ("positive", "negative"):
        assert send("POST", "/api/v1/diagnoses", body | {"result": result}, now=NOW).status_code == 202
    assert SpentOwner.objects.count() == 1
    assert ReportedDay.objects.get().new_reports == 1


@pytest.mark.parametrize("day", ["2026-05-15", "2026-04-14", "soon"])
def test_a_report_is_of_the_last_four_weeks(day: str) -> None:
    for tested_on, status in ((day, 400), ("2026-04-15", 202)):
        body = {"owners": [], "tested_on": tested_on, "result": "positive"}
        assert send("POST", "/api/v1/diagnoses", body, now=NOW).status_code == status
