"""Exact counts of a day, as PostgreSQL makes them."""

import datetime as dt
from typing import Any

import numpy as np
import pytest
from django.db import connection

from exports import reads
from exports.policy.domain import RISK_RESULT_ANSWERS, TOTAL, ZIP_RISK_RESULT, ZIP_SYMPTOMS, workloads
from exports.policy.noise import Counts
from exports.reads import make_rows
from exports.release.counts import exact_counts
from exports.release.risklevels import levels_by_zip3, levels_on
from passes.codec import Cause
from passes.models import Pass
from risk.crowd.cases import NewSignal, Signal, record_public_signals
from risk.crowd.parameters import record_parameters
from risk.model.parameters import Adaptive, Parameters
from tests.exports.rows import DAY, a_pass, a_place, a_scan, a_scanned_pass, rate
from tests.factories import make_organisation

pytestmark = pytest.mark.django_db

ZIPS = ("021", "941")
DOMAIN = workloads(zip3=ZIPS, readings=True)
# Every pattern of answers without a diagnosis is Low, with one High.
LEVELS = {zip3: [2 if pattern & 4 else 0 for pattern in range(16)] for zip3 in ("", *ZIPS)}


def counts() -> dict[str, Counts]:
    return exact_counts(day=DAY, tables=DOMAIN, levels=LEVELS)


def only_cell(name: str, made: dict[str, Counts]) -> dict[str, str]:
    """Return the values of the one cell of a table that holds a one."""
    table = {each.name: each for each in DOMAIN}[name]
    assert made[name].sum() == 1
    place = np.argwhere(made[name])[0]
    return {axis.name: axis.values[index] for axis, index in zip(table.axes, place, strict=True)}


def test_a_scanned_pass_is_one_row_in_every_table() -> None:
    a_scanned_pass(a_place(), hour=15.5, symptoms=True)
    made = counts()
    assert all(table.sum() == 1 for table in made.values())
    assert only_cell(ZIP_RISK_RESULT, made) == {"zip": "941", "risklevel": "Low", "outcome": "Approved"}
    assert only_cell(ZIP_SYMPTOMS, made) == {"zip": "941", "outcome": "Approved", "symptoms": "true"}
    assert only_cell("hour", made)["hour"] == "15"
    assert only_cell("readingtype", made)["readingtype"] == "Gate"
    assert only_cell("accesslevel", made)["accesslevel"] == "Public"
    assert only_cell("type_of_scan", made)["type_of_scan"] == "Checkin"
    assert only_cell("risklevel_duration", made)["duration"] == "20-30"
    assert only_cell("risklevel_m_score", made)["m_score"] == "none"
    assert only_cell("risklevel_temp", made)["temp"] == "none"


def test_a_pass_without_a_scan_is_no_row() -> None:
    a_pass(a_place())
    assert all(table.sum() == 0 for table in counts().values())


def test_a_refusal_is_a_row_in_its_own_hour_without_any_scan() -> None:
    a_pass(a_place(), go=False, refused_hour=9, diagnosed=True, contact=True)
    made = counts()
    assert only_cell(RISK_RESULT_ANSWERS, made) == {
        "risklevel": "High",
        "outcome": "Refused",
        "symptoms": "false",
        "diagnosed": "true",
        "contact": "true",
        "near": "false",
    }
    assert only_cell("hour", made) == {"outcome": "Refused", "hour": "09"}
    assert only_cell("type_of_scan", made)["type_of_scan"] == "Checkin"
    assert only_cell("readingtype", made)["readingtype"] == "Personal"
    assert only_cell("accesslevel", made)["accesslevel"] == "Public"


def test_the_result_is_that_of_the_first_checkin() -> None:
    place = a_place()
    row = a_pass(place)
    a_scan(place, row, hour=11, approved=True)
    a_scan(place, row, hour=10, approved=False, cause="temperature")
    a_scan(place, row, hour=9, kind="Checkout", approved=False)
    made = counts()
    assert only_cell(ZIP_RISK_RESULT, made)["outcome"] == "Declined"
    assert only_cell("hour", made)["hour"] == "10"


# What each cause of a scan of a known pass implies for that pass; all other causes are of texts that are not passes.
FAULTS = {Cause.REVOKED, Cause.ROTATING_REQUIRED, Cause.PRIVATE_DOOR, Cause.TEMPERATURE, Cause.O2}
NO_FAULTS = {
    Cause.TOO_LATE,
    Cause.TOO_EARLY,
    Cause.REPLAY,
    Cause.STILL_INSIDE,
    Cause.CLOSED,
    Cause.READING_MISSING,
    Cause.FULL,
}


@pytest.mark.parametrize("cause", sorted(FAULTS | NO_FAULTS))
def test_only_a_fault_of_the_pass_itself_counts_as_declined(cause: Cause) -> None:
    place = a_place()
    a_scan(place, a_pass(place), approved=False, cause=cause.value, kiosk_approved=cause in FAULTS)
    expected = "Declined" if cause in FAULTS else "Approved"
    assert only_cell(ZIP_RISK_RESULT, counts())["outcome"] == expected


def test_scans_of_one_second_are_one_whichever_of_them_was_a_replay() -> None:
    """Where the place is full, the second code is no replay: its temperature would count then."""
    for causes in (("", "replay"), ("full", "temperature")):
        place = a_place()
        row = a_pass(place)
        for cause, reading in zip(causes, (98.0, 103.5), strict=True):
            a_scan(place, row, approved=not cause, cause=cause, temperature_f=reading)
        made = counts()
        assert only_cell(ZIP_RISK_RESULT, made)["outcome"] == "Approved"
        assert only_cell("risklevel_temp", made)["temp"] == "98-99"
        Pass.objects.all().delete()


def test_a_checkout_that_is_a_replay_counts_as_one() -> None:
    place = a_place()
    a_scan(place, a_scanned_pass(place), kind="Checkout", approved=False, cause="replay")
    assert only_cell("type_of_scan", counts())["type_of_scan"] == "Checkout"


def test_lights_of_an_offline_kiosk_do_not_count() -> None:
    place = a_place()
    a_scan(place, a_pass(place), approved=True, cause="", kiosk_approved=False)
    assert only_cell(ZIP_RISK_RESULT, counts())["outcome"] == "Approved"


def test_a_pass_that_ever_checked_out_is_a_checkout() -> None:
    place = a_place()
    row = a_scanned_pass(place)
    a_scan(place, row, hour=13, kind="Checkout")
    assert only_cell("type_of_scan", counts())["type_of_scan"] == "Checkout"


def test_many_scans_of_a_pass_are_one_row() -> None:
    place = a_place()
    row = a_scanned_pass(place)
    for hour in (13, 14, 15):
        a_scan(place, row, hour=hour)
    assert all(table.sum() == 1 for table in counts().values())


@pytest.mark.parametrize(("hour", "filed"), [(0, "00"), (23.9, "23"), (24.5, "23"), (27.9, "23")])
def test_hours_after_midnight_belong_to_the_day(hour: float, filed: str) -> None:
    a_scanned_pass(a_place(), hour=hour)
    assert only_cell("hour", counts())["hour"] == filed


def test_hours_are_those_of_the_deployment_s_zone(settings: Any) -> None:
    settings.DEPLOYMENT_TIME_ZONE = "America/New_York"
    a_scanned_pass(a_place(), hour=16)
    assert only_cell("hour", counts())["hour"] == "12"


def test_unmarked_passes_do_not_count() -> None:
    a_scanned_pass(a_place(), counted=False)
    assert all(table.sum() == 0 for table in counts().values())


def test_unverified_organisations_and_other_days_do_not_count() -> None:
    a_scanned_pass(a_place(organisation=make_organisation(verified=False)))
    a_scanned_pass(a_place(), day=DAY + dt.timedelta(days=1))
    assert counts()[TOTAL].sum() == 0


def test_a_venue_counts_that_was_verified_when_the_plan_was_frozen() -> None:
    place = a_place()
    a_scanned_pass(place)
    verified = place.venue.organisation.verified_at
    assert verified
    for frozen_at, rows in ((verified, 1), (verified - dt.timedelta(seconds=1), 0), (None, 1)):
        made = exact_counts(day=DAY, tables=DOMAIN, levels=LEVELS, frozen_at=frozen_at)
        assert made[TOTAL].sum() == rows


def test_days_that_are_drawn_together_are_counted_together() -> None:
    place = a_place()
    for back in range(3):
        a_scanned_pass(place, day=DAY - dt.timedelta(days=back))
    made = exact_counts(day=DAY, tables=DOMAIN, levels=LEVELS, first_day=DAY - dt.timedelta(days=1))
    assert all(table.sum() == 2 for table in made.values())


@pytest.mark.parametrize(("zip_code", "counted"), [("94110", "941"), ("021", "021"), ("10001", ""), ("", "")])
def test_a_zip_outside_the_domain_or_unknown_is_counted_as_empty(zip_code: str, counted: str) -> None:
    a_scanned_pass(a_place(zip_code=zip_code))
    assert only_cell(ZIP_SYMPTOMS, counts())["zip"] == counted


@pytest.mark.parametrize(
    ("reading", "bin_"), [(93.0, "94-96"), (98.6, "98-99"), (99.0, "99-100"), (110.0, "104-106"), (None, "none")]
)
def test_temperatures_fall_into_their_bins_and_outliers_into_the_last(reading: float | None, bin_: str) -> None:
    place = a_place()
    a_scan(place, a_pass(place), temperature_f=reading)
    assert only_cell("risklevel_temp", counts())["temp"] == bin_


@pytest.mark.parametrize(("seconds", "bin_"), [(2, "0-10"), (10, "10-20"), (3600, "600-3600"), (99_999, "600-3600")])
def test_survey_seconds_fall_into_their_bins(seconds: int, bin_: str) -> None:
    a_scanned_pass(a_place(), survey_seconds=seconds)
    assert only_cell("risklevel_duration", counts())["duration"] == bin_


def test_a_rating_is_the_score_of_its_pass_alone() -> None:
    place = a_place()
    rate(a_scanned_pass(place), 4, 2)
    a_scanned_pass(place)
    made = counts()
    assert made["risklevel_m_score"][0, 0].tolist() == [1, 0, 0, 0, 1, 0]
    assert made["risklevel_s_score"][0, 0].tolist() == [1, 0, 1, 0, 0, 0]


def test_one_secret_moves_no_table_by_more_than_the_cap() -> None:
    place = a_place()
    for _ in range(5):
        a_scanned_pass(place)
    before = counts()
    for number in range(3):
        a_scanned_pass(place, hour=number, symptoms=True, near=bool(number))
    after = counts()
    for table in DOMAIN:
        assert np.abs(after[table.name] - before[table.name]).sum() == 3 <= table.l1
    assert (after[TOTAL] - before[TOTAL]).sum() == 3


def test_a_day_without_passes_is_all_zero() -> None:
    made = counts()
    assert {name: table.shape for name, table in made.items()} == {table.name: table.shape for table in DOMAIN}
    assert not any(table.any() for table in made.values())


def test_risklevels_rise_with_answers_and_prevalence() -> None:
    signals = {"021": Signal(0.0, False, "test"), "941": Signal(0.03, False, "test")}
    levels = levels_by_zip3(signals=signals, parameters=Parameters())
    calm, epidemic = levels["021"], levels["941"]
    assert set(calm) == {0}
    assert all(low <= high for low, high in zip(calm, epidemic, strict=True))
    assert epidemic[0] <= epidemic[1] == epidemic[2] <= epidemic[8] <= epidemic[4] == 2


def test_the_risklevel_of_an_area_follows_its_published_number_and_nothing_else(settings: Any) -> None:
    before = levels_on(day=DAY, zip3=ZIPS)
    assert before.by_zip3["021"] == before.by_zip3["941"]
    assert before.basis["sources"] == ["default"]
    signal = NewSignal("CA", DAY, 0.03, "health office")
    record_public_signals(signals=[signal], now=dt.datetime.combine(DAY, dt.time(), tzinfo=dt.UTC))
    after = levels_on(day=DAY, zip3=ZIPS)
    assert after.by_zip3["021"] == before.by_zip3["021"]
    assert after.by_zip3["941"][0] > before.by_zip3["941"][0]
    assert after.basis["known_active_per_person"] == {"941": 0.03}
    assert after.basis["sources"] == ["default", "health office"]
    # What outcomes taught the model is a function of visits, so it stays out.
    taught = Adaptive(hidden_carriers=3.0)
    record_parameters(adaptive=taught, reason="test", actor="operator", now=dt.datetime(2026, 5, 1, tzinfo=dt.UTC))
    assert levels_on(day=DAY, zip3=ZIPS) == after


class _Explained:
    """A cursor that explains the statement that makes the rows instead of running it."""

    def __init__(self, cursor: Any) -> None:
        self._cursor, self.plan = cursor, ""

    def execute(self, statement: str, values: Any = None) -> None:
        if "CREATE TEMPORARY TABLE" not in statement:
            self._cursor.execute(statement)
            return
        self._cursor.execute("EXPLAIN " + statement, values)
        self.plan = "\n".join(line for (line,) in self._cursor.fetchall())


@pytest.mark.parametrize("hashed", [True, False])
def test_a_day_that_the_planner_takes_for_empty_is_not_joined_row_by_row(
    hashed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = a_place()
    for back in range(1, 4):
        for _ in range(60):
            a_scanned_pass(place, day=DAY - dt.timedelta(days=back))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE passes_pass, passes_scan")
        explained = _Explained(cursor)
        if not hashed:
            monkeypatch.setattr(reads, "HASHED", "SELECT 1")
        make_rows(explained, day=DAY, levels=LEVELS)
    assert ("Nested Loop" in explained.plan) is not hashed
    assert ("Hash" in explained.plan) or not hashed
