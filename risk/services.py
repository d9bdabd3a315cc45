"""What other rooms may ask of this one."""

from risk.crowd.air import record_air
from risk.crowd.cases import NewSignal, Signal, record_public_signals, signals_of
from risk.crowd.parameters import parameters_at_start, record_parameters
from risk.crowd.refresh import Refreshed, recompute_crowd, refresh_crowd
from risk.crowd.reports import Folded, fold_reports, settle_waiting
from risk.scouting.curves import refresh_cards
from risk.scouting.occupancy import band

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
