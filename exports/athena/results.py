"""Results of queries in Athena's protocol: written under quotas, because anyone can send queries.

Two limits apply: to all results together, and to a client's results in an hour. Beyond the first, the oldest results
are removed; beyond the second, nothing is written. Clients are counted as for rate limits: by a keyed hash of the
network, in memory, for at most two hours.
"""

import io
import uuid
from typing import Any, Final

import pyarrow as pa
from django.db import connection, transaction
from django.db.models import Sum

from common.web import throttles
from exports import conf
from exports.athena.wire import THROTTLED, AthenaError, to_csv
from exports.engine.results import to_arrow
from exports.lake.deployment import storage
from exports.lake.storage import StoredObject
from exports.models import AthenaQuery

FOLDER: Final = "results"
# Files are counted as whole disk blocks, so that many small ones do not bypass the quota.
BLOCK: Final = 4096
# A tenth of the quota is freed at once, because each time the folder must be listed.
ROOM: Final = 0.1
# Texts of queries are stored too, as rows; the oldest are deleted.
MOST_QUERIES: Final = 10_000
SCOPE: Final = "athena-results"
REMOVED: Final = "The results were removed to make room for newer ones. Run the query again."


def charge(client: str, size: int) -> None:
    """Count `size` bytes against the client's hour; raise `AthenaError` if they are too many."""
    verdict = throttles.hit(SCOPE, client, cost=-(-size // 1024))
    if verdict is not None and not verdict.allowed:
        minutes = -(-verdict.reset // 60)
        raise AthenaError(
            f"Your queries have written as much as they may in an hour ({verdict.quota // 1024} MB). Ask for fewer "
            f"rows or columns, aggregate in SQL, or wait {minutes} minutes.",
            kind=THROTTLED,
        )


def keep(pk: uuid.UUID, table: pa.Table, client: str) -> None:
    """Write the rows of a query as Arrow and as CSV; raise `AthenaError` if a quota is used up."""
    files = {f"{pk}.arrow": to_arrow(table), f"{pk}.csv": to_csv(table)}
    size = sum(-(-len(data) // BLOCK) * BLOCK for data in files.values())
    charge(client, size)
    if _reserve(pk, size):
        sweep_results()
    for name, data in files.items():
        storage().write(f"{FOLDER}/{name}", data)


def _reserve(pk: uuid.UUID, size: int) -> bool:
    """Reserve the bytes before they are written; return whether older results, no longer reserved, must be removed."""
    quota = conf.athena_results_bytes()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('crowdtrace/exports/results', 0))")
        held = AthenaQuery.objects.filter(stored_bytes__gt=0)
        total: int = held.aggregate(total=Sum("stored_bytes"))["total"] or 0
        goal = total + size - quota
        gone: list[Any] = []
        if goal > 0:
            goal += int(quota * ROOM)
            ended = held.exclude(completed_at=None).order_by("completed_at")
            for old, its in ended.values_list("pk", "stored_bytes"):
                if goal <= 0:
                    break
                gone.append(old)
                goal -= its
                total -= its
            if total + size > quota:
                raise AthenaError("The results that this deployment keeps leave no room. Try again in a minute.")
            AthenaQuery.objects.filter(pk__in=gone).update(stored_bytes=0, reason=REMOVED)
        AthenaQuery.objects.filter(pk=pk).update(stored_bytes=size)
    return bool(gone)


def read(row: AthenaQuery) -> pa.Table:
    """Return the rows of a query that succeeded; raise `AthenaError` if they were removed."""
    try:
        with storage().open(f"{FOLDER}/{row.pk}.arrow") as stream:
            return pa.ipc.open_stream(io.BytesIO(stream.read())).read_all()
    except FileNotFoundError:
        raise AthenaError(f"Could not find results. {REMOVED}") from None


def read_csv(row: AthenaQuery) -> bytes:
    """Return the rows of a query that succeeded as CSV; raise `AthenaError` if they were removed."""
    try:
        with storage().open(f"{FOLDER}/{row.pk}.csv") as stream:
            return stream.read()
    except FileNotFoundError:
        raise AthenaError(REMOVED) from None


def forget_oldest() -> None:
    """Delete the oldest queries beyond the maximum; the next sweep removes their results."""
    newest = AthenaQuery.objects.order_by("-submitted_at").values("pk")
    for row in newest[MOST_QUERIES : MOST_QUERIES + 1000]:
        AthenaQuery.objects.filter(pk=row["pk"]).exclude(completed_at=None).delete()


def sweep_results() -> int:
    """Remove results without a reservation; return the number of objects removed."""
    store = storage()
    known = {str(pk) for pk in AthenaQuery.objects.filter(stored_bytes__gt=0).values_list("pk", flat=True)}
    objects = store.objects()
    old = [each for each in objects.versions(store.at(FOLDER)) if not _is_of(each, known)]
    objects.remove(old)
    return len(old)


def _is_of(stored: StoredObject, known: set[str]) -> bool:
    return stored.is_current and stored.url.rpartition("/")[2].partition(".")[0] in known
