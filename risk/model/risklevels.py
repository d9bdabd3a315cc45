"""Classify a chance of infection or of being infectious: Low, Moderate or High."""

from typing import Final, Literal, get_args

from risk.model.far import InvalidInputError

RiskLevel = Literal["Low", "Moderate", "High"]
RISKLEVELS: Final[tuple[RiskLevel, ...]] = get_args(RiskLevel)
MODERATE_FROM: Final = 0.01
HIGH_FROM: Final = 0.05


def risklevel(probability: float) -> RiskLevel:
    """Return Low below 1 %, Moderate below 5 %, High from 5 %; our choice."""
    if not 0.0 <= probability <= 1.0:
        raise InvalidInputError("probability", "must be between 0 and 1")
    return "Low" if probability < MODERATE_FROM else "Moderate" if probability < HIGH_FROM else "High"
