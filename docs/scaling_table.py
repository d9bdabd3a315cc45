"""Writes the table of `scaling.md` from measured figures: `python -m docs.scaling_table`.

Every figure is CPU, bytes or rows of one thing, measured on two shared cores of a busy virtual machine in November 2026
by the benchmark that its line names. Faster machines need less. Prices are assumptions: put in your own.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PAGE: Final = Path(__file__).parent / "scaling.md"
BEGIN: Final = "<!-- table: written by docs/scaling_table.py -->\n"
END: Final = "<!-- end of the table -->\n"

# Milliseconds of CPU: of web servers, and of PostgreSQL with both Valkeys.
CHECK_IN: Final = (2.99, 0.70)  # benchmarks.tickets
DRAW: Final = (18.51, 0.92)  # benchmarks.tickets: a visitor's tickets of one day
SCAN: Final = (3.13, 1.22)  # benchmarks.scan, 16 doors
SHIELD: Final = (12.6, 3.1)  # benchmarks.shield: 60 visits of 14 days
CARD: Final = (3.6, 1.2)  # benchmarks.scouting: a place before going there
CROWD_OF_A_VENUE_MS: Final = 1.3  # benchmarks.crowd: one refresh of one venue that changed
RELEASE_OF_A_ROW_MS: Final = 0.021  # benchmarks.verified: the most expensive nightly step

# What a visitor does on a day with visits, and what a place sees.
VISITS_A_VISITOR_DAY: Final = 2
SCANS_A_VISIT: Final = 2  # in and out
SHIELDS_A_VISITOR_DAY: Final = 1
CARDS_A_VISIT: Final = 1
VISITS_A_VENUE_DAY: Final = 300
REFRESH_SECONDS: Final = 300

PEAK_HOUR: Final = 0.15
"""Share of a day's requests in its busiest hour."""
HEADROOM: Final = 2.0
"""Cores are planned for half of their time, so that waiting is short and one of two hosts may be gone."""

DAYS_KEPT: Final = 15
BYTES_A_VISIT: Final = 1_400
"""Of the database with indexes: a pass 340, a visit 290 (measured), two scans, a spent ticket, half a drawn set."""
BYTES_A_ROW_OF_THE_LAKE: Final = 10
YEARS_OF_THE_LAKE: Final = 5

# Assumed prices in dollars a month, of the order of large clouds' list prices in 2026.
CORE: Final = 30.0
DATABASE_CORE: Final = 60.0
DATABASE_GB: Final = 0.12
LAKE_GB: Final = 0.023
LEAST_CORES: Final = 4
"""Two hosts with two cores each, whatever the load."""


@dataclass(frozen=True)
class Plan:
    """What a number of visits a year needs."""

    visits_a_day: float
    check_ins_a_second: float
    scans_a_second: float
    web_cores: float
    database_cores: float
    worker_cores: float
    database_gb: float
    lake_gb: float
    dollars_a_month: float


def plan(visits_a_year: float) -> Plan:
    """Return the plan for the busiest hour of an average day, with headroom."""
    day = visits_a_year / 365
    peak = day * PEAK_HOUR / 3600
    web, stores = (
        CHECK_IN[side]
        + SCANS_A_VISIT * SCAN[side]
        + CARDS_A_VISIT * CARD[side]
        + (DRAW[side] + SHIELDS_A_VISITOR_DAY * SHIELD[side]) / VISITS_A_VISITOR_DAY
        for side in (0, 1)
    )
    venues = day / VISITS_A_VENUE_DAY
    crowd = venues * CROWD_OF_A_VENUE_MS / 1e3 / REFRESH_SECONDS
    nightly = day * RELEASE_OF_A_ROW_MS / 1e3 / (6 * 3600)
    web_cores = HEADROOM * peak * web / 1e3
    database_cores = HEADROOM * peak * stores / 1e3
    worker_cores = HEADROOM * (crowd + nightly)
    database_gb = day * DAYS_KEPT * BYTES_A_VISIT / 1e9
    lake_gb = visits_a_year * YEARS_OF_THE_LAKE * BYTES_A_ROW_OF_THE_LAKE / 1e9
    dollars = (
        CORE * max(web_cores + worker_cores, LEAST_CORES)
        # The database and its replica, which takes over.
        + 2 * (DATABASE_CORE * max(database_cores, 2) + DATABASE_GB * max(database_gb, 20))
        + LAKE_GB * lake_gb
    )
    return Plan(day, peak, peak * SCANS_A_VISIT, web_cores, database_cores, worker_cores, database_gb, lake_gb, dollars)


def rounded(value: float) -> str:
    """Return two significant digits."""
    if value < 0.1:
        return "below 0.1"
    size = 10 ** max(len(str(int(value))) - 2, 0) if value >= 1 else 0.1
    number = round(value / size) * size
    return f"{number:,.1f}" if (value < 10 and size < 1) or value < 1 else f"{number:,.0f}"


def table() -> str:
    """Return the table in Markdown."""
    sizes = {"10 million": 1e7, "100 million": 1e8, "10 thousand million": 1e10}
    plans = [plan(size) for size in sizes.values()]
    lines = {
        "visits a day": [each.visits_a_day for each in plans],
        "check-ins a second, busiest hour": [each.check_ins_a_second for each in plans],
        "scans a second, busiest hour": [each.scans_a_second for each in plans],
        "cores of web servers": [each.web_cores for each in plans],
        "cores of PostgreSQL and Valkey": [each.database_cores for each in plans],
        "cores of workers": [each.worker_cores for each in plans],
        "database, GB": [each.database_gb for each in plans],
        "lake after five years, GB": [each.lake_gb for each in plans],
        "dollars a month": [each.dollars_a_month for each in plans],
    }
    head = "| visits a year | " + " | ".join(sizes) + " |\n|---|" + "---:|" * len(sizes) + "\n"
    return head + "".join(f"| {name} | {' | '.join(map(rounded, values))} |\n" for name, values in lines.items())


def written(text: str) -> str:
    """Return the page with the table as it is now."""
    return re.sub(f"{re.escape(BEGIN)}.*?{re.escape(END)}", lambda _: BEGIN + table() + END, text, flags=re.DOTALL)


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))
