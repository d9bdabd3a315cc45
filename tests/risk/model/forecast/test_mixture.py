"""The average, and how wide it becomes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtri

from risk.model.forecast.levels import LEVELS, MEDIAN
from risk.model.forecast.mixture import FACTORS, USUAL, Past, averaged, factors, spread
from risk.model.forecast.panel import HORIZONS, WEEK, Floats, Panel, panel_of
from risk.model.forecast.scale import Scale
from tests.risk.model.forecast.seasons import rows_of, saturdays

AREAS = 40
UNIT = Scale("count", np.full(AREAS, 1e5), np.ones(AREAS), np.zeros(AREAS), np.zeros(AREAS, bool))
WEEKS = saturdays(np.datetime64("2023-10-07"), np.datetime64("2024-03-02"))


def earlier(*, sd_claimed: float, sd: float) -> tuple[list[Past], Panel]:
    """Return forecasts of x, which grows by 0.2 a week, with a claimed deviation, and a panel with another one."""
    rng = np.random.default_rng(3)
    expected = 1.0 + 0.2 * np.arange(len(WEEKS) + HORIZONS)
    x = expected[: len(WEEKS), None] + rng.normal(0.0, sd, (len(WEEKS), AREAS))
    areas = [f"{number:02d}" for number in range(AREAS)]
    panel = panel_of(rows_of(WEEKS, areas, UNIT.values(x)), as_of=WEEKS[-1])
    claimed = expected[:, None] + sd_claimed * ndtri(LEVELS)
    past = [
        Past(
            Panel(panel.weeks[: at + 1], panel.areas, panel.values[: at + 1]),
            UNIT,
            np.broadcast_to(claimed[at + 1 : at + 1 + HORIZONS], (AREAS, HORIZONS, len(LEVELS))),
        )
        for at in range(5, len(WEEKS))
    ]
    return past, panel


def test_members_are_averaged_level_by_level() -> None:
    one = np.sort(np.random.default_rng(0).normal(size=(2, HORIZONS, len(LEVELS))), axis=-1)
    mixed = averaged({"boosting": one, "ridge": one + 1.0, "analogues": one - 1.0})
    np.testing.assert_allclose(mixed, one)
    np.testing.assert_allclose(averaged({"boosting": one, "ridge": one + 1.0, "analogues": one}), one + 0.25)


def test_a_spread_moves_all_but_the_median() -> None:
    quantiles = np.broadcast_to(ndtri(LEVELS), (3, HORIZONS, len(LEVELS)))
    wide: Floats = spread(quantiles, np.full((3, HORIZONS), 1.5))
    np.testing.assert_allclose(wide, 1.5 * quantiles)
    np.testing.assert_allclose(wide[..., MEDIAN], 0.0, atol=1e-12)


@pytest.mark.parametrize(("claimed", "true"), [(0.2, 0.3), (0.3, 0.25)])
def test_earlier_forecasts_set_the_spread(claimed: float, true: float) -> None:
    past, known = earlier(sd_claimed=claimed, sd=true)
    expected = (10 * true / claimed + 3 * USUAL) / 13
    np.testing.assert_allclose(factors(past, known), expected, atol=0.12)


def test_without_an_earlier_forecast_that_came_due_the_spread_is_the_usual() -> None:
    past, known = earlier(sd_claimed=0.2, sd=0.4)
    assert factors([], known).tolist() == [USUAL] * HORIZONS
    assert factors(past[-1:], known).tolist() == [USUAL] * HORIZONS
    due = factors([one for one in past if one.panel.as_of == known.as_of - 2 * WEEK], known)
    assert due[0] > USUAL
    assert due[2:].tolist() == [USUAL] * 2


def test_the_spread_stays_within_its_bounds() -> None:
    past, known = earlier(sd_claimed=0.01, sd=0.5)
    assert (factors(past, known) <= FACTORS[-1]).all()
