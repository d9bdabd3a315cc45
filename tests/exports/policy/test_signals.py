"""Signals are unbiased and state their error."""

import datetime as dt
import math

import numpy as np
import pytest

from benchmarks.days import simulated_day
from exports.dataset.tables import ANSWERS, SIGNAL_NAMES, states_by_zip3
from exports.policy.daily import NAMES, daily_by_state
from exports.policy.domain import RISK_RESULT_ANSWERS, TOTAL, ZIP_RISK_RESULT, workloads
from exports.policy.draw import Drawn, _draw
from exports.policy.estimates import REACH, Estimates
from exports.policy.fit import fit
from exports.policy.noise import Counts
from exports.policy.rows import deal, dp_counts
from exports.policy.signals import Signal, by_week, signals_of, week_of
from tests.exports.policy.factories import DAY, a_day_of, seeded_noise, tables, without_noise

AREAS = 20
ZIPS = tuple(sorted(states_by_zip3())[:AREAS])
DOMAIN = workloads(zip3=ZIPS, readings=False)
NAMED = {table.name: table for table in DOMAIN}


def of(signals: list[Signal], geo_type: str = "nation") -> dict[tuple[str, str], Signal]:
    return {(each.geo_value, each.signal): each for each in signals if each.geo_type == geo_type}


def a_draw(seed: int, *, rows: int = 5000, day: dt.date = DAY) -> tuple[dict[str, float], Drawn]:
    """Return the true counts of a simulated day, with the coin tossed by the seed, and its draw."""
    simulated = simulated_day(rows=rows, seed=1, areas=AREAS)
    tossed = simulated.toss(np.random.default_rng(seed))
    joint = simulated.truth(NAMED[RISK_RESULT_ANSWERS])
    truth = {"checkins": float(simulated.truth(NAMED[TOTAL]).sum())}
    truth |= {name: float(joint.take(1, axis=2 + at).sum()) for at, name in enumerate(ANSWERS)}
    truth |= dict(zip(("low", "moderate", "high"), joint.sum(axis=(1, 2, 3, 4, 5)).tolist(), strict=True))
    drawn = _draw(day=day, counts=tossed.exact(DOMAIN), tables=DOMAIN, budget=1.0, mechanism=seeded_noise(seed))
    return truth, drawn


def test_each_place_has_its_signals_and_an_area_those_that_are_counted_by_it() -> None:
    drawn = _draw(day=DAY, counts=a_day_of(4000), tables=tables(), budget=4.0, mechanism=without_noise)
    made = signals_of(drawn, {"021": "MA", "100": "NY", "902": "CA"})
    nation, states, areas = (of(made, each) for each in ("nation", "state", "zip3"))
    assert {name for _, name in nation} == set(SIGNAL_NAMES)
    assert {name for _, name in areas} == set(SIGNAL_NAMES) - {"diagnosed", "contact", "near"}
    assert {place for place, _ in states} == {"", "ma", "ny", "ca"}
    assert states["ma", "checkins"].value == pytest.approx(areas["021", "checkins"].value)
    assert nation["us", "checkins"].value == pytest.approx(4000 / 0.9)
    total = sum(nation["us", name].value for name in ("approved", "declined", "refused"))
    assert total == pytest.approx(4000 / 0.9)
    assert {each.time_value for each in made} == {DAY.isoformat()}


def test_the_error_is_that_of_noise_and_of_the_coin() -> None:
    drawn = _draw(day=DAY, counts=a_day_of(90_000), tables=tables(), budget=1.0, mechanism=without_noise)
    found = of(signals_of(drawn, {}))["us", "checkins"]
    noise = Estimates(drawn).of()[1]
    assert found.stderr == pytest.approx(math.sqrt(noise + 100_000 * 0.1 / 0.9))
    assert found.sample_size == 100_000


def test_pooling_days_shrinks_the_error_as_the_root_of_their_number() -> None:
    monday = dt.date(2020, 10, 12)
    days = [signals_of(a_draw(number, day=monday + dt.timedelta(days=number))[1], {}) for number in range(7)]
    [week] = [each for each in by_week(days) if (each.geo_type, each.signal) == ("nation", "symptoms")]
    single = of(days[0])["us", "symptoms"]
    assert week.stderr / 7 == pytest.approx(single.stderr / math.sqrt(7), rel=0.05)
    assert week.value == pytest.approx(sum(of(each)["us", "symptoms"].value for each in days))
    assert (week.time_value, week.day) == ("2020-W42", dt.date(2020, 10, 18))


def test_a_week_without_one_of_its_days_has_no_value() -> None:
    monday = dt.date(2020, 10, 12)
    days = [signals_of(a_draw(number, day=monday + dt.timedelta(days=number))[1], {}) for number in (0, 1, 2, 4, 5, 6)]
    assert by_week(days) == []


def test_weeks_are_those_of_iso_8601() -> None:
    assert [week_of(dt.date(2020, 12, day)) for day in (27, 28, 31)] == ["2020-W52", "2020-W53", "2020-W53"]


def test_the_expectation_of_every_signal_is_what_it_estimates() -> None:
    """A derivation without randomness: noise and its mirror image are equally likely, and average to the exact truth.

    The coin keeps nine in ten of each cell on average, so counts without one in ten are its expectation.
    """
    truth = {name: 10 * counts for name, counts in a_day_of(3_000, seed=4).items()}
    expected = {name: counts * 9 // 10 for name, counts in truth.items()}
    rng = np.random.default_rng(5)
    noise: dict[object, Counts] = {}

    def with_noise(sign: int) -> list[Signal]:
        def mechanism(counts: Counts, scale: float, l1: int) -> tuple[Counts, float]:
            up, down = rng.geometric(1 - math.exp(-1 / scale), (2, *counts.shape))
            return counts + sign * noise.setdefault((counts.shape, scale), up - down), l1 / scale

        return signals_of(_draw(day=DAY, counts=expected, tables=tables(), budget=1.0, mechanism=mechanism), states)

    states = {"021": "MA", "100": "NY", "902": "CA"}
    drawn = _draw(day=DAY, counts=truth, tables=tables(), budget=1.0, mechanism=without_noise)
    exact = {each[1:5]: each.value * drawn.keep for each in signals_of(drawn, states)}
    pairs = list(zip(with_noise(1), with_noise(-1), strict=True))
    assert len(pairs) == len(exact) > 60
    for up, down in pairs:
        assert up.value != down.value
        assert (up.value + down.value) / 2 == pytest.approx(exact[up[1:5]], rel=1e-9, abs=1e-6)


def assert_aims(rows: int, draws: int) -> None:
    """Assert the aims of accuracy over many draws: signals unbiased, errors as stated, rows with a small bias."""
    values: dict[str, list[float]] = {}
    errors: dict[str, list[float]] = {}
    released: dict[str, list[float]] = {}
    truth: dict[str, float] = {}
    for seed in range(draws):
        truth, drawn = a_draw(seed, rows=rows)
        found, fitted = of(signals_of(drawn, {})), fit(drawn)
        for name in truth:
            values.setdefault(name, []).append(found["us", name].value)
            errors.setdefault(name, []).append(found["us", name].stderr)
        released.setdefault("checkins", []).append(fitted.total)
        for at, name in enumerate(ANSWERS):
            released.setdefault(name, []).append(float(fitted.answers.take(1, axis=2 + at).sum()))
    inside = []
    for name, true in truth.items():
        off, noise = np.array(values[name]) - true, float(np.mean(errors[name]))
        # Four standard errors, because eight signals are compared in a fixed sample.
        assert abs(off.mean()) <= 4 * noise / math.sqrt(draws), name
        assert off.std() == pytest.approx(noise, rel=4 / math.sqrt(draws)), name
        inside += list(np.abs(off) <= REACH * np.array(errors[name]))
        if name in released and rows >= 5000:
            bias = float(np.mean(released[name])) - true
            assert abs(bias) <= (0.5 + 2 / math.sqrt(draws)) * noise, name
    assert 0.93 <= np.mean(inside) <= 0.99


def test_the_aims_hold_in_a_small_sample() -> None:
    assert_aims(5000, 60)


@pytest.mark.long
@pytest.mark.parametrize("rows", [500, 5000, 10_000, 30_000, 100_000, 1_000_000])
def test_the_aims_hold_in_300_draws(rows: int) -> None:
    assert_aims(rows, 300)


def test_intervals_of_noisy_counts_hold_the_counted_check_ins_of_their_cell() -> None:
    inside: dict[str, list[bool]] = {}
    simulated = simulated_day(rows=20_000, seed=1, areas=AREAS)
    for seed in range(12):
        tossed = simulated.toss(np.random.default_rng(seed))
        drawn = _draw(day=DAY, counts=tossed.exact(DOMAIN), tables=DOMAIN, budget=1.0, mechanism=seeded_noise(seed))
        published = dp_counts(drawn, fit(drawn)).to_pandas()
        for table in DOMAIN:
            part, truth = published[published["measure"] == table.name], simulated.truth(table).ravel()
            inside.setdefault(table.name, []).extend((part["low"] <= truth) & (truth <= part["high"]))
    assert all(np.mean(found) >= 0.9 for found in inside.values() if len(found) >= 100)
    assert 0.93 <= np.mean([each for found in inside.values() for each in found]) <= 0.99


def test_the_day_total_has_no_heavy_tail() -> None:
    """10,000 draws of the total of a day of 5,000 alone: fewer than one in a thousand is off by 10 %, and unbiased."""
    rng = np.random.default_rng(11)
    zeros = _draw(
        day=DAY, counts={t.name: np.zeros(t.shape, np.int64) for t in DOMAIN}, tables=DOMAIN, budget=1.0,
        mechanism=without_noise,
    )  # fmt: skip
    weights = {t.workload.name: 1 / (t.workload.cells * 2 * t.scale**2) for t in zeros.tables}
    off, true = np.zeros(10_000), 5000
    for table in zeros.tables:
        cells = np.zeros(10_000)
        for _ in range(table.workload.cells):
            up, down = rng.geometric(1 - math.exp(-1 / table.scale), (2, 10_000))
            cells += up - down
        off += cells * weights[table.workload.name] / sum(weights.values())
    total = (rng.binomial(true, 0.9, 10_000) + off) / 0.9
    assert (np.abs(total / true - 1) > 0.1).mean() < 0.001
    assert abs(total.mean() / true - 1) < 0.003


def test_counts_by_state_carry_standard_errors() -> None:
    states = {zip3: state for zip3, state in states_by_zip3().items() if zip3 in ZIPS}
    _, drawn = a_draw(1, rows=30_000)
    signals = signals_of(drawn, states)
    rows = daily_by_state(
        day=DAY.isoformat(), batches=deal(drawn, fit(drawn)).batches(), states=states, signals=signals
    )
    assert all(len(row) == 2 + 2 * len(NAMES) for row in rows)
    found = of(signals, "state")
    for row in rows[:-1]:
        errors = dict(zip(NAMES, row[2 + len(NAMES) :], strict=True))
        assert errors["total"] == pytest.approx(found[str(row[1]).lower(), "checkins"].stderr, abs=0.1)
        assert errors["diagnosed"] is None
    assert NAMED[ZIP_RISK_RESULT].shape[0] == AREAS + 1
