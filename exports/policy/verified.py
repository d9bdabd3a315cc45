"""The verified tier's classes: which passes may be published as real rows, and how much they are generalised.

A class is a set of rows that are equal in everything an outsider might know of a visit. Each class has at least `k`
marked passes (one secret has at most three, so `k / 3` secrets) and is diverse in what must not be learnt: several
patterns of answers, and no question that most of the class answered with yes. Passes whose class is too small or not
diverse are generalised by one more step of a fixed ladder and tried again; those left at its end are not published.

Two steps may produce the same class: the union of two valid classes is valid. Steps are decided on counts, not on rows.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from exports.policy.domain import CAP

# Quasi-identifiers, which an outsider might know of a visit: columns of counts and rows, all texts. `capacity` is the
# lower end of the band.
QUASI: Final = ("zip", "hour", "readingtype", "accesslevel", "type_of_scan", "capacity")
# What a class must not reveal: four answers, and whether the pass was refused. Booleans.
SENSITIVE: Final = ("symptoms", "diagnosed", "contact", "near", "declined")
ANSWERS: Final = 4
# A suppressed value.
ANY: Final = ""

Step = Mapping[str, Callable[[str], str]]


def _any(_: str) -> str:
    return ANY


def part_of_day(hour: str) -> str:
    """Return the middle hour of the hour's quarter of the day: 03, 09, 15 or 21."""
    return f"{int(hour) // 6 * 6 + 3:02d}"


def noon(_: str) -> str:
    """Return the one hour of a day whose hours are suppressed."""
    return "12"


# Finest first. A step names the columns that it changes.
LADDER: Final[tuple[Step, ...]] = (
    {},
    {"hour": part_of_day, "capacity": _any},
    {"hour": noon, "capacity": _any},
    {"hour": noon, "capacity": _any, "readingtype": _any, "accesslevel": _any, "type_of_scan": _any},
    dict.fromkeys(QUASI, _any) | {"hour": noon},
)


@dataclass(frozen=True)
class ClassPolicy:
    """The requirements of a class.

    `margin` more rows than `k` are required at release, so that an erasure rarely drops a class. `patterns` is the
    minimum number of patterns of answers, `most_yes` the maximum share that may agree in one sensitive yes.
    """

    k: int = 10 * CAP
    margin: int = 6
    patterns: int = 2
    most_yes: float = 0.5


@dataclass(frozen=True)
class Generalised:
    """The published combinations: index `QUASI` as recorded, columns `QUASI` as published, and `step`."""

    classes: pd.DataFrame
    published: int
    dropped: int


def generalise_by_zip(parts: Iterable[pd.DataFrame], policy: ClassPolicy) -> Iterator[Generalised]:
    """Decide the classes of a day from counts in parts, each with all counts of its ZIPs.

    A part has the columns `QUASI`, `SENSITIVE` and `count`: marked passes of each combination that occurs. So the day
    need not be in memory at once. Only the last step of the ladder drops the ZIP, so every earlier step can be decided
    within a part. The remainder of all parts is decided at the end, and yielded last, with what is dropped.
    """
    left = []
    for counts in parts:
        made, waiting = _climb(counts, range(len(LADDER) - 1), policy)
        left.append(waiting)
        yield made
    if left:
        made, waiting = _climb(pd.concat(left), range(len(LADDER) - 1, len(LADDER)), policy)
        yield Generalised(made.classes, made.published, int(waiting["count"].sum()))


def _climb(counts: pd.DataFrame, steps: range, policy: ClassPolicy) -> tuple[Generalised, pd.DataFrame]:
    """Return the combinations published by these steps of the ladder, and the remaining counts."""
    waiting, chosen = counts, []
    for step in steps:
        published = _generalised(waiting, LADDER[step])
        number, good = _judged(published, policy, policy.k + policy.margin)
        fits = good[number]
        chosen.append(_mapping(waiting[fits], published[fits], step))
        waiting = waiting[~fits]
    made = int(counts["count"].sum()) - int(waiting["count"].sum())
    return Generalised(pd.concat(chosen), made, 0), waiting


def published_value(name: str, value: str, step: int) -> str:
    """Return a value of `QUASI` as published at a step of the ladder."""
    change = LADDER[step].get(name)
    return change(value) if change else value


def _generalised(counts: pd.DataFrame, step: Step) -> pd.DataFrame:
    changed = {
        name: counts[name].map({value: change(value) for value in counts[name].unique()}).astype(object)
        for name, change in step.items()
    }
    return counts.assign(**changed)


def holding(rows: pd.DataFrame, policy: ClassPolicy, *, least: int) -> pd.MultiIndex:
    """Return the classes (values of `QUASI`) among counted rows that have at least `least` passes and are diverse."""
    number, good = _judged(rows, policy, least)
    _, first = np.unique(number, return_index=True)
    return pd.MultiIndex.from_frame(rows[list(QUASI)].iloc[first[good]])


def _judged(rows: pd.DataFrame, policy: ClassPolicy, least: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the number of each row's class, and for each class whether it has `least` passes and is diverse."""
    number = rows.groupby(list(QUASI), sort=False).ngroup().to_numpy()
    passes, classes = rows["count"].to_numpy(), int(number.max(initial=-1)) + 1
    sizes = np.bincount(number, passes, classes)
    said = {name: rows[name].to_numpy(dtype=np.int64) for name in SENSITIVE}
    pattern = np.zeros_like(number)
    for name in SENSITIVE[:ANSWERS]:
        pattern = 2 * pattern + said[name]
    kinds = np.bincount(np.unique(number << ANSWERS | pattern) >> ANSWERS, minlength=classes)
    agreeing = np.max([np.bincount(number, passes * yes, classes) for yes in said.values()], axis=0)
    return number, (sizes >= least) & (kinds >= policy.patterns) & (agreeing <= policy.most_yes * sizes)


def _mapping(finest: pd.DataFrame, published: pd.DataFrame, number: int) -> pd.DataFrame:
    mapping = published[list(QUASI)].assign(step=number)
    mapping.index = pd.MultiIndex.from_frame(finest[list(QUASI)])
    return mapping[~mapping.index.duplicated()]
