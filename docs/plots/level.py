"""Tables of docs/model.md on the level of the model: renewal of ordinary weeks, and the cost of privacy.

Those of simulated towns take minutes: `python -m docs.plots.level` writes them, `docs.plots.model` the others.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from docs.plots.markers import between
from risk.model.answers import FEWEST_PEOPLE, STEP, believed_shares, rounded
from risk.model.classes import answer_shares, chances
from risk.model.hits import far_hits
from risk.model.parameters import Parameters
from risk.model.pathogens import SARS_COV_2_ANCESTRAL, SARS_COV_2_OMICRON
from risk.model.renewal import ORDINARY, SMALL, fortnight, implied_reproduction, ordinary_fortnight
from risk.model.uncertainty import draws_of

DOCUMENT: Final = Path(__file__).parents[1] / "model.md"
BEGIN, END = "<!-- renewal: begin -->", "<!-- renewal: end -->"
PRIVACY_BEGIN, PRIVACY_END = "<!-- privacy: begin -->", "<!-- privacy: end -->"
TOWNS_BEGIN, TOWNS_END = "<!-- towns: begin -->", "<!-- towns: end -->"
BEFORE: Final = {
    "sars-cov-2-omicron": {"commuter": 2.99, "student": 5.43, "at home": 0.35},
    "sars-cov-2-ancestral": {"commuter": 2.26, "student": 4.21, "at home": 0.26},
}
"""Of the constants before the level was set, computed with them: usual heads counted as check-ins, as cards did."""
PREVALENCE: Final = 0.005
CROWDS: Final = (5, 10, 20, 50, 200, 1000)
MIXES: Final = 2000
TOWNS: Final = 24


def renewal_table() -> str:
    """Return implied reproduction numbers of ordinary weeks."""
    lines = [
        "| reproduction number from visits that it implies | before: Omicron | now: Omicron | before: ancestral "
        "| now: ancestral |",
        "|---|---|---|---|---|",
    ]
    profiles = (SARS_COV_2_OMICRON, SARS_COV_2_ANCESTRAL)
    now = {pathogen.name: Parameters(pathogen=pathogen) for pathogen in profiles}

    def implied(name: str, hits: float) -> float:
        return implied_reproduction(hits, SMALL, now[name].pathogen.infectious_days.value)

    for who, week in ORDINARY.items():
        cells = [
            cell
            for name, parameters in now.items()
            for cell in (BEFORE[name][who], implied(name, fortnight(parameters, week, SMALL)))
        ]
        lines.append(f"| {who} | {' | '.join(f'{cell:.2f}' for cell in cells)} |")
    cells = [
        cell
        for name, parameters in now.items()
        for cell in (
            sum(week.share * BEFORE[name][who] for who, week in ORDINARY.items()),
            implied(name, ordinary_fortnight(parameters, SMALL)),
        )
    ]
    lines.append(f"| all of them, by their shares | {' | '.join(f'{cell:.2f}' for cell in cells)} |")
    return "\n".join(lines)


def hits_by_answers(heads: int, counts: np.ndarray) -> np.ndarray:
    """Return far hits (mixes,) of crowds of ``heads`` others whose yes answers are ``counts`` (mixes, 3).

    Each person emits a thousandth of a quantum, for each unit of prevalence and dose.
    """
    parameters, dose = Parameters(), 1e-3
    draws, mixes = draws_of(parameters), counts.shape[0]
    infectious = chances(parameters, PREVALENCE, already_total=True)
    crowd = np.column_stack([np.full(mixes, heads), counts]).astype(float)
    hits = far_hits(
        heads=crowd,
        dose_quanta=np.repeat(crowd[:, :, None] * dose, draws.count, axis=2),
        by_class=np.repeat(infectious.by_class, mixes, axis=0),
        admitted=np.repeat(infectious.admitted, mixes, axis=0),
        load_factor=draws.load_factor,
        dispersion=draws.load_dispersion,
    )
    return np.asarray(hits.mean(axis=1) / (PREVALENCE * dose * heads))


def privacy_table() -> str:
    """Return the cost of a crowd with the usual mix of answers relative to prevalence only, by size."""
    shares, rng = answer_shares(Parameters().answers), np.random.default_rng(20)
    lines = [
        "| people of the day | answers read | mean, against prevalence | of them all no | one with a result "
        "| a tenth with a result |",
        "|---|---|---|---|---|---|",
    ]
    for people in CROWDS:
        mixes = [rng.multinomial(people, shares, MIXES)[:, 1:]]
        mixes += [np.tile([0, 0, count], (MIXES, 1)) for count in (0, 1, people // 10)]
        cells = [f"{hits_by_answers(people, believed(people, counts, rng)).mean():.2f}" for counts in mixes]
        lines.append(f"| {people} | {'no' if people < FEWEST_PEOPLE else 'yes'} | {' | '.join(cells)} |")
    return "\n".join(lines)


def believed(people: int, counts: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return numbers of people of each class (mixes, 3) that a shield assumes, given true ``counts`` (mixes, 3)."""
    if people < FEWEST_PEOPLE:
        return np.zeros(counts.shape)
    shown = rounded(counts, rng.integers(0, STEP, counts.shape))
    usual = answer_shares(Parameters().answers)[1:]
    return people * believed_shares(np.full(len(counts), people), shown, usual)


def towns_table() -> str:
    """Return the renewal of simulated towns, which takes minutes."""
    import os

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crowdtrace.settings")
    import django

    django.setup()
    from crowdtrace.town.comparators.renewal import ASKED, equilibrium, renewal

    found = renewal(equilibrium(TOWNS), Parameters(pathogen=SARS_COV_2_OMICRON))
    return (
        f"Over {TOWNS} towns of 3,000 visitors with the app, 60 venues and 28 days, the default pathogen: shields "
        f"imply **{found.implied:.2f}** (asked in the first {ASKED}). In the same towns each infected person infected "
        f"{found.visits:.2f} others at visits, and {found.total:.2f} with households: shields say {found.ratio:.2f} "
        "times what happened."
    )


def with_tables(text: str) -> str:
    """Return the document with the tables that are quick to compute."""
    text = between(text, BEGIN, END, renewal_table())
    return between(text, PRIVACY_BEGIN, PRIVACY_END, privacy_table())


if __name__ == "__main__":
    figures = towns_table()
    DOCUMENT.write_text(between(DOCUMENT.read_text(), TOWNS_BEGIN, TOWNS_END, figures))
