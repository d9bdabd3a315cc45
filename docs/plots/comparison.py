"""Write the figures of docs/comparison.md: `python -m docs.plots.comparison` (minutes; no database is needed).

It does the same as `manage.py compare --towns 8 --seed 1` with its other options at their defaults.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from docs.plots.markers import between

DOCUMENT: Final = Path(__file__).parents[1] / "comparison.md"
BEGIN, END = "<!-- comparison: begin -->", "<!-- comparison: end -->"
TOWNS, FIRST_SEED = 8, 1
THE: Final = {"proximity app": "the proximity app"}
HEADS: Final = {
    "alarm_rate": "person-days with an alarm",
    "people": "people with an alarm on any day",
    "sensitivity": "sensitivity",
    "silent_sensitivity": "of those infected by carriers without symptoms",
    "precision": "precision",
    "warned": "infected people warned before onset",
    "silent_warned": "of those infected by carriers without symptoms",
    "lead_days": "days of lead",
}


def table() -> str:
    """Return the text between the markers."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crowdtrace.settings")
    import django

    django.setup()
    from crowdtrace.town.management.commands import compare
    from risk.model.pathogens import SARS_COV_2_ANCESTRAL

    found = compare.compare_towns(
        towns=TOWNS, seed=FIRST_SEED, visitors=2000, venues=40, days=28, pathogen=SARS_COV_2_ANCESTRAL
    )
    lines = [
        f"{TOWNS} towns (seeds {FIRST_SEED} to {FIRST_SEED + TOWNS - 1}), each 2,000 visitors with the app, 40 venues, "
        "28 days; mean over towns and its standard error."
    ]
    for rate, ways in found.items():
        lines += ["", f"At the rate of alarms of {THE.get(rate, rate)}:", "", f"| | {' | '.join(HEADS.values())} |"]
        lines.append("|---" * (len(HEADS) + 1) + "|")
        lines += [
            f"| {way} | {' | '.join(compare.cell(columns[name]) for name in HEADS)} |" for way, columns in ways.items()
        ]
    return "\n".join(lines)


if __name__ == "__main__":
    figures = table()
    DOCUMENT.write_text(between(DOCUMENT.read_text(), BEGIN, END, figures))
