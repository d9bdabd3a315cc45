"""Readings that a door may require: their ranges, and the unit in which people read temperatures.

Everything is stored and sent in degrees Fahrenheit; only displayed and entered values use the deployment's unit.
"""

from typing import Final, Literal

TemperatureUnit = Literal["F", "C"]

TEMPERATURE_RANGE_F: Final = (50.0, 150.0)
"""Lowest and highest value accepted as a temperature, in degrees Fahrenheit. A fever in Celsius is outside of it."""
LOWEST_LIMIT_F: Final = 95
HIGHEST_LIMIT_F: Final = 106
"""Range for a venue's highest temperature, in degrees Fahrenheit."""
LOWEST_OXYGEN: Final = 70
HIGHEST_OXYGEN: Final = 100
"""Range for a venue's lowest oxygen saturation, in percent."""
OXYGEN_RANGE: Final = (0.0, 100.0)
"""Lowest and highest oxygen saturation, in percent."""


def to_fahrenheit(value: float, unit: TemperatureUnit) -> float:
    """Return a temperature of the given unit in degrees Fahrenheit, to a hundredth."""
    return round(value * 9 / 5 + 32, 2) if unit == "C" else value


def from_fahrenheit(value: float, unit: TemperatureUnit) -> float:
    """Return a temperature in degrees Fahrenheit in the given unit, to a hundredth."""
    return round((value - 32) * 5 / 9, 2) if unit == "C" else value
