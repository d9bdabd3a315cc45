"""What other rooms may ask of this one."""

from risk.air import record_air
from risk.crowd import Refreshed, recompute_crowd, refresh_crowd
from risk.estimates import Folded, fold_reports
from risk.parameters import record_parameters
from risk.scouting import refresh_cards
from risk.signals import NewSignal, record_public_signals

__all__ = [
    "Folded",
    "NewSignal",
    "Refreshed",
    "fold_reports",
    "recompute_crowd",
    "record_air",
    "record_parameters",
    "record_public_signals",
    "refresh_cards",
    "refresh_crowd",
]
