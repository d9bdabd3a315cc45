"""What was known on a date."""

from __future__ import annotations

import numpy as np

from risk.model.forecast.panel import (
    Panel,
    Rows,
    Vintage,
    after_christmas,
    carried,
    known_at,
    panel_of,
    season_of,
    weeks_missing,
)


def days(*texts: str) -> np.ndarray:
    return np.array(texts, dtype="datetime64[D]")


def rows(*given: tuple[str, str, float]) -> Rows:
    week, area, value = zip(*given, strict=True)
    return Rows(days(*week), np.array(area), np.array(value, dtype=float))


def test_a_panel_has_every_week_and_nothing_after_its_date() -> None:
    panel = panel_of(
        rows(("2023-12-02", "A", 1), ("2023-12-16", "A", 3), ("2023-12-23", "B", 9)), as_of=days("2023-12-16")[0]
    )
    assert panel.weeks.tolist() == days("2023-12-02", "2023-12-09", "2023-12-16").tolist()
    assert panel.areas.tolist() == ["A"]
    np.testing.assert_array_equal(panel.values[:, 0], [1, np.nan, 3])


def test_history_gives_only_weeks_before_the_oldest_of_the_vintage() -> None:
    history = rows(("2023-12-02", "A", 1), ("2023-12-09", "A", 200), ("2023-12-16", "A", 300), ("2023-12-09", "B", 5))
    vintage = Vintage(days("2023-12-16")[0], rows(("2023-12-09", "A", 2), ("2023-12-16", "A", 3)))
    panel = known_at(history, vintage)
    assert panel.areas.tolist() == ["A"]
    np.testing.assert_array_equal(panel.values[:, 0], [1, 2, 3])


def test_a_vintage_with_one_week_takes_the_others_from_history() -> None:
    history = rows(("2023-12-02", "A", 1), ("2023-12-09", "A", 2))
    panel = known_at(history, Vintage(days("2023-12-16")[0], rows(("2023-12-16", "A", 3))))
    np.testing.assert_array_equal(panel.values[:, 0], [1, 2, 3])


def test_a_value_is_carried_for_three_weeks_at_most() -> None:
    values = np.array([[1.0], *[[np.nan]] * 4, [2.0], [np.nan]])
    np.testing.assert_array_equal(carried(values)[:, 0], [1, 1, 1, 1, np.nan, 2, 2])


def test_the_age_of_the_newest_value_is_counted_in_weeks() -> None:
    values = np.array([[np.nan, 1.0, 1.0], [np.nan, np.nan, 2.0], [np.nan, np.nan, 3.0]])
    assert weeks_missing(values).tolist() == [3, 2, 0]


def test_a_panel_of_other_areas_has_gaps_for_those_it_does_not_know() -> None:
    panel = Panel(days("2023-12-02"), np.array(["A", "B"]), np.array([[1.0, 2.0]]))
    np.testing.assert_array_equal(panel.of(np.array(["B", "C", "A"])).values, [[2.0, np.nan, 1.0]])


def test_seasons_turn_in_july_and_weeks_count_from_christmas() -> None:
    weeks = days("2023-12-23", "2023-12-30", "2023-07-01", "2023-06-24", "2024-01-06")
    assert season_of(weeks).tolist() == [2023, 2023, 2023, 2022, 2023]
    assert after_christmas(weeks).tolist() == [0, 1, -25, 26, 2]
