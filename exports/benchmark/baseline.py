"""The baseline: a careful estimate from the open release in ten lines.

The share of rows that say symptoms or diagnosed, by day and area, is noisy where an area is small and mostly missing
where it is suppressed. So each area and day borrows: from the days around it, and from all areas together, as if
`STRENGTH` rows of the whole were added to its own.
"""

from typing import Final

import pandas as pd

QUERY: Final = """
SELECT substr(scandate, 1, 10) AS day, substr(scannerdevice_zipcode, 1, 3) AS zip, count(*) AS visits,
       count_if(symptoms OR diagnosed) AS ill
FROM "{database}"."aspirevc_crowd_tracing" GROUP BY 1, 2
"""
# Rows that the whole adds to an area's day; our choice, about the rows of a small area in a week.
STRENGTH: Final = 200.0
WINDOW_DAYS: Final = 7
# Where nothing was released.
NOTHING_KNOWN: Final = 0.01


def baseline(released: pd.DataFrame, lines: pd.MultiIndex) -> pd.Series:
    """Return a share for each line (`day`, `zip`), from rows of `QUERY`."""
    days = sorted(lines.get_level_values("day").unique())
    whole = _smooth(released.groupby("day")[["visits", "ill"]].sum(), days)
    level = (whole["ill"] / whole["visits"].where(whole["visits"] > 0)).fillna(NOTHING_KNOWN)
    shares: dict[tuple[str, str], float] = {}
    for area in lines.get_level_values("zip").unique():
        own = _smooth(released[released["zip"] == area].set_index("day")[["visits", "ill"]], days)
        share = (own["ill"] + STRENGTH * level) / (own["visits"] + STRENGTH)
        shares |= {(day, area): float(share[day]) for day in days}
    return pd.Series([shares[line] for line in lines], index=lines)


def _smooth(counts: pd.DataFrame, days: list[str]) -> pd.DataFrame:
    """Return sums over the days around each day."""
    return counts.astype(float).reindex(days, fill_value=0.0).rolling(WINDOW_DAYS, center=True, min_periods=1).sum()
