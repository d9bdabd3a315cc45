"""Cells: what is stored about people who reported a result, without who they were.

A cell counts the reporters of one period and stream whose visits looked alike: the band of their total expected hits,
the venue kind that contributed most, and the band of its share. It holds the number of reporters, the number of
positive results, and sums over the reporters of expected hits by kind and of the square of each reporter's total, which
is needed because a nonlinear chance is not that of the mean reporter. A cell with fewer than `FEWEST` reporters is
merged with its neighbours, first over shares, then over kinds, then over bands; a remainder that is still smaller
waits.

Only cells from `coarsened` may be stored or looked at. Cells from `cells_of` can hold single people: the hits of one
person by kind almost identify that person to anybody who knows the visits.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from risk.model.far import InvalidInputError
from risk.model.visits import KINDS

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

PERIOD_DAYS: Final = 28
"""Days of reports that may share a cell; our choice: with shorter periods, few reporters make coarse cells."""
FEWEST: Final = 5
"""Smallest number of reporters of a cell that may be stored."""
BANDS: Final = 1e-4 * 4.0 ** np.arange(7)
"""Edges of total expected hits, each four times the one before, from 0.01 % to 40 %; our choice, see docs/model.md."""
SHARES: Final = np.array([0.5, 0.8])
"""Edges of the share of the dominant kind; our choice."""
ANY: Final = -1
"""Band, kind or share of a cell that was merged over it."""
MOST_HITS: Final = 100.0
"""Upper limit of one person's expected hits in a fortnight; a larger sum is refused."""
ELSEWHERE_INFECTIONS: Final = 0.38
"""Infections that one person causes outside visits while infectious, before anything is learned: a third of what visits
cause in a sustained epidemic; our assumption."""
FORTNIGHT_DAYS: Final = 14.0
_KEY: Final = ("period", "prompted", "band", "kind", "share")
_COARSER: Final = (("share",), ("share", "kind"), ("share", "kind", "band"))


@dataclass(frozen=True, eq=False)
class Cells:
    """Cells as columns, each (n,) except ``hits`` (n, kinds in the order of `KINDS`).

    ``period``: number of the 28-day period (`PERIOD_DAYS`) of the reports. ``prompted``: 1 if a random prompt asked, 0
    for volunteers. ``band``, ``kind``, ``share``: place of the cell, `ANY` where merged. ``reporters``, ``positives``:
    people. ``hits``, ``elsewhere``: sums over the reporters of expected hits in the fortnight before the report, in
    visits by kind and outside visits, as the model computed them before it learned anything. ``squares``: sums of the
    squares of their totals in visits.

    Raise `InvalidInputError` for values that no reporters can have given.
    """

    period: Integers
    prompted: Integers
    band: Integers
    kind: Integers
    share: Integers
    reporters: Integers
    positives: Integers
    elsewhere: Floats
    squares: Floats
    hits: Floats

    def __post_init__(self) -> None:
        size = self.period.size
        for column in fields(self):
            value = getattr(self, column.name)
            if value.shape != ((size, len(KINDS)) if column.name == "hits" else (size,)):
                raise InvalidInputError(column.name, "has another length than the other columns")
        for name, each in (("hits", MOST_HITS), ("elsewhere", MOST_HITS), ("squares", MOST_HITS**2)):
            value = getattr(self, name)
            most = each * self.reporters
            if not (np.isfinite(value).all() and (value >= 0.0).all() and (most >= value.T).all()):
                raise InvalidInputError(name, "must be finite, not negative, and possible for so few people")
        if not ((self.positives >= 0) & (self.positives <= self.reporters) & (self.reporters > 0)).all():
            raise InvalidInputError("positives", "must lie between 0 and the number of reporters, which is above 0")
        if not np.isin(self.prompted, (0, 1)).all():
            raise InvalidInputError("prompted", "must be 0 or 1")
        if not all(
            ((at >= ANY) & (at < end)).all()
            for at, end in (
                (self.band, BANDS.size + 1),
                (self.kind, len(KINDS)),
                (self.share, SHARES.size + 1),
            )
        ):
            raise InvalidInputError("band", "no such band, kind or share")

    @property
    def size(self) -> int:
        """Return the number of cells."""
        return int(self.period.size)

    @property
    def mean_hits(self) -> Floats:
        """Return the expected hits of the average reporter by kind, (n, kinds)."""
        return self.hits / self.reporters[:, None]

    @property
    def mean_elsewhere(self) -> Floats:
        """Return the expected hits outside visits of the average reporter, (n,)."""
        return self.elsewhere / self.reporters

    @property
    def spread(self) -> Floats:
        """Return the standard deviation of the reporters' total hits over their mean, (n,); 0 if nobody has any."""
        mean = self.mean_hits.sum(axis=1)
        variance = np.maximum(self.squares / self.reporters - mean**2, 0.0)
        return np.asarray(np.sqrt(variance) / np.where(mean > 0.0, mean, 1.0))

    def where(self, chosen: npt.NDArray[np.bool_] | Integers) -> Cells:
        """Return the selected cells."""
        return Cells(**{column.name: getattr(self, column.name)[chosen] for column in fields(self)})

    def in_order(self) -> Cells:
        """Return the cells in an order that depends only on their content, so that sums do too."""
        columns = [
            self.hits.T[::-1],
            self.squares[None],
            self.elsewhere[None],
            self.positives[None],
            self.reporters[None],
        ]
        keys = [getattr(self, name)[None] for name in reversed(_KEY)]
        return self.where(np.lexsort(np.concatenate([*columns, *keys])))


def elsewhere(prevalence: float, infectious_days: float) -> float:
    """Return infections expected outside visits in a fortnight, before anything is learned."""
    return ELSEWHERE_INFECTIONS * prevalence * FORTNIGHT_DAYS / infectious_days


def no_cells() -> Cells:
    """Return cells without any report."""
    none = np.zeros(0, np.int64)
    return Cells(none, none, none, none, none, none, none, np.zeros(0), np.zeros(0), np.zeros((0, len(KINDS))))


def cells_of(
    *,
    period: npt.ArrayLike,
    prompted: npt.ArrayLike,
    positive: npt.ArrayLike,
    hits: npt.ArrayLike,
    elsewhere: npt.ArrayLike,
) -> Cells:
    """Return cells of reports, one report a row: ``hits`` (n, kinds), the others (n,). Small cells are included."""
    each = np.asarray(hits, np.float64)
    total = each.sum(axis=1)
    most = each.argmax(axis=1)
    part = each[np.arange(len(each)), most] / np.where(total > 0.0, total, 1.0)
    return added(
        [
            Cells(
                period=np.asarray(period, np.int64),
                prompted=np.asarray(prompted, np.int64),
                band=np.searchsorted(BANDS, total, side="right").astype(np.int64),
                kind=most.astype(np.int64),
                share=np.searchsorted(SHARES, part, side="right").astype(np.int64),
                reporters=np.ones(len(each), np.int64),
                positives=np.asarray(positive, np.int64),
                elsewhere=np.asarray(elsewhere, np.float64),
                squares=total**2,
                hits=each,
            )
        ]
    )


def added(parts: Iterable[Cells]) -> Cells:
    """Return the sum of several lists of cells: cells of the same place become one."""
    listed = list(parts)
    if not listed:
        return no_cells()
    columns = (column.name for column in fields(Cells))
    cells = Cells(**{name: np.concatenate([getattr(part, name) for part in listed]) for name in columns}).in_order()
    keys, which = np.unique(np.column_stack([getattr(cells, name) for name in _KEY]), axis=0, return_inverse=True)
    which = which.reshape(-1)

    def summed(name: str) -> Any:
        values = getattr(cells, name)
        sums = np.zeros((len(keys), *values.shape[1:]), values.dtype)
        np.add.at(sums, which, values)
        return sums

    sums: dict[str, Any] = {name: summed(name) for name in ("reporters", "positives", "elsewhere", "squares", "hits")}
    return Cells(**dict(zip(_KEY, keys.T.copy(), strict=True)), **sums)


def coarsened(cells: Cells, *, fewest: int = FEWEST) -> tuple[Cells, Cells]:
    """Return cells of at least ``fewest`` reporters each, and the waiting rest: fewer in all of a period and stream.

    Every reporter is in exactly one cell, so that no difference of two cells singles anybody out. Small cells of one
    place are merged level by level; a last remainder joins the smallest cell of its period and stream.
    """
    small, kept = added([cells]), no_cells()
    kept, small = added([kept, _large(small, fewest)]), _small(small, fewest)
    for level in _COARSER:
        small = added([replace(small, **{name: np.full(small.size, ANY) for name in level})])
        # A merged cell may have the same place as one that was merged before: the two become one.
        together = added([small, kept])
        kept, small = _large(together, fewest), _small(together, fewest)
    return _with_remainder(kept, small)


def _large(cells: Cells, fewest: int) -> Cells:
    return cells.where(cells.reporters >= fewest)


def _small(cells: Cells, fewest: int) -> Cells:
    return cells.where(cells.reporters < fewest)


def _with_remainder(kept: Cells, small: Cells) -> tuple[Cells, Cells]:
    waits = []
    for at in range(small.size):
        hosts = np.flatnonzero((kept.period == small.period[at]) & (kept.prompted == small.prompted[at]))
        if hosts.size == 0:
            waits.append(at)
            continue
        host = hosts[kept.reporters[hosts].argmin()]
        one = kept.where(np.array([host]))
        place = {name: getattr(one, name) for name in _KEY}
        merged = added([one, replace(small.where(np.array([at])), **place)])
        kept = added([kept.where(np.arange(kept.size) != host), merged])
    return kept, small.where(np.array(waits, np.int64))
