"""Readings that a door may ask for: their ranges, and the unit in which people read temperatures.

Everything is kept and sent in degrees Fahrenheit; only what people see and type follows the deployment's unit.
"""

from typing import Final, Literal

TemperatureUnit = Literal["F", "C"]

TEMPERATURE_RANGE_F: Final = (50.0, 150.0)
"""Lowest and highest temperature that is taken for a reading. No fever in degrees Celsius lies in it."""
LOWEST_LIMIT_F: Final = 95
HIGHEST_LIMIT_F: Final = 106
"""Between these a venue may set its highest temperature."""
LOWEST_OXYGEN: Final = 70
HIGHEST_OXYGEN: Final = 100
"""Between these a venue may set its lowest oxygen saturation."""
OXYGEN_RANGE: Final = (0.0, 100.0)
"""Lowest and highest oxygen saturation, percent."""


def to_fahrenheit(value: float, unit: TemperatureUnit) -> float:
    """Return a temperature of the given unit in degrees Fahrenheit, to a hundredth."""
    return round(value * 9 / 5 + 32, 2) if unit == "C" else value


def from_fahrenheit(value: float, unit: TemperatureUnit) -> float:
    """Return a temperature in degrees Fahrenheit in the given unit, to a hundredth."""
    return round((value - 32) * 5 / 9, 2) if unit == "C" else value
