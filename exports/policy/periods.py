"""The periods of draws of venue statistics, and their shares of the budget. Loaded by every process: no library."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Period(StrEnum):
    """The period of a draw: a day's draw counts outcomes and hours, a week's the ratings."""

    DAY = "day"
    WEEK = "week"


SHARE: Final[Mapping[Period, float]] = MappingProxyType({Period.DAY: 0.7, Period.WEEK: 0.3})
"""Shares of the budget of a person and day, because a day is in one draw of each kind."""
