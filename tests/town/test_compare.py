"""Warning methods, compared with the truth."""

import dataclasses
import datetime as dt
import io
import json

import numpy as np
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from crowdtrace.town.comparators import alarms, measure
from crowdtrace.town.comparators.record import DAY_S, Record, live
from crowdtrace.town.world.plan import TownPlan, ancestral
from docs.plots import comparison
from docs.plots.markers import between


@pytest.fixture(scope="module")
def record() -> Record:
    plan = TownPlan(
        visitors=800, venues=20, days=18, seed=2, start=dt.date(2026, 3, 2), first_infected=0.1, app_share=0.8
    )
    return live(plan)


def random() -> np.random.Generator:
    return np.random.Generator(np.random.PCG64DXSM(1))


def test_contact_tracing_warns_who_was_there_with_a_case_and_nobody_else(record: Record) -> None:
    scores = alarms.contact_tracing_shield(record)
    assert set(np.unique(scores)) == {0.0, 100.0}
    person, day = (int(one) for one in np.argwhere(scores > 0)[0])
    mine = np.flatnonzero(record.person == person)
    cases = np.flatnonzero(record.known_from[record.person] + alarms.TRACING_DELAY_DAYS <= day)
    together = [
        (row, case)
        for row in mine
        for case in cases
        if record.venue[row] == record.venue[case]
        and record.arrive_s[row] < record.leave_s[case]
        and record.arrive_s[case] < record.leave_s[row]
    ]
    assert together


def test_without_results_neither_tracing_nor_the_app_say_anything(record: Record) -> None:
    blind = dataclasses.replace(record, known_from=np.full_like(record.known_from, 10**6))
    assert not alarms.contact_tracing_shield(blind).any()
    assert not alarms.proximity_app(blind, random=random()).any()


def test_the_app_warns_no_sooner_than_its_delay_allows(record: Record) -> None:
    scores = alarms.proximity_app(record, random=random())
    first = int(record.known_from.min()) + alarms.APP_DELAY_DAYS
    assert scores.any()
    assert not scores[:, : max(0, first)].any()


def test_people_without_the_app_get_no_warning(record: Record) -> None:
    for scores in (
        alarms.contact_tracing_shield(record),
        alarms.proximity_app(record, random=random()),
        alarms.shield_loss(record, ancestral(), known_active_per_person=0.001),
    ):
        assert not scores[~record.has_app].any()


def test_a_shield_falls_by_visits_and_recovers_after_a_fortnight(record: Record) -> None:
    first = dataclasses.replace(
        record,
        **{
            name: getattr(record, name)[record.arrive_s < DAY_S]
            for name in ("person", "venue", "arrive_s", "leave_s", "answer_class", "rated_masks", "rated_distancing")
        },
    )
    loss = alarms.shield_loss(first, ancestral(), known_active_per_person=0.001)
    assert (loss[:, 0] > 0).sum() > 100
    assert (np.diff(loss[:, 2:], axis=1) <= 1e-15).all()
    assert not loss[:, 15:].any()


def test_alarms_are_as_many_as_asked_for_and_the_most_alarming_ones(record: Record) -> None:
    scores = alarms.shield_loss(record, ancestral(), known_active_per_person=0.001)
    raised = measure.alarms_at_rate(record, scores, 0.1, random=random())
    judged = np.zeros_like(raised)
    judged[np.flatnonzero(record.has_app), measure.FIRST_DAY :] = True
    assert measure.measure(record, raised).alarm_rate == pytest.approx(0.1, abs=0.001)
    assert scores[raised].min() >= scores[judged & ~raised].max()


def test_knowing_the_truth_gives_the_full_score(record: Record) -> None:
    days = np.arange(record.days)[None, :]
    truth = record.at_venue[:, None] & (days >= record.infected_day[:, None]) & (days < record.onset_day[:, None])
    score = measure.measure(record, truth & record.has_app[:, None])
    assert (score.sensitivity, score.silent_sensitivity) == (1.0, 1.0)
    assert (score.warned, score.silent_warned) == (1.0, 1.0)
    assert 0.0 < score.people < 0.9
    assert score.lead_days > 2.0
    assert measure.measure(record, np.zeros_like(truth)).sensitivity == 0.0


def test_alarms_by_lot_find_as_many_as_there_are_alarms(record: Record) -> None:
    lot = random()
    raised = measure.alarms_at_rate(record, lot.random((record.has_app.size, record.days)), 0.3, random=lot)
    assert measure.measure(record, raised).sensitivity == pytest.approx(0.3, abs=0.05)


def test_the_command_reports_every_way_to_warn() -> None:
    out = io.StringIO()
    call_command(
        "compare", "--towns=1", "--visitors=200", "--venues=8", "--days=10", "--json", stdout=out, stderr=io.StringIO()
    )
    table = json.loads(out.getvalue())
    assert set(table) == {"contact tracing", "proximity app"}
    for ways in table.values():
        assert set(ways) == {"shield", "contact tracing", "proximity app", "by lot"}
        assert set(ways["shield"]) == {field.name for field in dataclasses.fields(measure.Score)}
    tracing = table["contact tracing"]
    assert tracing["shield"]["alarm_rate"]["mean"] == pytest.approx(tracing["contact tracing"]["alarm_rate"]["mean"])


def test_too_few_days_to_judge_are_refused() -> None:
    with pytest.raises(CommandError, match="at least one town"):
        call_command("compare", "--days=3")


@pytest.mark.long
def test_the_figures_in_the_document_are_what_the_towns_give() -> None:
    text = comparison.DOCUMENT.read_text()
    assert between(text, comparison.BEGIN, comparison.END, comparison.table()) == text


def test_what_the_document_says_of_the_shield_is_in_its_figures() -> None:
    """Even if it is unflattering: if a new run contradicts a sentence, the sentence must change."""
    rates = comparison.DOCUMENT.read_text().split(comparison.END)[0].split("At the rate of alarms of ")[1:]
    at_tracing, at_app = (
        {
            cells[1].strip(): dict(
                zip(comparison.HEADS, [float(cell.split(" +- ")[0]) for cell in cells[2:-1]], strict=True)
            )
            for cells in (line.split("|") for line in part.splitlines() if " +- " in line)
        }
        for part in rates
    )
    for figures in (at_tracing, at_app):
        for column in ("sensitivity", "silent_sensitivity"):
            assert figures["shield"][column] == max(way[column] for way in figures.values())
    assert at_app["shield"]["precision"] == max(way["precision"] for way in at_app.values())
    assert at_tracing["shield"]["precision"] > at_tracing["contact tracing"]["precision"]
    assert at_tracing["proximity app"]["precision"] > at_tracing["shield"]["precision"]
    assert at_app["shield"]["precision"] > 2.3 * at_app["proximity app"]["precision"]
    assert at_tracing["by lot"]["warned"] > at_tracing["shield"]["warned"]
    assert 0.8 < at_app["by lot"]["warned"] / at_app["shield"]["warned"] < 1.0
    assert at_app["contact tracing"]["warned"] > at_app["shield"]["warned"]
