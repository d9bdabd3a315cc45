"""The visits of one holder as arrays, the input of `shield`. Built from stay readings or from unit doses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from risk.model.far import InvalidInputError, UnitDoses
from risk.model.kinds import Kind
from risk.model.uncertainty import Floats

KINDS: Final = tuple(Kind)
"""Kinds by index, in the order of the enumeration."""
KIND_INDEX: Final = {kind: index for index, kind in enumerate(KINDS)}


@dataclass(frozen=True, slots=True)
class Visits:
    """n visits over m segments; a segment is a part of a visit with one pair of ratings (an hour, or the whole visit).

    For each segment: ``visit`` (m,) row of its visit, rising, each visit at least once; ``dose_h2_per_m3`` and
    ``person_h`` (m, 4), columns everybody, 1, 2, 3; Beta posteriors of ratings ``mask_a``, ``mask_b``,
    ``distancing_a``, ``distancing_b`` (m,). For each visit: ``heads`` (n, 4); ``age_days`` since it ended; ``kind``
    index into `KINDS`; ``known_active_per_person`` in its area (``already_total``: the series includes unreported
    carriers); ``refused`` (n, 4) classes that the venue excludes; ``volume_log_sd``, ``air_log_sd``: uncertainty (log)
    of the sweep's volume and air changes (0: known). ``reported_h2_per_m3``, ``reported_h`` (m,): the part of the
    column of everybody from people who later reported a positive test; ``reporters`` (n,): their largest possible
    number. ``adoption`` (n, 3): share of the people present who check in there, median, low and high, where the venue
    has an estimate of its own; NaN: that of the deployment.
    """

    visit: npt.NDArray[np.int64]
    dose_h2_per_m3: Floats
    person_h: Floats
    mask_a: Floats
    mask_b: Floats
    distancing_a: Floats
    distancing_b: Floats
    heads: Floats
    age_days: Floats
    kind: npt.NDArray[np.int64]
    known_active_per_person: Floats
    already_total: npt.NDArray[np.bool_]
    refused: npt.NDArray[np.bool_]
    volume_log_sd: Floats
    air_log_sd: Floats
    reported_h2_per_m3: Floats
    reported_h: Floats
    reporters: Floats
    adoption: Floats

    def __post_init__(self) -> None:
        n, m = self.age_days.size, self.visit.size
        beta = (self.mask_a, self.mask_b, self.distancing_a, self.distancing_b)
        per_segment = (*beta, self.reported_h2_per_m3, self.reported_h)
        air = (self.volume_log_sd, self.air_log_sd)
        per_visit = (self.kind, self.known_active_per_person, self.already_total, *air, self.reporters)
        if any(column.shape != (m,) for column in per_segment) or any(column.shape != (n,) for column in per_visit):
            raise InvalidInputError("visits", "columns differ in length")
        if not (self.dose_h2_per_m3.shape == self.person_h.shape == (m, 4)):
            raise InvalidInputError("visits", "doses and hours of company are (segments, 4)")
        if self.heads.shape != (n, 4) or self.refused.shape != (n, 4):
            raise InvalidInputError("visits", "heads and refused are (visits, 4)")
        own = self.adoption[~np.isnan(self.adoption).all(axis=1)] if self.adoption.shape == (n, 3) else None
        if own is None or not ((own > 0.0).all() and (own <= 1.0).all() and (np.diff(own[:, [1, 0, 2]]) >= 0.0).all()):
            raise InvalidInputError("adoption", "must be a median between a low and a high share above 0")
        if n and (np.unique(self.visit).size != n or (np.diff(self.visit) < 0).any() or self.visit[0] != 0):
            raise InvalidInputError("visit", "segments must be in order of their visit, each visit at least once")
        amounts = ("dose_h2_per_m3", "person_h", "heads", "age_days", "volume_log_sd", "air_log_sd")
        for name in (*amounts, "reported_h2_per_m3", "reported_h", "reporters"):
            column = getattr(self, name)
            if not (np.isfinite(column).all() and (column >= 0).all()):
                raise InvalidInputError(name, "must be finite and not negative")
        for name in ("mask_a", "mask_b", "distancing_a", "distancing_b"):
            column = getattr(self, name)
            if not (np.isfinite(column).all() and (column > 0).all()):
                raise InvalidInputError(name, "must be finite and positive")

    @property
    def size(self) -> int:
        """Return the number of visits."""
        return int(self.age_days.size)


def visits_of(
    *,
    segments: Sequence[int],
    dose_h2_per_m3: npt.ArrayLike,
    person_h: npt.ArrayLike,
    masks: tuple[npt.ArrayLike, npt.ArrayLike],
    distancing: tuple[npt.ArrayLike, npt.ArrayLike],
    heads: npt.ArrayLike,
    age_days: npt.ArrayLike,
    kinds: Sequence[Kind],
    known_active_per_person: npt.ArrayLike,
    already_total: npt.ArrayLike = False,
    refused: npt.ArrayLike = (False, False, False, False),
    volume_log_sd: npt.ArrayLike = 0.0,
    air_log_sd: npt.ArrayLike = 0.0,
    reported_h2_per_m3: npt.ArrayLike = 0.0,
    reported_h: npt.ArrayLike = 0.0,
    reporters: npt.ArrayLike = 0.0,
    adoption: npt.ArrayLike = np.nan,
) -> Visits:
    """Return visits from anything array-like. ``segments``: number of segments of each visit, in order.

    Scalars broadcast.
    """
    n = len(segments)
    counts = np.asarray(segments, np.int64)
    m = int(counts.sum())

    def each(values: npt.ArrayLike, size: int) -> Floats:
        return np.array(np.broadcast_to(np.asarray(values, np.float64), (size,)))

    return Visits(
        visit=np.repeat(np.arange(n), counts),
        dose_h2_per_m3=np.asarray(dose_h2_per_m3, np.float64).reshape(m, 4),
        person_h=np.asarray(person_h, np.float64).reshape(m, 4),
        mask_a=each(masks[0], m),
        mask_b=each(masks[1], m),
        distancing_a=each(distancing[0], m),
        distancing_b=each(distancing[1], m),
        heads=np.asarray(heads, np.float64).reshape(n, 4),
        age_days=each(age_days, n),
        kind=np.array([KIND_INDEX[kind] for kind in kinds], np.int64).reshape(n),
        known_active_per_person=each(known_active_per_person, n),
        already_total=np.array(np.broadcast_to(np.asarray(already_total, bool), (n,))),
        refused=np.array(np.broadcast_to(np.asarray(refused, bool), (n, 4))),
        volume_log_sd=each(volume_log_sd, n),
        air_log_sd=each(air_log_sd, n),
        reported_h2_per_m3=each(reported_h2_per_m3, m),
        reported_h=each(reported_h, m),
        reporters=each(reporters, n),
        adoption=np.array(np.broadcast_to(np.asarray(adoption, np.float64), (n, 3))),
    )


NO_VISITS: Final = visits_of(
    segments=[],
    dose_h2_per_m3=(),
    person_h=(),
    masks=((), ()),
    distancing=((), ()),
    heads=(),
    age_days=(),
    kinds=[],
    known_active_per_person=(),
)
"""The visits of a person who was nowhere."""


def from_unit_doses(
    doses: UnitDoses,
    *,
    kinds: Sequence[Kind],
    age_days: npt.ArrayLike,
    known_active_per_person: npt.ArrayLike,
    masks: tuple[npt.ArrayLike, npt.ArrayLike],
    distancing: tuple[npt.ArrayLike, npt.ArrayLike],
    already_total: npt.ArrayLike = False,
    refused: npt.ArrayLike = (False, False, False, False),
    volume_log_sd: npt.ArrayLike = 0.0,
    air_log_sd: npt.ArrayLike = 0.0,
) -> Visits:
    """Return visits whose doses come directly from a sweep, one segment each."""
    return visits_of(
        segments=[1] * len(kinds),
        dose_h2_per_m3=doses.dose_h2_per_m3,
        person_h=doses.person_h,
        masks=masks,
        distancing=distancing,
        heads=doses.heads,
        age_days=age_days,
        kinds=kinds,
        known_active_per_person=known_active_per_person,
        already_total=already_total,
        refused=refused,
        volume_log_sd=volume_log_sd,
        air_log_sd=air_log_sd,
    )
