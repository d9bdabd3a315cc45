"""The one draw of a day: exact counts in, noisy counts out, with the privacy map of every table.

Later steps may read only its output, which is committed with the ledger row; the noise itself is never stored.
"""

import datetime as dt
import json
import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final, NamedTuple, Self

import numpy as np

from exports.policy.domain import CAP, KEEP, Axis, Workload, split
from exports.policy.noise import Counts, Mechanism, discrete_laplace

# Format 1 had no slice of refusals, no `usual` and `levels`, and only one day; such draws are read unchanged.
FORMATS: Final = (1, 2)


class OverBudgetError(ValueError):
    """The privacy maps add up to more than the day's budget."""


@dataclass(frozen=True)
class DrawnTable:
    """One drawn table of counts: `noisy` has the workload's shape; `epsilon` is its cost by OpenDP's privacy map."""

    workload: Workload
    noisy: Counts
    scale: float
    epsilon: float


class Usual(NamedTuple):
    """Mean noisy counts of an area's marked passes over earlier releases: refused at check-in, and scanned."""

    refused: float
    scanned: float


@dataclass(frozen=True)
class Drawn:
    """All noisy counts of one day, or of the days from `first_day` to `day`, with what was public before the draw.

    `cap` and `keep` define what a count leaves out. `usual` has the mean counts of each area in earlier releases, for
    the cut of refusals. `levels` has the class of risk of each of the 16 patterns of answers, by area, as digits.
    `pool_epsilon` is the cost of the day's part in its pool of 28 days.
    """

    day: dt.date
    budget: float
    cap: int
    keep: float
    tables: tuple[DrawnTable, ...]
    first_day: dt.date
    usual: Mapping[str, Usual] = field(default_factory=dict)
    levels: Mapping[str, str] = field(default_factory=dict)
    pool_epsilon: float = 0.0
    format: int = FORMATS[-1]

    @property
    def days(self) -> int:
        """Return the number of days."""
        return (self.day - self.first_day).days + 1

    @property
    def epsilon(self) -> float:
        """Return the draw's cost for one secret and this day: the sum over all tables."""
        return sum(table.epsilon for table in self.tables)

    @property
    def cost(self) -> float:
        """Return the day's cost for one secret: the draw and the pool."""
        return self.epsilon + self.pool_epsilon

    @property
    def allowed(self) -> float:
        """Return the day's budget for one secret: the draw and the pool."""
        return self.budget + self.pool_epsilon

    def table(self, name: str) -> DrawnTable:
        """Return the table of that name; raise `KeyError`."""
        return {table.workload.name: table for table in self.tables}[name]

    def has(self, name: str) -> bool:
        """Return whether the table of that name was drawn."""
        return any(table.workload.name == name for table in self.tables)

    def to_bytes(self) -> bytes:
        """Return canonical compressed JSON: equal draws give equal bytes."""
        document: dict[str, Any] = {
            "format": self.format,
            "day": self.day.isoformat(),
            "budget": self.budget,
            "cap": self.cap,
            "keep": self.keep,
            "tables": [
                {
                    "name": table.workload.name,
                    "axes": [[axis.name, list(axis.values), list(axis.edges)] for axis in table.workload.axes],
                    "share": table.workload.share,
                    "core": table.workload.core,
                    "l1": table.workload.l1,
                    "scale": table.scale,
                    "epsilon": table.epsilon,
                    "noisy": table.noisy.ravel().tolist(),
                }
                for table in self.tables
            ],
        }
        if self.format > 1:
            document |= {
                "first_day": self.first_day.isoformat(),
                "usual": {area: list(usual) for area, usual in self.usual.items()},
                "levels": dict(self.levels),
                "pool_epsilon": self.pool_epsilon,
            }
        return zlib.compress(json.dumps(document, sort_keys=True, separators=(",", ":")).encode(), 9)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Return the draw that `to_bytes` serialised; raise `ValueError` for another format."""
        document = json.loads(zlib.decompress(data))
        if document["format"] not in FORMATS:
            raise ValueError("the drawn counts have an unknown format")
        return cls(
            day=dt.date.fromisoformat(document["day"]),
            budget=document["budget"],
            cap=document["cap"],
            keep=document["keep"],
            tables=tuple(_drawn_table(item) for item in document["tables"]),
            first_day=dt.date.fromisoformat(document.get("first_day", document["day"])),
            usual={area: Usual(*usual) for area, usual in document.get("usual", {}).items()},
            levels=document.get("levels", {}),
            pool_epsilon=document.get("pool_epsilon", 0.0),
            format=document["format"],
        )

    def seed(self) -> int:
        """Return a seed derived from the noisy counts alone, so that rows made with it are always the same."""
        return int.from_bytes(sha256(zlib.decompress(self.to_bytes())).digest())


def _drawn_table(item: Mapping[str, Any]) -> DrawnTable:
    axes = tuple(Axis(name, tuple(values), tuple(edges)) for name, values, edges in item["axes"])
    workload = Workload(item["name"], axes, item["share"], item["core"], item["l1"])
    noisy = np.array(item["noisy"], dtype=np.int64).reshape(workload.shape)
    return DrawnTable(workload, noisy, item["scale"], item["epsilon"])


@dataclass(frozen=True)
class Known:
    """Facts that are public before the draw, see `Drawn`. Without `first_day`, the draw is of one day."""

    first_day: dt.date | None = None
    usual: Mapping[str, Usual] = field(default_factory=dict)
    levels: Mapping[str, str] = field(default_factory=dict)
    pool_epsilon: float = 0.0


NOTHING: Final = Known()


def draw(
    *, day: dt.date, counts: Mapping[str, Counts], tables: Sequence[Workload], budget: float, known: Known = NOTHING
) -> Drawn:
    """Draw a day's noisy counts within `budget` (epsilon for one secret and epoch).

    `counts` has for each table the exact counts of marked passes in its shape. Raise `ValueError` for counts that are
    missing, negative or of another shape.
    """
    return _draw(day=day, counts=counts, tables=tables, budget=budget, mechanism=discrete_laplace, known=known)


def _draw(
    *,
    day: dt.date,
    counts: Mapping[str, Counts],
    tables: Sequence[Workload],
    budget: float,
    mechanism: Mechanism,
    known: Known = NOTHING,
) -> Drawn:
    if not (0 < budget < math.inf):
        raise ValueError("the budget must be a positive number")
    parts = split(tables)
    drawn = []
    for table in tables:
        exact = np.asarray(counts[table.name], dtype=np.int64) if table.name in counts else None
        if exact is None or exact.shape != table.shape or bool((exact < 0).any()):
            raise ValueError(f"counts of {table.name} do not fit its domain")
        # The privacy maps round up; a slightly larger scale keeps their sum within the budget.
        scale = table.l1 / (budget * parts[table.name]) * (1 + 1e-9)
        noisy, epsilon = mechanism(exact, scale, table.l1)
        drawn.append(DrawnTable(table, noisy, scale, epsilon))
    first = known.first_day or day
    result = Drawn(day, budget, CAP, KEEP, tuple(drawn), first, known.usual, known.levels, known.pool_epsilon)
    if result.epsilon > budget:
        raise OverBudgetError(f"the tables cost {result.epsilon}, the budget is {budget}")
    return result
