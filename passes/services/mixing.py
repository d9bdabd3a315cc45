"""The nightly mixing: rows written by people's actions are put into random order, in transactions of the task.

A table reveals more than its values: a row's place (`ctid`) and transaction (`xmin`) show which rows were written
together, so consecutive actions of one person could be linked. Rows written since the last run are deleted and inserted
again in random order, a batch of random ones in each transaction; if they are few, older ones are added. Place and
transaction then show the night of the mixing and nothing else. Until that night, a live SQL session can still see the
old order, and so can a copy of the data folder for as long as pages and log are not overwritten.
"""

import random
import time
from collections.abc import Iterator
from typing import Any, Final

from django.db import OperationalError, connection, models, transaction

from common.locks import MIXING, hold
from common.privacy import declared_models
from passes.models import Mixed

BATCH: Final = 1_000
"""Rows in one transaction: some tens of milliseconds, for which doors wait."""
FEWEST: Final = 1_000
"""Smallest number of rows that are mixed together, including older ones."""
PATIENCE: Final = "200ms"
"""Longest wait of a batch for locks, because others queue behind it; it tries again after a pause."""
PAUSE_S: Final = 0.05
TRIES: Final = 200


def mix_rows() -> dict[str, int]:
    """Mix what was written since the last run; return the number of rows of each model.

    Safe to repeat and to interrupt.
    """
    mark = Mixed.objects.get_or_create(id=1)[0]
    start = _number("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
    counts = {}
    for model, privacy in declared_models():
        if privacy.is_mixed:
            keys = _written(model, mark)
            random.SystemRandom().shuffle(keys)
            for at in range(0, len(keys), BATCH):
                mark.own.append(_mix_patiently(model, keys[at : at + BATCH]))
                mark.save()
            counts[model._meta.label] = len(keys)
    mark.own, mark.horizon = [own for own in mark.own if own >= start], start
    mark.save()
    return counts


def _written(model: type[models.Model], mark: Mixed) -> list[Any]:
    """Return keys of the rows written since the last run and, if they are few, of older ones."""
    table, key = _names(model)
    # `xmin` is the lower half of a transaction's number.
    is_new = "age(xmin) <= %(age)s AND NOT xmin::text::bigint = ANY(%(own)s)"
    age = _number("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint") - mark.horizon
    values = {"age": min(age, 2**31 - 1), "own": [own % 2**32 for own in mark.own]}
    found = list(_column(f"SELECT {key} FROM {table} WHERE {is_new}", values))  # noqa: S608 - names of our models
    if not found:
        return []
    values["missing"] = max(0, FEWEST - len(found))
    older = f"SELECT {key} FROM {table} WHERE NOT ({is_new}) ORDER BY random() LIMIT %(missing)s"  # noqa: S608 - the same
    return found + list(_column(older, values))


def _mix_patiently(model: type[models.Model], keys: list[Any]) -> int:
    for attempt in range(TRIES):
        try:
            return _mix(model, keys)
        except OperationalError:  # another transaction held a row or the lock for longer than a door may wait
            if attempt == TRIES - 1:
                raise
            time.sleep(PAUSE_S)
    raise AssertionError


@transaction.atomic
def _mix(model: type[models.Model], keys: list[Any]) -> int:
    """Write rows again in the order of their keys here; return the number of the transaction."""
    table, key = _names(model)
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{PATIENCE}'")
        hold(MIXING)
        cursor.execute(
            f"""
            WITH gone AS (DELETE FROM {table} WHERE {key} = ANY(%(keys)s) RETURNING *)
            INSERT INTO {table} SELECT gone.* FROM gone
            JOIN unnest(%(keys)s) WITH ORDINALITY AS wanted (key, number) ON wanted.key = gone.{key}
            ORDER BY wanted.number
            """,  # noqa: S608 - the same
            {"keys": keys},
        )
    return _number("SELECT pg_current_xact_id()::text::bigint")


def _names(model: type[models.Model]) -> tuple[str, str]:
    quote = connection.ops.quote_name
    return quote(model._meta.db_table), quote(str(model._meta.pk.column))


def _column(statement: str, values: dict[str, Any]) -> Iterator[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        for (value,) in cursor.fetchall():
            yield bytes(value) if isinstance(value, memoryview) else value


def _number(statement: str) -> int:
    return int(next(_column(statement, {})))
