"""Passes beyond the third of a person, counted by pools of 28 days: a separate figure that is added to no day.

The dataset counts three passes of one secret and epoch. One person can change the number of all scanned passes by 16,
so its noise is large; for one day it exceeded the figure itself. A pool has one noise value for 28 days, drawn when the
pool begins, so that the stored sum is noisy at any time; each day's passes are added to it. Refusals are left out,
because anyone can make them.
"""

import datetime as dt
import math
from typing import Any, Final

import numpy as np
from django.db import connection

from exports.models import PassPool, Release, Step
from exports.policy.domain import REFUSED
from exports.policy.draw import Drawn
from exports.policy.noise import discrete_laplace, variance
from passes.limits import PASSES_PER_EPOCH

DAYS: Final = 28
# Share of a day's budget that its pool gets.
SHARE: Final = 0.02
# Signals of scanned passes.
SCANNED: Final = ("approved", "declined")


def add_day(*, release: Release) -> float:
    """Add a day's scanned passes, from `make_rows` in this transaction, to its pool; return the day's cost.

    A day of a closed pool costs nothing and is not added.
    """
    first, epsilon = first_day_of(release.day), release.budget * SHARE
    pool = PassPool.objects.select_for_update().filter(first_day=first).first() or _begin(first, epsilon)
    if pool.published_in is not None or pool.epsilon > epsilon:
        return 0.0
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM release_rows WHERE outcome < %s", [REFUSED])
        pool.noisy_sum += cursor.fetchone()[0]
    pool.days += release.days
    pool.save()
    return epsilon


def retire_pool_of(drawn: Drawn) -> None:
    """Close the pool of a day whose draw comes from the lake: it is never published, and no day is added to it.

    The restored sum lacks the day's passes, but has the same noise as a sum that may be published already: the
    difference of the two would be exact. A published pool does not change.
    """
    if drawn.pool_epsilon:
        first = first_day_of(drawn.day)
        pool = PassPool.objects.select_for_update().filter(first_day=first).first() or _begin(first, drawn.pool_epsilon)
        pool.published_in = pool.published_in or drawn.day
        pool.save()


def first_day_of(day: dt.date) -> dt.date:
    """Return the first day of the pool of a day; pools are contiguous."""
    return day - dt.timedelta(days=day.toordinal() % DAYS)


def _begin(first: dt.date, epsilon: float) -> PassPool:
    scale = PASSES_PER_EPOCH / epsilon * (1 + 1e-9)
    noise, cost = discrete_laplace(np.zeros(1, dtype=np.int64), scale, PASSES_PER_EPOCH)
    return PassPool.objects.create(first_day=first, noisy_sum=int(noise[0]), scale=scale, epsilon=cost)


def publish_pools(*, release: Release) -> list[dict[str, Any]]:
    """Publish the pools that ended before the pool of this release; a repeated step publishes the same ones."""
    ended = PassPool.objects.select_for_update().filter(first_day__lt=first_day_of(release.day))
    found = [pool for pool in ended.order_by("first_day") if pool.published_in in (None, release.day)]
    for pool in found:
        pool.published_in = release.day
        pool.save()
    return [_described(pool) for pool in found]


def _described(pool: PassPool) -> dict[str, Any]:
    """Return the scanned passes of a pool, the counted ones, and their difference, with standard errors."""
    last = pool.first_day + dt.timedelta(days=DAYS - 1)
    counted, squares = 0.0, 0.0
    releases = Release.objects.filter(step=Step.ANNOUNCED, day__range=(pool.first_day, last))
    for signals in releases.values_list("signals", flat=True):
        for geo_type, _place, _time, signal, value, error, _size in signals:
            if geo_type == "nation" and signal in SCANNED:
                counted, squares = counted + value, squares + error**2
    noise = variance(pool.scale)
    return {
        "first_day": pool.first_day.isoformat(),
        "last_day": last.isoformat(),
        "days": pool.days,
        "scanned": pool.noisy_sum,
        "scanned_stderr": round(math.sqrt(noise), 1),
        "counted": round(counted, 1),
        "counted_stderr": round(math.sqrt(squares), 1),
        "beyond_the_third": round(pool.noisy_sum - counted, 1),
        "beyond_the_third_stderr": round(math.sqrt(noise + squares), 1),
        "epsilon": pool.epsilon,
    }
