"""The nightly purge, which carries out every model's declared retention."""

from __future__ import annotations

import datetime as dt
import itertools
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final, cast

from django.db import models, transaction
from django.db.models.constants import LOOKUP_SEP

from common.days import last_begun_day
from common.privacy import Retention, declared_models
from common.time import deployment_zone

BATCH: Final = 5_000
SIMULATED: Final = "simulated_until"
_CLOCK: Final = LOOKUP_SEP.join(["organisation", SIMULATED])


def purge_expired(*, now: dt.datetime) -> dict[str, int]:
    """Delete rows, or set fields to NULL, that are past their retention.

    Return the number of deleted rows by model (`passes.Scan`), cascades included, and of fields set to NULL
    (`passes.Pass.anchor`). The purge works in batches with a transaction each, and skips rows that another transaction
    is changing: running it twice, even at the same time, has the effect of running it once.
    """
    counts: Counter[str] = Counter()
    for model, privacy in declared_models():
        for retention in privacy.retention:
            for expired in _expired(model, retention, now):
                counts.update(_blank(expired, retention.blank) if retention.blank else _delete(expired))
    return dict(sorted(counts.items()))


def _expired(model: type[models.Model], retention: Retention, now: dt.datetime) -> Iterator[models.QuerySet[Any]]:
    """Yield the rows past one retention: one queryset for the real clock, and one for each simulated clock."""
    rows = model._base_manager.all()
    field = _resolve(model, retention.field)
    if retention.venue is None:
        yield rows.filter(_is_past(field, retention, now))
        return
    clock = LOOKUP_SEP.join([retention.venue, _CLOCK])
    yield rows.filter(_is_past(field, retention, now), **{clock: None})
    for then in _simulated_clocks(model, retention.venue):
        yield rows.filter(_is_past(field, retention, then), **{clock: then})


def _is_past(field: models.Field[Any, Any], retention: Retention, now: dt.datetime) -> models.Q:
    limit = now - retention.after
    if isinstance(field, models.DateTimeField):
        return models.Q(**{f"{retention.field}__lte": limit})
    if isinstance(field, models.DateField):
        return models.Q(**{f"{retention.field}__lte": last_begun_day(limit, deployment_zone())})
    raise TypeError(f"{field} of a retention is neither a date nor a time")


def _simulated_clocks(model: type[models.Model], venue: str) -> list[dt.datetime]:
    """Return the ends of simulated pasts, as stored with the organisations of venues."""
    *_, organisation = _walk(model, LOOKUP_SEP.join([venue, "organisation"]))
    related = cast(type[models.Model], organisation.related_model)
    clocks = related._base_manager.exclude(**{SIMULATED: None}).values_list(SIMULATED, flat=True)
    return sorted(set(clocks))


def _walk(model: type[models.Model], path: str) -> Iterator[models.Field[Any, Any]]:
    for name in path.split(LOOKUP_SEP):
        field = cast("models.Field[Any, Any]", model._meta.get_field(name))
        yield field
        if isinstance(field.related_model, type):
            model = field.related_model


def _resolve(model: type[models.Model], path: str) -> models.Field[Any, Any]:
    """Return the field at the end of a look-up path such as `pass_row__epoch`."""
    *_, last = _walk(model, path)
    return last


def _delete(expired: models.QuerySet[Any]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for keys in _batches(expired):
        with transaction.atomic():
            _total, by_model = _locked(expired, keys).delete()
            counts.update(by_model)
    return counts


def _blank(expired: models.QuerySet[Any], name: str) -> Counter[str]:
    counts: Counter[str] = Counter()
    remaining = expired.exclude(**{name: None})
    for keys in _batches(remaining):
        with transaction.atomic():
            counts[f"{expired.model._meta.label}.{name}"] += _locked(remaining, keys).update(**{name: None})
    return counts


def _batches(rows: models.QuerySet[Any]) -> Iterator[list[Any]]:
    """Yield keys of all rows, read once: most retentions have no index, so that doors write none."""
    keys = rows.order_by().values_list("pk", flat=True).iterator(chunk_size=BATCH)
    while batch := list(itertools.islice(keys, BATCH)):
        yield batch


def _locked(rows: models.QuerySet[Any], keys: list[Any]) -> models.QuerySet[Any]:
    """Lock those of the rows that are still expired and that no other transaction is changing."""
    free = rows.filter(pk__in=keys).select_for_update(skip_locked=True, of=("self",)).order_by("pk")
    found: models.QuerySet[Any] = rows.model._base_manager.filter(pk__in=list(free.values_list("pk", flat=True)))
    return found
