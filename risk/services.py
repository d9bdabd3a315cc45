"""What other rooms may ask of this one."""

from risk.air import record_air
from risk.crowd import Refreshed, recompute_crowd, refresh_crowd
from risk.curves import refresh_cards
from risk.estimates import Folded, fold_reports, settle_waiting
from risk.occupancy import band
from risk.parameters import parameters_at_start, record_parameters
from risk.signals import NewSignal, Signal, record_public_signals, signals_of

__all__ = [
    "Folded",
    "NewSignal",
    "Refreshed",
    "Signal",
    "band",
    "fold_reports",
    "parameters_at_start",
    "recompute_crowd",
    "record_air",
    "record_parameters",
    "record_public_signals",
    "refresh_cards",
    "refresh_crowd",
    "settle_waiting",
    "signals_of",
]
