"""The domain: which counts of a day are published, over which values, and how they split the budget.

Every set of values here is public and fixed before a day is read, so the data never decides what is counted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from types import MappingProxyType
from typing import Final

from exports.dataset.tables import ACCESSLEVELS, ANSWERS, OUTCOMES, READINGTYPES, RESULTS, RISKLEVELS, SCAN_TYPES
from passes.limits import COUNTED_PASSES, UNMARKED_ONE_IN

# Maximum of counted marked passes of one secret and epoch, each once: the L1 distance of neighbouring days.
CAP: Final = COUNTED_PASSES
# A pass within the cap is marked with this chance, so that a rare unmarked pass identifies nobody.
KEEP: Final = 1 - 1 / UNMARKED_ONE_IN

NONE: Final = "none"
# Public ends of the bins, in the column's unit; a value at an inner end belongs to the upper bin.
TEMPERATURE_EDGES: Final = (94, 96, 97, 98, 99, 100, 101, 102, 103, 104, 106)
OXYGEN_EDGES: Final = (80, 85, 88, 90, 92, 94, 96, 98, 100)
DURATION_EDGES: Final = (0, 10, 20, 30, 45, 60, 90, 120, 300, 600, 3600)
# Lower ends of bands.
CAPACITY_BANDS: Final = (0, 10, 25, 50, 100, 250, 500, 1000, 2500, 10_000)
LIMIT_BANDS: Final = (0, 25, 50, 75, 100)


@dataclass(frozen=True)
class Axis:
    """One attribute and all its values, as text. `edges` are the ends of its bins, or the lower ends of its bands."""

    name: str
    values: tuple[str, ...]
    edges: tuple[int, ...] = ()


@dataclass(frozen=True)
class Workload:
    """One table of counts: a cell for each combination of its axes' values.

    `share` is its part of the budget in thousandths. `l1` is how much one secret and epoch can change the table, summed
    over its cells.
    """

    name: str
    axes: tuple[Axis, ...]
    share: int
    core: bool = False
    l1: int = CAP

    @property
    def shape(self) -> tuple[int, ...]:
        """Return the number of values along each axis."""
        return tuple(len(axis.values) for axis in self.axes)

    @property
    def cells(self) -> int:
        """Return the number of cells."""
        return prod(self.shape)


def _bins(name: str, edges: tuple[int, ...], *, optional: bool) -> Axis:
    labels = tuple(f"{low}-{high}" for low, high in pairwise(edges))
    return Axis(name, ((NONE,) if optional else ()) + labels, edges)


def _bands(name: str, lows: tuple[int, ...]) -> Axis:
    return Axis(name, tuple(str(low) for low in lows), lows)


RISK: Final = Axis("risklevel", RISKLEVELS)
RESULT: Final = Axis("result", RESULTS)
# The outcome of a pass. A refusal needs no device, so anyone can make many: refusals are a separate slice of every
# table, which `exports.policy.cut` limits. In the rows, the `result` of both Declined and Refused is Declined.
OUTCOME: Final = Axis("outcome", OUTCOMES)
REFUSED: Final = OUTCOMES.index("Refused")
YES_NO: Final = ("false", "true")
ANSWER_AXES: Final = tuple(Axis(name, YES_NO) for name in ANSWERS)
HOUR: Final = Axis("hour", tuple(f"{hour:02d}" for hour in range(24)))
SCORES: Final = (NONE, "1", "2", "3", "4", "5")
RATINGS: Final[Mapping[str, str]] = MappingProxyType({"m_score": "masks", "s_score": "distancing"})
"""Axes of scores, and the subject of each."""

# Names of the tables of counts.
TOTAL: Final = "total"
ZIP_RISK_RESULT: Final = "zip_risklevel_result"
RESULT_ANSWERS: Final = "result_answers"
RISK_RESULT_ANSWERS: Final = "risklevel_result_answers"
ZIP_SYMPTOMS: Final = "zip_symptoms"
CORE: Final = (TOTAL, ZIP_RISK_RESULT, RESULT_ANSWERS, RISK_RESULT_ANSWERS, ZIP_SYMPTOMS)


def workloads(*, zip3: Sequence[str], readings: bool) -> tuple[Workload, ...]:
    """Return all tables of a day over the given public 3-digit ZIPs; `readings` adds temperature and oxygen.

    The first value of the ZIP axis is the empty text, for venues with an unknown ZIP. The four core tables get 870 of
    1,000 parts (docs/decisions/0008-budget-split.md).
    """
    place = Axis("zip", ("", *sorted(zip3)))
    duration = _bins("duration", DURATION_EDGES, optional=False)
    tables = [
        Workload(TOTAL, (OUTCOME,), 70, core=True),
        Workload(ZIP_RISK_RESULT, (place, RISK, OUTCOME), 410, core=True),
        Workload(RESULT_ANSWERS, (OUTCOME, *ANSWER_AXES), 290, core=True),
        Workload(RISK_RESULT_ANSWERS, (RISK, OUTCOME, *ANSWER_AXES), 100, core=True),
        Workload(ZIP_SYMPTOMS, (place, OUTCOME, ANSWER_AXES[0]), 16),
        Workload("hour", (OUTCOME, HOUR), 42),
        Workload("type_of_scan", (OUTCOME, Axis("type_of_scan", SCAN_TYPES)), 10),
        Workload("accesslevel", (OUTCOME, Axis("accesslevel", ACCESSLEVELS)), 10),
        Workload("readingtype", (OUTCOME, Axis("readingtype", READINGTYPES)), 10),
        Workload("location_maxcapacity", (OUTCOME, _bands("location_maxcapacity", CAPACITY_BANDS)), 4),
        Workload(
            "location_capacity_enforcedlimit", (OUTCOME, _bands("location_capacity_enforcedlimit", LIMIT_BANDS)), 4
        ),
        Workload("risklevel_m_score", (RISK, OUTCOME, Axis("m_score", SCORES)), 11),
        Workload("risklevel_s_score", (RISK, OUTCOME, Axis("s_score", SCORES)), 11),
        Workload("risklevel_duration", (RISK, OUTCOME, duration), 12),
    ]
    if readings:
        tables += [
            Workload("risklevel_temp", (RISK, OUTCOME, _bins("temp", TEMPERATURE_EDGES, optional=True)), 10),
            Workload("risklevel_o2", (RISK, OUTCOME, _bins("o2", OXYGEN_EDGES, optional=True)), 10),
        ]
    return tuple(tables)


def split(tables: Sequence[Workload]) -> dict[str, float]:
    """Return each table's part of the budget; the parts add up to one."""
    whole = sum(table.share for table in tables)
    return {table.name: table.share / whole for table in tables}
