"""What the schedule does in the night after a simulated day, on the town's clock."""

import datetime as dt
import importlib
import logging
from importlib.util import find_spec
from types import ModuleType

from crowdtrace.common.purge import purge_expired

log = logging.getLogger(__name__)


def run_night(*, now: dt.datetime, purge: bool = True) -> None:
    """Crowd state, purge and release, as of `now`. `purge`: false where nothing of the town can be due yet."""
    crowd = _room("risk.crowd")
    if crowd is not None:
        crowd.refresh_crowd(now=now)
    if purge:
        purge_expired(now=now)
    releases = _room("exports.services.releases")
    if releases is not None:
        releases.release_waiting(now=now)


def mark_served(*, days: set[dt.date]) -> None:
    """Note that these days were lived, so that one without a visit is released as empty."""
    releases = _room("exports.services.releases")
    if releases is not None:
        releases.mark_served(days=days)


def missing_parts() -> list[str]:
    """Names of what the night should do and this checkout does not have."""
    return [name for name in ("risk.crowd", "exports.services.releases") if _room(name) is None]


def _room(name: str) -> ModuleType | None:
    parent = name.rpartition(".")[0]
    if find_spec(parent) is None or find_spec(name) is None:
        return None
    return importlib.import_module(name)
