"""Make `crowdtrace/town/data/radar.json.gz`: a simulated season of hospital admissions with weekly forecasts of it.

`python tools/make_radar_demonstration.py` writes the file again, with the same content each time; it takes some
minutes. Admissions are invented: waves of three winters, one peak each, that reach states one after another, with
counting noise. The forecasts are made by the product's code, week after week from what was known. Ages are weeks before
the last.
"""

import datetime as dt
import gzip
import json
import os
import sys
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crowdtrace.settings")

import django  # noqa: E402

django.setup()

import numpy as np  # noqa: E402

from crowdtrace.town.radar import FILE  # noqa: E402
from exports.radar.outlooks import Known, Outlook, outlooks  # noqa: E402
from exports.radar.runs import rounded  # noqa: E402
from exports.radar.skill import Published, skill_of  # noqa: E402
from risk.model.forecast.panel import Floats, after_christmas, season_of  # noqa: E402
from risk.radar.regions import NATION  # noqa: E402
from risk.radar.series import Number  # noqa: E402
from venues import places  # noqa: E402

LAST: Final = dt.date(2025, 12, 13)
FIRST: Final = dt.date(2023, 9, 2)
KEPT_WEEKS: Final = 32
RUNS: Final = 12
SCORED_BEFORE: Final = 6
"""Runs before the first stored one, so that its skill is known too."""
AREAS: Final = (
    "021", "100", "112", "191", "303", "331", "441", "482", "554", "606",
    "631", "770", "802", "850", "891", "900", "921", "941", "945", "972", "981",
)  # fmt: skip
"""ZIP3 areas of large cities, including those of the demonstration's two venues."""
TERRITORIES: Final = frozenset({"PR", "VI", "GU", "AS", "MP", "AA", "AE", "AP"})
Values = dict[str, dict[dt.date, float]]


def admissions() -> Values:
    """Return weekly admissions by region: states, ZIP3 areas, and the country as the sum of the states."""
    rng = np.random.default_rng(20_251_213)
    weeks = [FIRST + dt.timedelta(weeks=number) for number in range((LAST - FIRST).days // 7 + 1)]
    days = np.array(weeks, "datetime64[D]")
    week, season = after_christmas(days), season_of(days)
    zips: dict[str, list[str]] = {}
    for place in places.places().values():
        if place.state not in TERRITORIES:
            zips.setdefault(place.state, []).append(place.zip3)
    found: Values = {}
    expected = {state: np.full(len(weeks), 4.0 * len(zips[state])) for state in zips}
    for year in np.unique(season):
        rows = season == year
        peak, height, width = rng.normal(4.0, 1.5), rng.lognormal(4.0, 0.25), rng.uniform(3.0, 4.5)
        for state, codes in zips.items():
            mine = [places.places()[code].longitude or -95.0 for code in codes]
            late = (np.mean(mine) + 95.0) / 15.0 + rng.normal(0.0, 1.3)
            high = height * rng.lognormal(0.0, 0.25) * len(codes)
            expected[state][rows] += high * np.exp(-0.5 * ((week[rows] - peak - late) / width) ** 2)
    shared = wandering(rng, len(weeks), 0.06)
    for state, mean in expected.items():
        drift = np.exp(shared + wandering(rng, len(weeks), 0.11))
        found[state] = dict(zip(weeks, rng.poisson(mean * drift).astype(float).tolist(), strict=True))
        for code in sorted(set(AREAS) & set(zips[state])):
            share = rng.uniform(0.08, 0.25) * np.exp(rng.normal(0.0, 0.12) * np.sin(week / 6.0))
            part = rng.poisson(mean * drift * share).astype(float).tolist()
            found[code] = dict(zip(weeks, part, strict=True))
    found[NATION] = {day: sum(found[state][day] for state in zips) for day in weeks}
    return found


def wandering(rng: np.random.Generator, weeks: int, step: float) -> Floats:
    """Return logarithms of deviations from a smooth wave: random steps that decay in about four weeks."""
    found = np.zeros(weeks)
    for at, move in enumerate(rng.normal(0.0, step, weeks)):
        found[at] = 0.75 * found[at - 1] + move
    return found


def known(values: Values, as_of: dt.date) -> Known:
    """Return what is known on a date."""
    rows = [
        Number(region, week, value)
        for region, found in values.items()
        for week, value in found.items()
        if week <= as_of
    ]
    return Known(as_of, {(one.region, one.week): one for one in rows})


def stored(one: Outlook) -> dict[str, Any]:
    """Return a forecast in the form of its table; counts are whole; the baseline is omitted (its score is stored)."""
    return {
        "region": one.region,
        "level": one.level,
        "quantiles": [[round(value) for value in week] for week in one.quantiles.tolist()],
        "doubling": None if one.doubling is None else rounded(np.round(one.doubling, 3)),
        "flags": list(one.flags),
    }


def age(day: str) -> int:
    """Return the number of weeks before the last."""
    return (LAST - dt.date.fromisoformat(day)).days // 7


def main() -> None:
    """Forecast week after week, and write the file."""
    values = admissions()
    truth = {(region, week): value for region, found in values.items() for week, value in found.items()}
    published: list[Published] = []
    runs = []
    for back in reversed(range(RUNS + SCORED_BEFORE)):
        as_of = LAST - dt.timedelta(weeks=back)
        now = known(values, as_of)
        # Without earlier states of knowledge, as nothing is revised here, which takes a fourth of the time.
        found, flags = outlooks(now, [], unit="count")
        seen = {key: value for key, value in truth.items() if key[1] <= as_of}
        skill = {
            region: one | {"since": age(one["since"]), "until": age(one["until"])}
            for region, one in skill_of(published, seen).items()
        }
        if back < RUNS:
            runs.append({"age": back, "flags": flags, "skill": skill, "forecasts": [stored(one) for one in found]})
        published += [
            Published(as_of, one.region, one.quantiles, one.baseline) for one in found if one.baseline is not None
        ]
        sys.stdout.write(f"{as_of}: {len(found)} regions, {skill.get('', {}).get('relative_wis')}\n")
        sys.stdout.flush()
    kept = {region: list(found.values())[-KEPT_WEEKS:] for region, found in values.items()}
    content = json.dumps({"values": kept, "runs": runs}, separators=(",", ":"))
    FILE.write_bytes(gzip.compress(content.encode(), 9, mtime=0))
    sys.stdout.write(f"{FILE.stat().st_size} bytes\n")


if __name__ == "__main__":
    main()
