"""Passes beyond the third are published by pools of 28 days, with one noise, and added to no day."""

import datetime as dt

import pytest
from django.db.models import F

from exports.lake.deployment import deployment_lake
from exports.models import PassPool, Release, Step
from exports.policy.draw import Drawn
from exports.release import draw_log, pools
from exports.release.closed_days import draw_once, release_day
from tests.exports.rows import CLOSED, DAY, a_pass, a_place, a_scanned_pass

pytestmark = pytest.mark.django_db
ONE_DAY = dt.timedelta(days=1)
FIRST = pools.first_day_of(DAY)
BUDGET = 2000.0  # so that the noise of a pool, of scale 0.4, is small


def drawn_on(day: dt.date, budget: float = BUDGET) -> Release:
    return draw_once(release=Release.objects.create(day=day, budget=budget), now=CLOSED)


def test_every_day_has_one_pool_and_pools_follow_without_gaps() -> None:
    firsts = [pools.first_day_of(FIRST + number * ONE_DAY) for number in range(57)]
    assert firsts == [FIRST] * 28 + [FIRST + 28 * ONE_DAY] * 28 + [FIRST + 56 * ONE_DAY]


def test_a_pool_counts_all_scanned_passes_marked_or_not_and_no_refusal() -> None:
    place = a_place()
    for counted in (True, True, False, False, False):
        a_scanned_pass(place, day=FIRST, counted=counted)
    a_pass(place, day=FIRST, go=False, refused_hour=9)
    a_scanned_pass(place, day=FIRST + ONE_DAY, counted=False)
    for day in (FIRST, FIRST + ONE_DAY):
        drawn_on(day)
    pool = PassPool.objects.get()
    assert abs(pool.noisy_sum - 6) <= 6
    assert (pool.first_day, pool.days) == (FIRST, 2)


def test_the_draw_and_the_pool_together_cost_the_budget() -> None:
    row = drawn_on(DAY, budget=1.0)
    drawn = Drawn.from_bytes(bytes(row.drawn or b""))
    assert row.epsilon == drawn.epsilon + drawn.pool_epsilon
    assert 1 - 1e-6 < (row.epsilon or 0) <= 1
    assert drawn.pool_epsilon == pytest.approx(pools.SHARE)
    assert PassPool.objects.get().scale == pytest.approx(16 / pools.SHARE)


def test_the_stored_sum_is_noisy_from_the_beginning() -> None:
    sums = set()
    for number in range(12):
        drawn_on(FIRST + number * 28 * ONE_DAY, budget=1.0)
        sums.add(PassPool.objects.order_by("-first_day")[0].noisy_sum)
    # Nobody came: each sum is the noise alone, of scale 800.
    assert len(sums) > 6


def test_a_pool_is_published_once_after_its_end_with_what_lies_beyond_the_third() -> None:
    place = a_place()
    for counted in (True, True, True, False, False):
        a_scanned_pass(place, day=FIRST, counted=counted)
    row = drawn_on(FIRST)
    row.step, row.signals = (
        Step.ANNOUNCED,
        [
            ["nation", "us", FIRST.isoformat(), "approved", 3.0, 0.5, 3],
            ["nation", "us", FIRST.isoformat(), "refused", 9.0, 0.5, 3],
        ],
    )
    row.save()
    assert pools.publish_pools(release=row) == []
    after = drawn_on(FIRST + 28 * ONE_DAY)
    [found] = pools.publish_pools(release=after)
    assert (found["first_day"], found["days"], found["counted"]) == (FIRST.isoformat(), 1, 3.0)
    assert found["beyond_the_third"] == found["scanned"] - 3.0
    assert abs(found["beyond_the_third"] - 2) <= 6
    assert pools.publish_pools(release=after) == [found]
    assert pools.publish_pools(release=drawn_on(FIRST + 29 * ONE_DAY)) == []


def test_a_day_that_comes_after_its_pool_was_published_is_not_added() -> None:
    drawn_on(FIRST)
    pools.publish_pools(release=drawn_on(FIRST + 28 * ONE_DAY))
    before = PassPool.objects.get(first_day=FIRST).noisy_sum
    late = drawn_on(FIRST + ONE_DAY)
    assert Drawn.from_bytes(bytes(late.drawn or b"")).pool_epsilon == 0
    assert PassPool.objects.get(first_day=FIRST).noisy_sum == before


def forget(row: Release, pool: PassPool | None) -> None:
    """Restore the ledger from a backup made before that release, in which the pool had these values."""
    row.delete()
    PassPool.objects.all().delete()
    if pool is not None:
        pool.save(force_insert=True)


@pytest.mark.usefixtures("deployment")
@pytest.mark.parametrize("begun", [True, False])
def test_a_pool_lost_by_a_restored_backup_is_never_published_twice_with_its_noise(*, begun: bool) -> None:
    """The noise is the same and the days are fewer: two published sums would differ by exact numbers of passes."""
    place, second = a_place(), FIRST + ONE_DAY
    first = drawn_on(FIRST)
    backup = PassPool.objects.get() if begun else None
    for _ in range(3):
        a_scanned_pass(place, day=second)
    with deployment_lake() as lake:
        row = drawn_on(second)
        for known in (first, row):
            draw_log.keep(lake=lake, release=known)
        forget(row, backup)
        assert draw_log.reconcile(lake=lake) == [second]
    assert drawn_on(second + ONE_DAY).epsilon == pytest.approx(BUDGET * (1 - pools.SHARE))
    assert pools.publish_pools(release=drawn_on(FIRST + 28 * ONE_DAY)) == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("deployment")
def test_a_release_adopted_from_the_lake_keeps_the_pools_that_it_published() -> None:
    place, day = a_place(), FIRST + 28 * ONE_DAY
    for number in range(40):
        a_scanned_pass(place, day=day, hour=number % 24)
    drawn_on(FIRST, budget=1.0)
    now = CLOSED + (day - DAY)
    before = release_day(day=day, now=now)
    assert [pool["first_day"] for pool in before.manifest["pools"]] == [FIRST.isoformat()]
    PassPool.objects.update(published_in=None, noisy_sum=F("noisy_sum") - 1)
    before.delete()
    assert release_day(day=day, now=now).manifest["pools"] == before.manifest["pools"]
    assert not PassPool.objects.filter(first_day=FIRST, published_in=None).exists()
