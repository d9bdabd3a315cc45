"""The nightly release: closed days, oldest first, each in resumable steps.

    extract, aggregate, draw -> check -> write -> catalogue -> announce

The draw is committed with the ledger row in one transaction, so a retry finds the noisy counts and never draws again.
Every later step depends on those counts alone and reads no row of a person. The lake has a copy of each draw, which is
looked up before a new draw (`draw_log`), so that a ledger restored from a backup draws no day twice.
"""

import datetime as dt
import logging
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any, Final

import numpy as np
from django.db import connection, transaction
from django.db.models import F, Max, Q

from common import audit
from common.logs import kind_of
from common.time import deployment_zone, z
from common.version import crowdtrace_version
from exports import conf
from exports.announce.webhooks import queue_deliveries
from exports.dataset.engines import lookup_rows
from exports.dataset.tables import CROWD_TRACING, DP_COUNTS, OPEN_TABLES, ZIP3, states_by_zip3
from exports.lake.catalogue import Lake
from exports.lake.deployment import deployment_lake
from exports.lake.files import files_of
from exports.lake.write import overwrite_day, overwrite_table
from exports.models import LeftOutDay, Plan, Release, ServedDay, Step
from exports.policy.checks import release_failures
from exports.policy.cut import USUAL_RELEASES, has_refusals, kept, usual_by_area
from exports.policy.daily import daily_by_state
from exports.policy.domain import ZIP_RISK_RESULT, workloads
from exports.policy.draw import Drawn, Known, draw
from exports.policy.estimates import Estimates
from exports.policy.fit import Fitted, fit
from exports.policy.guarantee import guarantee
from exports.policy.profile import drift_failures, profile
from exports.policy.rows import deal, dp_counts
from exports.policy.signals import signals_of
from exports.release import draw_log, pools
from exports.release.counts import exact_counts, rows_may_be_gone
from exports.release.plans import period_of, plan_of
from exports.release.risklevels import levels_on
from exports.release.signals import stored_signals, write_signals
from exports.release.thresholds import drift_limits
from exports.selectors import covered_days
from passes.limits import FASTEST_SURVEY_S
from passes.models import Pass

log = logging.getLogger(__name__)

TRIES: Final = 5
ESTIMAND: Final = (
    "counted check-ins: passes that were scanned or refused, at most three of one secret and epoch; not persons, and "
    "not all passes"
)
LOST: Final = "rows were past their term before they were counted; the day stays a gap, as nothing is guessed"


class ReleaseFailed(Exception):
    """A release failed and published nothing; the text says why."""


def closed_until(now: dt.datetime) -> dt.date:
    """Return the latest closed day, whose three days for late scans are over."""
    return now.astimezone(deployment_zone()).date() - conf.LATENESS


def mark_served(*, days: set[dt.date], simulated: bool = False) -> None:
    """Record that the deployment was in service on these days. A day marked as simulated stays so."""
    ServedDay.objects.bulk_create(
        [ServedDay(day=day, simulated=simulated) for day in sorted(days)], ignore_conflicts=True
    )
    if simulated:
        ServedDay.objects.filter(day__in=days).update(simulated=True)


def waiting_days(*, now: dt.datetime) -> list[dt.date]:
    """Return closed days in service that are not released yet, oldest first, without those whose rows are lost.

    A week that is drawn as one is represented by its last day.
    """
    last = closed_until(now)
    served = set(ServedDay.objects.filter(day__lte=last).values_list("day", flat=True))
    served |= set(Pass.objects.filter(epoch__lte=last).values_list("epoch", flat=True).distinct())
    is_over = Q(step=Step.ANNOUNCED) | Q(lost_at__isnull=False)
    # A started release is completed even if its rows are purged meanwhile.
    begun = set(Release.objects.exclude(is_over).values_list("day", flat=True))
    over = covered_days(Release.objects.filter(is_over).only("day", "days"))
    return sorted((_last_days(served - over, until=last) | begun) - over)


def _last_days(served: set[dt.date], *, until: dt.date) -> set[dt.date]:
    """Return the last days of the closed draws that these days belong to."""
    if conf.weekly_from() is None and not Plan.objects.filter(last_day__gt=F("first_day")).exists():
        return served
    ends = {period_of(day)[1] for day in served}
    return {day for day in ends if day <= until}


def failures(*, now: dt.datetime) -> list[str]:
    """Return a line for each waiting day and each day found lost at `now`: the reason, and what to do."""
    rows = Release.objects.filter(Q(day__in=waiting_days(now=now)) | Q(lost_at=now)).defer("drawn").order_by("day")
    again = " (tried %d times; --date %s tries again)"
    return [f"{row.day}: {row.failure}" + (again % (row.tries, row.day) if row.tries >= TRIES else "") for row in rows]


def release_waiting(*, now: dt.datetime) -> list[Release]:
    """Release every waiting day, oldest first. A failed day is retried in the next run and does not stop later ones.

    After `TRIES` failures, a day waits until an operator names it.
    """
    _agree_with_lake()
    tried = [_try_to_release(day, now) for day in _days_to_try(now)]
    return [release for release in tried if release is not None]


def _agree_with_lake() -> None:
    """Adopt draws that only the lake has, so that their days wait too. Without a lake, each day fails by itself."""
    try:
        with deployment_lake() as lake:
            draw_log.reconcile(lake=lake)
    except Exception:
        log.exception("ledger and lake could not be compared")


def _days_to_try(now: dt.datetime) -> list[dt.date]:
    given_up = set(Release.objects.filter(tries__gte=TRIES).values_list("day", flat=True))
    return [day for day in waiting_days(now=now) if day not in given_up]


def _try_to_release(day: dt.date, now: dt.datetime) -> Release | None:
    try:
        return release_day(day=day, now=now)
    except ReleaseFailed as error:
        # This text has only a step and a kind of error. The log line has the traceback without the error's message.
        log.error("the release of %s published nothing: %s", day, str(error), exc_info=error.__cause__)
        return None


def release_next(*, now: dt.datetime, after: dt.date = dt.date.min) -> dt.date | None:
    """Try to release the oldest waiting day after `after`; return that day, or `None` if none is waiting."""
    _agree_with_lake()
    day = next((waiting for waiting in _days_to_try(now) if waiting > after), None)
    if day is not None:
        _try_to_release(day, now)
    return day


def release_days(*, days: Sequence[dt.date], now: dt.datetime) -> None:
    """Release days whose draws the lake already has, in order; a failure is logged and retried at night."""
    for day in days:
        _try_to_release(day, now)


def release_day(*, day: dt.date, now: dt.datetime, accept_drift: bool = False) -> Release:
    """Release one day, or resume it at the step that failed; an announced day is returned unchanged.

    `accept_drift`: an operator has reviewed the drift since the day before, so publish it and say so in the manifest.

    Raise `ReleaseFailed` for a day that is not closed, was not served or may have lost rows, and if a step fails.
    """
    release = _open(day, now)
    if release.step == Step.ANNOUNCED:
        return release
    try:
        with deployment_lake() as lake:
            if release.step == Step.OPENED:
                release = _draw(release, lake, now)
            return _run(release, lake, now, accept_drift=accept_drift)
    except ReleaseFailed as error:
        _fail(release, str(error))
        raise
    except draw_log.DrawLogError as error:
        _fail(release, str(error))
        raise ReleaseFailed(str(error)) from error
    except Exception as error:
        why = f"step {_next_step(release)}: {kind_of(error)}"
        _fail(release, why)
        raise ReleaseFailed(why) from error


def _next_step(release: Release) -> Step:
    """Return the step at which a release failed."""
    order = list(Step)
    release.refresh_from_db(fields=["step"])
    return order[order.index(Step(release.step)) + 1]


def _open(day: dt.date, now: dt.datetime) -> Release:
    """Return the day's row in the ledger and count a try; the budget is fixed when the row is created."""
    existing = Release.objects.filter(day=day).first()
    if existing is None and day not in waiting_days(now=now):
        raise ReleaseFailed(f"{day} is not a closed day in service")
    if existing is None:
        first, last = period_of(day)
        defaults = {"budget": conf.budget(), "days": (last - first).days + 1}
        existing, _ = Release.objects.get_or_create(day=day, defaults=defaults)
    release = existing
    if release.step != Step.ANNOUNCED:
        release.tries += 1
        release.save(update_fields=["tries"])
    return release


def _draw(release: Release, lake: Lake, now: dt.datetime) -> Release:
    """Adopt the day's draw from the lake; if there is none, draw, provided that the rows are complete."""
    draw_log.reconcile(lake=lake)
    release.refresh_from_db()
    if release.step == Step.OPENED:
        draw_log.refuse_second_draw(lake=lake, day=release.day)
        _look_for_rows(release, now)
        release = draw_once(release=release, now=now)
    return release


def _look_for_rows(release: Release, now: dt.datetime) -> None:
    """Give up a day whose rows may be purged by now, because the rest would be published as if it were complete.

    The day is checked again each time an operator names it, because the clock may have been wrong.
    """
    gone = rows_may_be_gone(day=release.first_day, now=now)
    if gone != (release.lost_at is not None):
        release.lost_at = now if gone else None
        release.save(update_fields=["lost_at"])
    if gone:
        raise ReleaseFailed(LOST)


def _fail(release: Release, why: str) -> None:
    release.failure = why
    release.save(update_fields=["failure"])


def _run(release: Release, lake: Lake, now: dt.datetime, *, accept_drift: bool) -> Release:
    _keep_draw(release, lake)
    drawn = Drawn.from_bytes(bytes(release.drawn or b""))
    fitted, before = fit(drawn), _day_before(drawn.day)
    steps: tuple[tuple[Step, Callable[[Release], None]], ...] = (
        (Step.CHECKED, lambda row: _check(row, drawn, fitted, before, accept_drift)),
        (Step.WRITTEN, lambda row: _write(lake, drawn, fitted, job_of(row))),
        (Step.CATALOGUED, lambda row: _catalogue(row, lake, drawn, fitted, before)),
        (Step.ANNOUNCED, lambda row: _announce(row, lake, now)),
    )
    order = list(Step)
    for step, work in steps:
        with transaction.atomic():
            # The row is locked for the step: a second worker waits, then finds it completed.
            release = Release.objects.select_for_update().get(pk=release.pk)
            if order.index(Step(release.step)) >= order.index(step):
                continue
            work(release)
            release.step = step
            release.failure = ""
            release.save()
        log.info("release of %s: %s", release.day, step)
    return release


def _keep_draw(release: Release, lake: Lake) -> None:
    """Copy the draw to the lake before any of its numbers is published, even in the message of a failed check."""
    with transaction.atomic():
        row = Release.objects.select_for_update().get(pk=release.pk)
        if row.step == Step.DRAWN:
            draw_log.keep(lake=lake, release=row)


def draw_once(*, release: Release, now: dt.datetime) -> Release:
    """Extract, aggregate and draw, in one transaction with the ledger row; a drawn row is returned unchanged."""
    with transaction.atomic():
        row = Release.objects.select_for_update().get(pk=release.pk)
        if row.drawn is not None:
            return row
        drawn, basis = _drawn(row)
        row.drawn, row.epsilon, row.drawn_at, row.step = drawn.to_bytes(), drawn.cost, now, Step.DRAWN
        row.manifest = {"risklevel": basis}
        row.save()
    return row


def _drawn(row: Release) -> tuple[Drawn, dict[str, Any]]:
    """Return the draw of a release and the basis of its classes of risk; run it in the caller's transaction."""
    plan = plan_of(row.day)
    tables = workloads(zip3=plan.zips, readings=conf.readings())
    levels = levels_on(day=row.day, zip3=["", *plan.zips])
    counts = exact_counts(
        day=row.day, tables=tables, levels=levels.by_zip3, first_day=row.first_day, frozen_at=plan.frozen_at
    )
    known = Known(
        first_day=row.first_day,
        usual=usual_by_area(_draws_before(row.day, USUAL_RELEASES)),
        levels={zip3: "".join(map(str, line)) for zip3, line in levels.by_zip3.items()},
        pool_epsilon=pools.add_day(release=row),
    )
    budget = row.budget * (1 - pools.SHARE)
    return draw(day=row.day, counts=counts, tables=tables, budget=budget, known=known), dict(levels.basis)


def _draws_before(day: dt.date, most: int) -> list[Drawn]:
    """Return the counts of announced days before `day`, newest first."""
    held = Release.objects.filter(step=Step.ANNOUNCED, day__lt=day, drawn__isnull=False).order_by("-day")
    return [Drawn.from_bytes(bytes(drawn or b"")) for drawn in held.values_list("drawn", flat=True)[:most]]


def _day_before(day: dt.date) -> Drawn | None:
    """Return the counts of the newest announced day before `day`."""
    return next(iter(_draws_before(day, 1)), None)


def _check(release: Release, drawn: Drawn, fitted: Fitted, before: Drawn | None, accept_drift: bool) -> None:
    failures = release_failures(drawn=drawn, fitted=fitted, batches=deal(drawn, fitted).batches())
    moved = drift_failures(drawn=drawn, before=before, limits=drift_limits())
    if failures or (moved and not accept_drift):
        raise ReleaseFailed("; ".join(failures + moved))
    if moved:
        release.manifest["drift_accepted"] = moved


def job_of(release: Release) -> str:
    """Return the name of the job that writes a day; drawn days of the demonstration have another one."""
    kind = draw_log.SHIPPED if release.manifest.get(draw_log.SHIPPED) else draw_log.RELEASED
    return f"{kind}-{release.day.isoformat()}"


def _write(lake: Lake, drawn: Drawn, fitted: Fitted, job: str = "") -> None:
    job = job or f"{draw_log.RELEASED}-{drawn.day.isoformat()}"
    lake.agree()
    rows = deal(drawn, fitted)
    counts = dp_counts(drawn, fitted, rows)
    write_signals(lake=lake, day=drawn.day, signals=stored_signals(signals_of(drawn, states_by_zip3())), job=job)
    overwrite_day(lake=lake, described=DP_COUNTS, day=drawn.day, batches=counts.to_batches, job=job)
    overwrite_day(lake=lake, described=CROWD_TRACING, day=drawn.day, batches=rows.batches, job=job)
    overwrite_table(lake=lake, described=ZIP3, batches=lookup_rows().to_batches, job="zip3-1")


def _catalogue(release: Release, lake: Lake, drawn: Drawn, fitted: Fitted, before: Drawn | None) -> None:
    """Record manifest, files with their digests, profile and the day's aggregates."""
    files = [file for described in OPEN_TABLES for file in files_of(lake, described, drawn.day)]
    ended = pools.publish_pools(release=release)
    # A release adopted from the lake keeps the pools that it published; they are not computed again.
    release.manifest |= manifest(drawn, fitted) | {"files": files, "pools": release.manifest.get("pools", ended)}
    release.manifest["simulated"] = ServedDay.objects.filter(
        day__range=(release.first_day, release.day), simulated=True
    ).exists()
    signals = signals_of(drawn, states_by_zip3())
    release.signals = stored_signals(signals)
    release.profile = profile(drawn=drawn, fitted=fitted, before=before)
    release.daily = daily_by_state(
        day=drawn.day.isoformat(),
        batches=deal(drawn, fitted).batches(),
        states=states_by_zip3(),
        signals=signals,
    )


def _announce(release: Release, lake: Lake, now: dt.datetime) -> None:
    """Record the snapshots that readers see from now on, and the release's number."""
    with connection.cursor() as cursor:
        # Announcements are serialised: each sees the snapshots of those before it.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('crowdtrace/announce', 0))")
    release.number = (Release.objects.aggregate(last=Max("number"))["last"] or 0) + 1
    for described in OPEN_TABLES:
        snapshot = lake.table(described).current_snapshot()
        if snapshot is None:
            raise ReleaseFailed(f"{described.name} has no snapshot")
        # As text, because a snapshot's number exceeds JSON's exact integers.
        release.snapshots[described.name] = str(snapshot.snapshot_id)
    # A release adopted from the lake keeps the time of its announcement.
    release.announced_at = release.announced_at or now
    release.manifest["announced_at"] = z(release.announced_at)
    draw_log.keep(lake=lake, release=release)
    queue_deliveries(release=release, now=now)
    audit.record(actor="system", verb="release", subject=release.day.isoformat(), now=now)


def manifest(drawn: Drawn, fitted: Fitted) -> dict[str, Any]:
    """Return the manifest of a release: the guarantee with its parameters, and what is left out."""
    known = fitted.cells[1:].size
    return {
        "day": drawn.day.isoformat(),
        "first_day": drawn.first_day.isoformat(),
        "estimand": ESTIMAND,
        "guarantee": guarantee(epsilon=drawn.cost, budget=drawn.allowed),
        "mechanism": "discrete Laplace (OpenDP)",
        "code": {"crowdtrace": crowdtrace_version(), "opendp": version("opendp")},
        "chance_that_a_pass_counts": drawn.keep,
        "scaled_by": fitted.factor,
        "cutoff_days": conf.LATENESS.days,
        "left_out": {"answered_in_under_s": FASTEST_SURVEY_S, "device_days": _device_days_left_out(drawn)},
        "tables": [
            {
                "name": table.workload.name,
                "cells": table.workload.cells,
                "axes": {axis.name: len(axis.values) for axis in table.workload.axes},
                "core": table.workload.core,
                "l1_distance": table.workload.l1,
                "noise_scale": table.scale,
                "epsilon": table.epsilon,
                "share_of_budget": table.epsilon / drawn.cost,
            }
            for table in drawn.tables
        ],
        "epsilon_of_pool": drawn.pool_epsilon,
        "rows": fitted.total,
        "rows_without_zip": int(fitted.cells[0].sum()),
        "rows_of_unknown_zip": _of_unknown_zip(drawn, fitted),
        "cells_suppressed": int(np.count_nonzero(~fitted.published[1:])),
        "cells": known,
        "null_columns": list(fitted.nulls),
        "refusals_cut": _refusals_cut(drawn),
    }


def _device_days_left_out(drawn: Drawn) -> int:
    """Return the number of days of devices that the operator left out."""
    return LeftOutDay.objects.filter(day__range=(drawn.first_day, drawn.day)).count()


def _refusals_cut(drawn: Drawn) -> dict[str, float]:
    """Return the share of refusals kept, by area, for areas whose refusals are cut."""
    if not has_refusals(drawn):
        return {}
    areas = drawn.table(ZIP_RISK_RESULT).workload.axes[0].values
    return {area: round(float(share), 4) for area, share in zip(areas, kept(drawn)[0], strict=True) if share < 1}


def _of_unknown_zip(drawn: Drawn, fitted: Fitted) -> int:
    """Return the rows of ZIPs that the lookup table does not have, by their noisy counts."""
    return max(0, round(float(Estimates(drawn).counts[ZIP_RISK_RESULT][0].sum()) * fitted.factor))
