"""Draw the plots of docs/model.md and write its tables: `python -m docs.plots.model`.

Everything is computed by `risk.model` from `tests/data/outbreaks.json`; the table of peers is
`docs.plots.peers`.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any, Literal

import numpy as np

from docs.plots import level, peers
from docs.plots.markers import between
from risk.model.far import Rooms, Stays, room_integrals, unit_doses
from risk.model.hits import class_hits, pairwise_hits
from risk.model.load import chance_of_hit
from risk.model.outbreaks import (
    Attack,
    Prediction,
    hourly_risk,
    outbreak,
    overdispersed,
    predict,
    range_of,
    uniformity,
)
from risk.model.uncertainty import uniforms

HERE = Path(__file__).parent
DOCUMENT = HERE.parent / "model.md"
DATA = HERE.parents[1] / "tests" / "data" / "outbreaks.json"
BEGIN, END = "<!-- outbreaks: begin -->", "<!-- outbreaks: end -->"
SEED = 20


def table_data() -> dict[str, Any]:
    """Return the rows as published."""
    return dict(json.loads(DATA.read_text()))


@functools.cache
def predictions() -> list[tuple[dict[str, Any], Prediction]]:
    """Return every outbreak with its prediction."""
    return [(row, predict(outbreak(row))) for row in table_data()["outbreaks"]]


@functools.cache
def trial() -> list[Prediction]:
    """Return the same rows with loads as unequal as the bracket allows."""
    return [predict(overdispersed(outbreak(row))) for row in table_data()["outbreaks"]]


def selection_free() -> list[tuple[dict[str, Any], float]]:
    """Return every selection-free row with the model's mean per hour."""
    data, draws = table_data(), uniforms(4096, 8).T
    out = []
    for row in data["selection_free"]:
        room = data["room_of_contact" if row["setting"] == "contact" else "train"]
        mean = hourly_risk(
            row["setting"],
            volume_m3=range_of(room["volume_m3"], "m3", room["source"]),
            air_changes_per_h=range_of(room["air_per_h"], "1/h", room["source"]),
            draws=draws,
            talk_share=0.2 if row["setting"] == "contact" else 0.1,
        )
        out.append((row, mean))
    return out


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %" if share < 0.1 else f"{100 * share:.0f} %"


def _span(low: float, high: float) -> str:
    return _percent(low) if low == high else f"{_percent(low)} to {_percent(high)}"


def _inside(p: Prediction, attack: Attack) -> str:
    return "yes" if p.holds(attack) else "no"


def _counts(of: list[Prediction], condition: Literal["two_or_more", "published"]) -> str:
    """Return how many are inside if any of the observed range counts, by its middle, and p of even percentiles."""
    attacks = [getattr(p, condition) for p in of]
    any_of = sum(p.holds(attack) for p, attack in zip(of, attacks, strict=True))
    middle = sum(Prediction.strictly_holds(attack) for attack in attacks)
    return f"{any_of} of {len(of)} | {middle} | {uniformity([attack.percentile for attack in attacks]):.3f}"


def table() -> str:
    """Return the text between the markers of the document."""
    rows = predictions()
    free = [p for row, p in rows if not row["circular"]]
    ways = {
        "the profiles' own": [p for _, p in rows],
        f"of them, the {len(free)} rows that are not circular": free,
        "k = 0.1 in every row, tried once": trial(),
    }
    lines = [
        "| load | given two or more cases: inside | by the middle of the observed range | uniform, p "
        "| in proportion to size: inside | by the middle | uniform, p |",
        "|---|---|---|---|---|---|---|",
        *(f"| {name} | {_counts(of, 'two_or_more')} | {_counts(of, 'published')} |" for name, of in ways.items()),
        "",
        "| outbreak | pathogen | observed | predicted, given publication: median (90 %) | inside | percentile "
        "| given two cases only: 90 % | inside | percentile | implied load | average index case "
        "| chance of two or more |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row, p in rows:
        known, two = p.published, p.two_or_more
        lines.append(
            f"| {row['name']}{' (circular)' if row['circular'] else ''} | {row['pathogen']} "
            f"| {_span(p.observed_low, p.observed_high)} "
            f"| {_percent(known.median)} ({_percent(known.low)} to {_percent(known.high)}) | {_inside(p, known)} "
            f"| {known.percentile:.0f} | {_percent(two.low)} to {_percent(two.high)} | {_inside(p, two)} "
            f"| {two.percentile:.0f} | {p.implied_load:.0f} x | {_percent(p.mean_rate)} "
            f"| {_percent(p.chance_of_two)} |"
        )
    lines += ["", "| without selection | observed an hour | model's mean | ratio |", "|---|---|---|---|"]
    lines += [
        f"| {row['name']}{' (circular)' if row['circular'] else ''} | {100 * row['observed_per_h']:.2f} % "
        f"| {100 * mean:.2f} % | {mean / row['observed_per_h']:.1f} |"
        for row, mean in selection_free()
    ]
    lines += ["", "| row | source | read there | from elsewhere or assumed |", "|---|---|---|---|"]
    data = table_data()
    lines += [
        f"| {row['name']} | {row['source']} | {row['seen']} | {row.get('assumed', '')} |"
        for row in (*data["outbreaks"], *data["selection_free"])
    ]
    return "\n".join(lines)


def with_table(text: str) -> str:
    """Return the document with its tables as computed now."""
    text = between(between(text, BEGIN, END, table()), peers.BEGIN, peers.END, peers.table())
    return level.with_tables(text)


def draw() -> None:
    """Write the plots next to this file."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams.update({"svg.hashsalt": "crowdtrace", "font.size": 9, "axes.grid": True, "grid.alpha": 0.3})
    from matplotlib import pyplot as plt

    def save(figure: Any, name: str) -> None:
        figure.tight_layout()
        figure.savefig(HERE / name, metadata={"Date": None})
        plt.close(figure)

    figure, axes = plt.subplots(figsize=(6.4, 3.2))
    times = np.arange(0.0, 8.0, 0.05)
    emitters = [(0.5, 2.5), (1.0, 3.0), (5.0, 5.5)]
    for removal in (1.0, 3.0, 10.0):
        got = room_integrals(
            volume_m3=100.0,
            removal_rate_per_h=removal,
            emitters_h=emitters,
            visits_h=[(t, t + 0.05) for t in times],
        )
        axes.plot(times + 0.025, got / 0.05, label=f"{removal:g} removals an hour")
    axes.set(xlabel="hours", ylabel="concentration, h/m3", title="Three emitters in 100 m3: build-up and lingering")
    axes.legend()
    save(figure, "room.svg")

    figure, axes = plt.subplots(figsize=(6.4, 3.2))
    dose = np.geomspace(1e-3, 30, 200)
    for k in (0.1, 0.2, 0.4):
        axes.plot(dose, chance_of_hit(dose, k), label=f"k = {k}")
    axes.plot(dose, -np.expm1(-dose), "k--", label="equal loads (Wells-Riley)")
    axes.set(
        xscale="log", xlabel="mean dose, quanta", ylabel="chance of a hit", title="Very unequal loads hit less often"
    )
    axes.legend()
    save(figure, "response.svg")

    figure, axes = plt.subplots(figsize=(6.4, 3.2))
    rng = np.random.default_rng(SEED)
    for label, per_head_m3, dwell_h, removal in (
        ("restaurant", 8, 1.2, 3.0),
        ("bus", 2.5, 0.5, 9.0),
        ("choir", 13, 2.5, 1.7),
    ):
        ratios, doses = [], []
        for emission in np.geomspace(0.5, 200, 12):
            n = 40
            begin = rng.uniform(0, dwell_h, n)
            stays = Stays.of_hours(
                venue=np.zeros(n),
                arrive_h=begin,
                leave_h=begin + rng.gamma(4, dwell_h / 4, n) + 0.01,
                answer_class=np.zeros(n),
            )
            rooms = Rooms(np.array([per_head_m3 * n], float), np.array([removal]))
            unit = unit_doses(stays, rooms)
            spans = np.stack([stays.arrive_us, stays.leave_us], axis=1) / 3.6e9
            each = [
                0.5
                * emission
                * room_integrals(
                    volume_m3=per_head_m3 * n,
                    removal_rate_per_h=removal,
                    emitters_h=[tuple(spans[i])],
                    visits_h=[tuple(spans[0])],
                )[0]
                for i in range(1, n)
            ]
            exact = pairwise_hits(each, 0.01, 0.2)
            classed = float(class_hits(unit.heads[0, 0], 0.5 * emission * unit.dose_h2_per_m3[0, 0], 0.01, 0.2))
            ratios.append(classed / exact)
            doses.append(np.mean(each))
        axes.plot(doses, ratios, "o", ms=4, label=label)
    axes.set(
        xscale="log",
        xlabel="mean dose from one infectious person, quanta",
        ylabel="class form / exact sum",
        title="The class form is never below the exact pairwise sum",
    )
    axes.legend()
    save(figure, "class_form.svg")

    figure, axes = plt.subplots(figsize=(6.4, 3.8))
    for at, (row, p) in enumerate(reversed(predictions())):
        for attack, below, width in ((p.published, 0.0, 6.0), (p.two_or_more, 0.25, 1.5)):
            axes.plot([100 * attack.low, 100 * attack.high], [at - below] * 2, color="#bbb", lw=width)
        axes.plot(100 * p.published.median, at, "|", color="#333", ms=11)
        axes.plot(
            [100 * p.observed_low, 100 * p.observed_high],
            [at, at],
            "o-",
            color="#b30000" if row["circular"] else "#0050b3",
            ms=4,
        )
    axes.set_yticks(range(len(predictions())), [row["name"] for row, _ in reversed(predictions())])
    axes.set(
        xscale="log",
        xlabel="attack rate, %",
        title="Observed (dots; red: circular), 90 % given publication (bars), given two cases (lines)",
    )
    save(figure, "outbreaks.svg")


if __name__ == "__main__":
    draw()
    DOCUMENT.write_text(with_table(DOCUMENT.read_text()))
