"""Passes while a batch is decided: what the database knew of each, and what the batch has added so far.

`facts` returns what the SELECT of one scan (`passes.reads`) returns, and `change_visit` changes a visit like its record
does. A batch decided here, one scan after another, therefore ends as if each scan had gone through the database. Pure:
times are Unix seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from passes.admission import ScanFacts, ScanType, VisitChange, VisitEffect, VisitFacts


@dataclass(frozen=True, slots=True)
class KeptScan:
    """A stored scan of a pass. `kiosk`: the decision of an offline kiosk."""

    type: ScanType
    slot: int
    at: float
    approved: bool
    kiosk: bool | None

    @property
    def let_in(self) -> bool:
        """Return whether it admitted its visitor."""
        return self.approved if self.kiosk is None else self.kiosk

    @property
    def counts(self) -> bool:
        """Return whether server or kiosk approved it."""
        return self.approved or bool(self.kiosk)


@dataclass(slots=True)
class Stay:
    """A visit; `id` is `None` if the batch made it. `changed` if it differs from the database."""

    id: str | None
    arrived: float
    left: float | None
    times_out: float
    changed: bool = False

    @property
    def ends(self) -> float:
        """Return its Checkout, or otherwise its time-out."""
        return self.times_out if self.left is None else self.left

    def holds(self, at: float) -> bool:
        """Return whether it counts as a head at `at`."""
        return self.arrived <= at < self.ends


@dataclass(slots=True)
class KeptPass:
    """A pass of the venue with its scans and visits. `seen`: number of scans in the database."""

    revoked: bool
    scans: list[KeptScan]
    stays: list[Stay]
    seen: int = field(init=False)
    before: tuple[tuple[float, float], ...] = field(init=False)  # arrival and end of the visits in the database

    def __post_init__(self) -> None:
        """Record the state of the database."""
        self.seen = len(self.scans)
        self.before = tuple((stay.arrived, stay.ends) for stay in self.stays)

    def stay_at(self, at: float) -> Stay | None:
        """Return the latest visit that had begun by `at`, otherwise the earliest one."""
        begun = [stay for stay in self.stays if stay.arrived <= at]
        if begun:
            return max(begun, key=lambda stay: stay.arrived)
        return min(self.stays, key=lambda stay: stay.arrived, default=None)

    def more_heads(self, at: float) -> int:
        """Return the heads at `at` that the batch added, minus those it removed."""
        now = sum(stay.holds(at) for stay in self.stays)
        return now - sum(arrived <= at < ends for arrived, ends in self.before)


@dataclass(slots=True)
class Ledger:
    """All passes of a batch by tag, and the results of known scan ids."""

    passes: dict[bytes, KeptPass]
    answers: dict[str, bool]
    changed: set[bytes] = field(default_factory=set)  # tags of passes whose visits the batch changed

    def facts(self, tag: bytes, *, kind: ScanType, slot: int, at: float, heads: int) -> ScanFacts:
        """Return all facts of a new scan. `heads`: people inside at `at`."""
        kept = self.passes.get(tag)
        if kept is None:
            return ScanFacts(pass_known=False, occupancy=heads)
        same = [scan for scan in kept.scans if scan.type is kind]
        shown = [scan for scan in same if scan.slot == slot]
        stay = kept.stay_at(at)
        return ScanFacts(
            revoked=kept.revoked,
            slot_used=any(scan.counts for scan in shown),
            slot_let_in=any(scan.let_in for scan in shown),
            last_slot=max((scan.slot for scan in same if scan.let_in), default=None),
            visit=None if stay is None else VisitFacts(int(stay.arrived), int(stay.ends), stay.left is not None),
            next_checkout=min(_checkouts_after(kept, at), default=None),
            occupancy=heads,
        )

    def change_visit(self, tag: bytes, change: VisitChange, *, at: float, times_out: float) -> None:
        """Apply the effect of a scan at `at` to the visit of a pass."""
        kept = self.passes[tag]
        stay = kept.stay_at(at)
        self.changed.add(tag)
        if change.effect in {VisitEffect.START, VisitEffect.RESTART}:
            kept.stays.append(Stay(None, at, change.left, times_out, changed=True))
        elif stay is not None and change.effect is VisitEffect.CONTINUE:
            stay.arrived, stay.times_out = min(stay.arrived, at), max(stay.times_out, times_out)
            stay.changed = True
        elif stay is not None and change.effect is VisitEffect.END:
            stay.left, stay.changed = at, True

    def more_heads(self, at: float) -> int:
        """Return the heads at `at` that the batch has added so far, minus those it removed."""
        return sum(self.passes[tag].more_heads(at) for tag in self.changed)


def _checkouts_after(kept: KeptPass, at: float) -> Iterator[int]:
    for scan in kept.scans:
        if scan.type is ScanType.CHECKOUT and scan.at > at and scan.let_in:
            yield int(scan.at)
