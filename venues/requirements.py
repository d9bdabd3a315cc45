"""The requirements of a venue as a value, with sensible defaults."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Self

from venues.hours import ALWAYS_OPEN, BadHours, Hours, check_hours

DEFAULT_CAPACITY = 100


def people_limit(capacity: int, enforced_percent: int) -> int:
    """Return how many people may be inside at once: a share of the capacity, rounded down, and at least one."""
    return max(1, capacity * enforced_percent // 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementValues:
    """All values of one version. The defaults refuse symptoms and diagnoses, require the rotating code, never close."""

    capacity: int = DEFAULT_CAPACITY
    enforced_limit_percent: int = 100
    refuse_symptoms: bool = True
    refuse_diagnosed: bool = True
    refuse_contact: bool = False
    refuse_near: bool = False
    max_temperature_f: float | None = None
    min_o2: int | None = None
    rotating_code: bool = True
    hours: Hours = field(default_factory=lambda: [[list(pair) for pair in day] for day in ALWAYS_OPEN])

    @classmethod
    def of(cls, row: object) -> Self:
        """Return the values of a row (or of anything with the same attributes)."""
        return cls(**{one.name: getattr(row, one.name) for one in fields(cls)})

    def changed(self, changes: Mapping[str, object]) -> Self:
        """Return a copy with some values replaced. Raise `TypeError` for unknown names."""
        return replace(self, **changes)  # type: ignore[arg-type]

    @property
    def people_limit(self) -> int:
        """Return how many people may be inside at once."""
        return people_limit(self.capacity, self.enforced_limit_percent)

    def as_dict(self) -> dict[str, object]:
        """Return the values by name."""
        return {one.name: getattr(self, one.name) for one in fields(self)}

    def checked_hours(self) -> list[list[list[int]]]:
        """Return hours as plain lists. Raise `BadHours`."""
        return check_hours(self.hours)


__all__ = ["DEFAULT_CAPACITY", "BadHours", "RequirementValues", "people_limit"]
