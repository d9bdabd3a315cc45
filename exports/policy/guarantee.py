"""The guarantee of the open tier in words and numbers, for manifests and descriptions."""

from typing import TypedDict

from exports.policy.domain import CAP


class Guarantee(TypedDict):
    """The most that one day's rows can reveal about anyone."""

    definition: str
    unit: str
    epsilon: float
    budget: float
    passes_counted_per_unit: int
    composition: str


def guarantee(*, epsilon: float, budget: float) -> Guarantee:
    """Return the guarantee of a day whose draw cost `epsilon` of its `budget`."""
    return Guarantee(
        definition="pure differential privacy, add or remove one unit",
        unit="one secret for one epoch",
        epsilon=epsilon,
        budget=budget,
        passes_counted_per_unit=CAP,
        composition="N days of one secret cost N times epsilon",
    )
