"""Room air: how fast it loses virus, and what measured CO2 shows about it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from risk.model.constants import Constant
from risk.model.far import InvalidInputError
from risk.model.kinds import Kind
from risk.model.parameters import Parameters

_Z95 = 1.6448536269514722


def log_sd(constant: Constant) -> float:
    """Return the log standard deviation of a positive constant's range."""
    return float(np.log(constant.high / constant.low) / (2.0 * _Z95))


@dataclass(frozen=True, slots=True)
class RoomAir:
    """The estimate of a room: medians and log standard deviations of volume and outdoor air, and filters.

    ``source``: "prior", "entered" (by the venue) or "measured" (CO2).
    """

    volume_m3: float
    volume_log_sd: float
    air_changes_per_h: float
    air_log_sd: float
    filter_changes_per_h: float = 0.0
    source: str = "prior"

    def interval(self) -> tuple[float, float]:
        """Return the 5 % and 95 % points of the air changes per hour."""
        spread = float(np.exp(_Z95 * self.air_log_sd))
        return self.air_changes_per_h / spread, self.air_changes_per_h * spread

    def removal_rate_per_h(self, parameters: Parameters) -> float:
        """Return total removal (1/h): outdoor air, filters, viral decay and settling."""
        return self.air_changes_per_h + self.filter_changes_per_h + parameters.pathogen.decay_and_settling_per_h


ENTERED_LOG_SD = 0.25
"""Error of a figure that a venue enters (log standard deviation); our assumption."""


def room_air(
    parameters: Parameters,
    kind: Kind,
    *,
    volume_m3: float | None = None,
    air_changes_per_h: float | None = None,
    filter_changes_per_h: float = 0.0,
) -> RoomAir:
    """Return the estimate before any measurement: the venue's figures, otherwise the kind's prior."""
    for name, value, least, most in (
        ("volume_m3", volume_m3, 1.0, 1e7),
        ("air_changes_per_h", air_changes_per_h, 0.01, 1000.0),
        ("filter_changes_per_h", filter_changes_per_h, 0.0, 100.0),
    ):
        if value is not None and not least <= value <= most:
            raise InvalidInputError(name, f"must be between {least} and {most}")
    prior = parameters.priors[kind]
    return RoomAir(
        volume_m3=prior.volume_m3.value if volume_m3 is None else volume_m3,
        volume_log_sd=log_sd(prior.volume_m3) if volume_m3 is None else 0.0,
        air_changes_per_h=prior.air_changes_per_h.value if air_changes_per_h is None else air_changes_per_h,
        air_log_sd=log_sd(prior.air_changes_per_h) if air_changes_per_h is None else ENTERED_LOG_SD,
        filter_changes_per_h=filter_changes_per_h,
        source="prior" if air_changes_per_h is None else "entered",
    )
