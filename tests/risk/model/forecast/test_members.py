"""Features, and the result of each member."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from risk.model.forecast.analogues import analogous
from risk.model.forecast.boosting import FITTED, Boosting, boosted
from risk.model.forecast.features import COLUMN, Table, features_at
from risk.model.forecast.levels import LEVELS, MEDIAN, at_all_levels
from risk.model.forecast.naive import same_as_last_week, same_as_last_years
from risk.model.forecast.panel import HORIZONS, WEEK, Floats, Rows, after_christmas, known_at, panel_of
from risk.model.forecast.ridge import ridged
from risk.model.forecast.training import own_source, own_table, reference_table
from tests.risk.model.forecast.seasons import made, reference, rows_of, saturdays

QUICK = Boosting(rounds=20, learning_rate=0.2, leaves=8, bags=1, rows_a_leaf=20)
Member = Callable[[Table, Floats], Floats]


def by_boosting(table: Table, wanted: Floats) -> Floats:
    return boosted(table, wanted, settings=QUICK, rng=np.random.default_rng(0))


def table(*, slope: float, rows: int = 1500, seed: int = 0) -> Table:
    """Return origins whose change over h weeks is ``slope`` x h x the last change, with some noise."""
    rng = np.random.default_rng(seed)
    features = rng.normal(0.0, 0.1, (rows, len(COLUMN)))
    for name in ("slope3", "slope4", "slope6"):
        features[:, COLUMN[name]] = features[:, COLUMN["change1"]]
    features[:, COLUMN["source"]] = rng.integers(0, 2, rows)
    features[:, COLUMN["week"]] = rng.integers(-12, 20, rows)
    ahead = np.arange(1.0, HORIZONS + 1.0)
    change = slope * features[:, [COLUMN["change1"]]] * ahead + rng.normal(0.0, 0.02, (rows, HORIZONS))
    season = np.full(rows, 2022)
    return Table(features, change, rng.integers(0, 20, rows), season, rng.integers(0, 10, rows))


@pytest.mark.parametrize("member", [by_boosting, ridged, analogous])
def test_a_member_finds_that_growth_goes_on(member: Member) -> None:
    wanted = np.zeros((2, len(COLUMN)))
    for name in ("slope3", "slope4", "slope6", "change1"):
        wanted[:, COLUMN[name]] = [-0.1, 0.1]
    quantiles = member(table(slope=0.8), wanted)
    assert quantiles.shape == (2, HORIZONS, len(LEVELS))
    falling, growing = quantiles[..., MEDIAN]
    assert (falling < -0.03).all()
    assert (growing > 0.03).all()
    assert growing[3] > growing[0]


@pytest.mark.parametrize("member", [by_boosting, ridged, analogous])
def test_a_member_covers_what_it_learned_from(member: Member) -> None:
    learned, fresh = table(slope=0.5), table(slope=0.5, rows=400, seed=1)
    quantiles = np.sort(member(learned, fresh.features), axis=-1)
    inside = (quantiles[..., 1] <= fresh.change) & (fresh.change <= quantiles[..., 21])
    assert 0.85 <= inside.mean() <= 1.0


@pytest.mark.parametrize("member", [by_boosting, ridged, analogous])
def test_a_member_bears_gaps_in_features_and_targets(member: Member) -> None:
    holes = table(slope=0.5)
    holes.features[::3, COLUMN["slope6"]] = np.nan
    holes.change[::4, 3] = np.nan
    wanted = np.full((1, len(COLUMN)), np.nan)
    wanted[:, [COLUMN["level"], COLUMN["week"], COLUMN["source"]]] = 0.0
    assert np.isfinite(member(holes, wanted)).all()


def test_boosting_is_the_same_for_the_same_seed() -> None:
    learned, wanted = table(slope=0.5), np.zeros((1, len(COLUMN)))
    first, again = by_boosting(learned, wanted), by_boosting(learned, wanted)
    assert first.tobytes() == again.tobytes()
    other = boosted(learned, wanted, settings=QUICK, rng=np.random.default_rng(1))
    assert first.tobytes() != other.tobytes()


def test_levels_between_the_fitted_ones_lie_on_a_normal_distribution() -> None:
    from scipy.special import ndtri

    np.testing.assert_allclose(at_all_levels(3.0 + 2.0 * ndtri(FITTED), FITTED), 3.0 + 2.0 * ndtri(LEVELS))


def test_a_row_of_features_is_what_its_names_say() -> None:
    x = np.array([[0.0], [0.9], [0.1], [0.2], [0.3], [0.4], [0.5], [0.6], [0.7]])
    row = dict(zip(COLUMN, features_at(x, week=-13, log_population=np.array([2.0]), source=1)[0], strict=True))
    assert row["level"] == row["national"] == 0.7
    assert row["mean2"] == pytest.approx(0.65)
    assert [row[f"slope{n}"] for n in (3, 4, 6)] == pytest.approx([0.1] * 3)
    assert row["national_slope"] == pytest.approx(0.1)
    assert row["curvature"] == pytest.approx(0.0)
    # Week -13 is the eighth of the season: 0.9 is its maximum.
    assert row["below_maximum"] == pytest.approx(0.2)
    assert row["relative"] == 0.0
    assert [row["change1"], row["change2"]] == pytest.approx([0.1, 0.1])
    assert (row["week"], row["source"], row["log_population"]) == (-13.0, 1.0, 2.0)


def test_an_origin_with_a_vintage_is_learned_from_as_it_was_seen() -> None:
    season = made()
    first, now = season.vintages[0], known_at(season.history, season.vintages[8])
    people = np.array([season.population[area] for area in now.areas.tolist()])
    source = own_source(now, people)
    then = known_at(season.history, first)
    plain, seen = own_table(source, {}), own_table(source, {first.as_of: then})
    changed = (plain.features != seen.features) & ~(np.isnan(plain.features) & np.isnan(seen.features))
    assert 0 < changed.any(axis=1).sum() <= len(now.areas)
    at = np.flatnonzero(changed.any(axis=1))
    # The first report was too low, so more growth was still to come than it looks today.
    assert np.nanmean(seen.change[at]) > np.nanmean(plain.change[at])


def test_nothing_is_learned_from_weeks_of_voluntary_reports() -> None:
    rows = made(last="2025-02-01").history
    voluntary = (rows.week >= np.datetime64("2024-05-01")) & (rows.week <= np.datetime64("2024-10-31"))
    wrong = Rows(rows.week, rows.area, np.where(voluntary, 1e6, rows.value))
    tables = [
        own_table(own_source(panel_of(one, as_of=rows.week.max()), np.full(12, 1e6)), {})
        for one in (rows, wrong, rows.where(~voluntary))
    ]
    np.testing.assert_array_equal(tables[0].change, tables[1].change)
    np.testing.assert_array_equal(tables[0].change, tables[2].change)
    # From the last week of April on, every target is such a week.
    last = after_christmas(np.array(["2024-04-20"], dtype="datetime64[D]"))[0]
    assert tables[0].column("week")[tables[0].season == 2023].max() == last


def test_a_reference_teaches_nothing_of_pandemic_seasons() -> None:
    rows = reference()
    all_of_it = reference_table(rows, number=1, as_of=rows.week.max())
    assert set(all_of_it.season.tolist()) == set(range(2010, 2019))
    later = reference_table(rows, number=1, as_of=np.datetime64("2014-07-05"))
    assert set(later.season.tolist()) == set(range(2010, 2014))


def test_the_same_as_last_week_has_the_newest_value_as_median() -> None:
    season = made()
    panel = known_at(season.history, season.vintages[5])
    quantiles = same_as_last_week(panel)
    np.testing.assert_allclose(quantiles[..., MEDIAN], np.repeat(panel.values[-1][:, None], HORIZONS, axis=1))
    width = quantiles[..., 20] - quantiles[..., 2]
    assert (width[:, 3] > width[:, 0]).all()


def test_one_value_gives_a_wide_forecast_around_it() -> None:
    weeks = saturdays(np.datetime64("2023-12-02"), np.datetime64("2023-12-02"))
    low, middle, high = same_as_last_week(panel_of(rows_of(weeks, ["A"], np.array([[50.0]])), as_of=weeks[0]))[
        0, 3, [1, MEDIAN, 21]
    ]
    assert middle == pytest.approx(50.0)
    assert low < 10.0
    assert high > 250.0


def test_the_same_as_last_years_looks_at_the_same_weeks() -> None:
    weeks = saturdays(np.datetime64("2019-09-07"), np.datetime64("2022-12-03"))
    panel = panel_of(
        rows_of(weeks, ["A"], (weeks.astype("datetime64[M]").astype(int) % 12)[:, None] * 1.0), as_of=weeks[-1]
    )
    median = same_as_last_years(panel, np.array([1e6]))[0, :, MEDIAN]
    assert median[0] == 11.0
    assert panel.weeks[-1] + WEEK == np.datetime64("2022-12-10")
