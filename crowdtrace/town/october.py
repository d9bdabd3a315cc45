"""Sixteen days of October 2020 of a simulated town in the demonstration's lake, for the published queries.

Simulating and drawing them takes minutes, so their drawn counts come from `data/october_2020.json.gz`, which
`tools/make_october_demonstration.py` makes with the code that releases real days. They enter the ledger in the way of
draws that only the lake has, so that every later step is the ordinary one, and each says that its day is simulated.
"""

import datetime as dt
import gzip
import json
from pathlib import Path
from typing import Any, Final

from crowdtrace.town.nightly import mark_served
from exports.lake.deployment import deployment_lake
from exports.models import Release, Step
from exports.release import draw_log
from exports.release.closed_days import release_days

FILE: Final = Path(__file__).parent / "data" / "october_2020.json.gz"
FIRST: Final = dt.date(2020, 10, 1)
LAST: Final = dt.date(2020, 10, 16)


def ensure_october(*, now: dt.datetime) -> bool:
    """Publish the simulated days unless they are published; return whether any were."""
    if Release.objects.filter(day__range=(FIRST, LAST), step=Step.ANNOUNCED).count() > (LAST - FIRST).days:
        return False
    days = {dt.date.fromisoformat(each["day"]): each for each in json.loads(gzip.decompress(FILE.read_bytes()))}
    mark_served(days=set(days), simulated=True)
    with deployment_lake() as lake:
        for day, document in days.items():
            drawn: dict[str, Any] = document["draw"]
            drawn["manifest"] |= {draw_log.SHIPPED: True}
            draw_log.offer(lake=lake, day=day, document=drawn)
        draw_log.reconcile(lake=lake)
    release_days(days=sorted(days), now=now)
    return True


def withdraw_october(*, first: dt.date, last: dt.date) -> None:
    """Withdraw all sixteen days, so that a town that is simulated on some of them is not mixed with another one."""
    days = [FIRST + dt.timedelta(days=number) for number in range((LAST - FIRST).days + 1)]
    shipped = Release.objects.filter(day__in=days, **{f"manifest__{draw_log.SHIPPED}": True})
    if first <= LAST and last >= FIRST and shipped.exists():
        with deployment_lake() as lake:
            draw_log.withdraw_shipped(lake=lake, days=days)


def documents(releases: list[Release]) -> list[dict[str, Any]]:
    """Return the releases of the file: their draws, as the lake stores them."""
    return [{"day": each.day.isoformat(), "draw": draw_log.document_of(each)} for each in releases]
