"""The schedule's work in the night after a simulated day, on the town's clock."""

import datetime as dt

from common.purge import purge_expired
from exports.release.closed_days import mark_served, release_waiting
from exports.release.verified import publish_waiting
from exports.statistics.draws import draw_waiting
from risk.crowd.answers import settle_answers
from risk.crowd.refresh import refresh_crowd

__all__ = ["mark_served", "run_night"]


def run_night(*, now: dt.datetime, purge: bool = True) -> None:
    """Run crowd state, answers, purge, release and statistics of venues, as of `now`.

    `purge`: false if no data of the town can be due yet.
    """
    refresh_crowd(now=now)
    settle_answers(now=now)
    if purge:
        purge_expired(now=now)
    release_waiting(now=now)
    publish_waiting(now=now)
    draw_waiting(now=now)
