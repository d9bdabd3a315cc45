"""What a report leaves for learning: one person in one cell, no owner, no plain hits, nothing readable below five."""

import datetime as dt

import numpy as np
import pytest
from django.db import connection

from common.crypto import b64encode
from passes.models import SpentOwner
from risk.crowd.refresh import refresh_crowd
from risk.estimates.cells import add_to_cells, count_reporter, kept_cells, period_of
from risk.estimates.reports import take_report
from risk.model.kinds import Kind
from risk.model.learning.cells import cells_of
from risk.model.visits import KIND_INDEX, KINDS
from risk.models import ReportCell
from tests.adversaries.stores import dump_tables
from tests.factories import NOW, make_organisation, make_venue
from tests.passes.people import send
from tests.risk.crowds import HOUR, Stay, crowd, stay

pytestmark = pytest.mark.django_db
TODAY = NOW.date()


def report(*stays: Stay, positive: bool = True, prompted: bool = False, tested_on: dt.date = TODAY) -> None:
    owners = [bytes(one.pass_row.owner_hash) for one in stays]
    take_report(owner_hashes=owners, tested_on=tested_on, positive=positive, prompted=prompted, now=NOW)


def owners_of(*stays: Stay) -> set[bytes]:
    return {bytes(one.pass_row.owner_hash) for one in stays}


def two_visits() -> tuple[Stay, Stay]:
    """Create one person at two venues among others, with crowd state up to date."""
    bar, office = make_venue(kind="bar", volume_m3=100.0), make_venue(kind="office", volume_m3=400.0)
    crowd(bar, 12)
    crowd(office, 12, NOW - 48 * HOUR)
    mine = stay(bar, NOW - 3 * HOUR, 120), stay(office, NOW - 48 * HOUR, 60)
    refresh_crowd(now=NOW)
    return mine


def test_visits_sent_together_are_one_reporter_whose_sums_are_those_of_all() -> None:
    report(*two_visits())
    row = ReportCell.objects.get()
    assert (row.reporters, row.positives, row.prompted, row.kind) == (1, 1, False, "bar")
    assert period_of(row.begins) == period_of(TODAY)


@pytest.mark.parametrize("prompted", [True, False])
def test_a_negative_result_counts_and_whether_a_prompt_asked_is_kept_apart(*, prompted: bool) -> None:
    report(*two_visits(), positive=False, prompted=prompted)
    row = ReportCell.objects.get()
    assert (row.reporters, row.positives, row.prompted) == (1, 0, prompted)


def test_sent_again_it_teaches_nothing_more() -> None:
    mine = two_visits()
    report(*mine)
    report(*mine, positive=False)
    report(mine[0])
    assert ReportCell.objects.get().reporters == 1


def test_a_pass_that_no_door_let_in_teaches_nothing() -> None:
    one, _ = two_visits()
    one.visit.delete()
    report(one)
    assert SpentOwner.objects.count() == 1
    assert not ReportCell.objects.exists()


@pytest.mark.parametrize(("verified", "teaches"), [(True, True), (False, False)])
def test_visits_to_places_that_anyone_can_make_teach_nothing(*, verified: bool, teaches: bool) -> None:
    """A stranger with an invented place, door and visitors reports anything."""
    place = make_venue(kind="bar", organisation=make_organisation(verified=verified))
    crowd(place, 12)
    mine = [stay(place) for _ in range(6)]
    refresh_crowd(now=NOW)
    for one in mine:
        report(one, prompted=True)
    assert ReportCell.objects.exists() == teaches
    assert (kept_cells().size > 0) == teaches


def test_visits_to_unverified_places_add_nothing_to_a_report_with_a_counted_visit() -> None:
    """A stranger invents a crowd at a place of their own and then goes to a real one once."""
    real, own = make_venue(kind="office"), make_venue(kind="bar", organisation=make_organisation(verified=False))
    crowd(real, 12)
    crowd(own, 60, NOW - 9 * HOUR)
    mine, other = [stay(real), stay(own, NOW - 9 * HOUR, 120)], stay(real)
    refresh_crowd(now=NOW)
    assert count_reporter(owner_hashes=owners_of(*mine), tested_on=TODAY, positive=True, prompted=False, now=NOW)
    assert count_reporter(owner_hashes=owners_of(other), tested_on=TODAY, positive=True, prompted=False, now=NOW)
    row = ReportCell.objects.get()
    assert (row.kind, row.reporters) == ("office", 2)
    assert not count_reporter(owner_hashes=owners_of(mine[1]), tested_on=TODAY, positive=True, prompted=False, now=NOW)


@pytest.mark.parametrize(("days", "teaches"), [(0, True), (-2, True), (-3, False)])
def test_a_test_whose_fortnight_is_gone_in_part_teaches_nothing(days: int, *, teaches: bool) -> None:
    report(*two_visits(), tested_on=TODAY + dt.timedelta(days=days))
    assert ReportCell.objects.exists() == teaches


def test_visits_after_the_test_are_not_of_its_fortnight() -> None:
    one, two = two_visits()
    yesterday = TODAY - dt.timedelta(days=1)
    owners = {bytes(each.pass_row.owner_hash) for each in (one, two)}
    assert count_reporter(owner_hashes=owners, tested_on=yesterday, positive=True, prompted=False, now=NOW)
    assert ReportCell.objects.get().kind == "office"


def test_no_row_says_whose_report_it_was_nor_what_one_reporter_met() -> None:
    mine = two_visits()
    report(*mine)
    columns = {field.name for field in ReportCell._meta.get_fields()}
    assert columns == {"id", "begins", "prompted", "band", "kind", "share", "reporters", "positives", "sums"}
    text = dump_tables()["public.risk_reportcell"]
    for one in mine:
        assert bytes(one.pass_row.owner_hash).hex().encode() not in text
        assert str(one.visit.venue.public_id).encode() not in text
    assert b"hits" not in bytes(ReportCell.objects.get().sums)


def test_fewer_than_five_reporters_are_read_by_nobody() -> None:
    hits = np.zeros((4, len(KINDS)))
    hits[:, KIND_INDEX[Kind.GYM]] = 0.01
    four = cells_of(period=[80] * 4, prompted=[0] * 4, positive=[True] * 4, hits=hits, elsewhere=[0.01] * 4)
    add_to_cells(four)
    assert ReportCell.objects.get().reporters == 4
    assert kept_cells().size == 0
    add_to_cells(cells_of(period=[80], prompted=[0], positive=[False], hits=hits[:1] / 100, elsewhere=[0.01]))
    whole = kept_cells()
    assert (whole.reporters.tolist(), whole.positives.tolist()) == ([5], [4])
    assert whole.hits.sum() == pytest.approx(0.0401)
    assert whole.elsewhere.sum() == pytest.approx(0.05)


@pytest.mark.parametrize(("prompted", "status"), [(True, 202), (False, 202), ("yes", 400), (1, 400), (None, 400)])
def test_the_api_takes_whether_a_prompt_asked(prompted: object, status: int) -> None:
    mine = two_visits()
    body = {"owners": [b64encode(one.owner) for one in mine], "tested_on": str(TODAY), "result": "negative"}
    answer = send("POST", "/api/v1/diagnoses", body | {"prompted": prompted}, now=NOW)
    assert answer.status_code == status
    assert [row.prompted for row in ReportCell.objects.all()] == ([prompted] if status == 202 else [])


def test_a_report_changes_no_table_but_the_spent_owner_the_hours_and_a_cell() -> None:
    mine = two_visits()
    before = dump_tables()
    report(*mine, prompted=True)
    changed = {name for name, content in dump_tables().items() if content != before[name]}
    assert changed == {"public.passes_spentowner", "public.risk_reportedday", "public.risk_reportcell"}


def test_the_cell_shares_no_transaction_with_the_owners_of_its_report() -> None:
    report(*two_visits())
    with connection.cursor() as cursor:
        cursor.execute("SELECT xmin::text FROM risk_reportcell")
        cells = {row[0] for row in cursor.fetchall()}
        cursor.execute("SELECT xmin::text FROM passes_spentowner UNION SELECT xmin::text FROM risk_reportedday")
        others = {row[0] for row in cursor.fetchall()}
    assert not cells & others
