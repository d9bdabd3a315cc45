"""Queries in Athena's protocol: run by the embedded engine, or forwarded to Athena itself.

There is no login: clients may run what anyone may run at `/api/v1/queries`. The operator, not the client, chooses the
location of results.
"""

import datetime as dt
import hashlib
import logging
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Protocol

from django.db import close_old_connections

from common.time import utc_now
from exports import conf
from exports.athena import results
from exports.athena.wire import CATALOGUE, ENGINE, THROTTLED, AthenaError, Json, page_of, results_page, work_group
from exports.engine.deployment import accept_query, query_limits
from exports.engine.engine import Accepted
from exports.engine.errors import LakeAwayError, QueryBusyError, QueryError
from exports.engine.run import run_accepted
from exports.lake.deployment import storage
from exports.models import AthenaQuery
from exports.selectors import tables_at

# The database that clients send by default.
UNSAID: Final = "default"
# Workgroups that clients send by default.
KNOWN_GROUPS: Final = ("primary",)
# A query whose process died is reported as failed this long after the time limit of a query.
GRACE: Final = dt.timedelta(seconds=30)
ENDED: Final = (AthenaQuery.State.SUCCEEDED, AthenaQuery.State.FAILED, AthenaQuery.State.CANCELLED)
log = logging.getLogger(__name__)


class Backend(Protocol):
    """The five operations."""

    def start(self, asked: Mapping[str, Any], now: dt.datetime) -> Json: ...
    def get(self, asked: Mapping[str, Any], now: dt.datetime) -> Json: ...
    def results(self, asked: Mapping[str, Any], now: dt.datetime) -> Json: ...
    def stop(self, asked: Mapping[str, Any], now: dt.datetime) -> Json: ...
    def group(self, asked: Mapping[str, Any], now: dt.datetime) -> Json: ...


def _text(asked: Mapping[str, Any]) -> str:
    """Return the text of the query that is asked for; raises `AthenaError` if something else is."""
    sql, context = asked.get("QueryString"), asked.get("QueryExecutionContext") or {}
    if not isinstance(sql, str):
        raise AthenaError("QueryString is missing, or is no text")
    if not isinstance(context, Mapping):
        raise AthenaError("QueryExecutionContext is an object")
    if context.get("Database") not in (None, UNSAID, conf.database()):
        raise AthenaError(f"Only the database {conf.database()} is here")
    if asked.get("ExecutionParameters"):
        raise AthenaError("Queries have no parameters here: write the values into the text")
    return sql


def _accepted(sql: str, *, forwarded: bool = False) -> Accepted:
    """Return the checked query, in its process; raises `AthenaError`. Live rows exist only here."""
    try:
        return accept_query(sql, dialect="athena", forwarded=forwarded)
    except QueryError as error:
        place = f"line {error.line}:{error.column}: " if error.line else ""
        raise AthenaError(f"{place}{error.detail}") from error
    except QueryBusyError as error:
        raise AthenaError(f"{error}.".capitalize(), kind=THROTTLED) from error


def backend(client: str) -> Backend:
    """Return the backend that the settings name, for one client; raises `AthenaError` if there is none."""
    match conf.athena_mode():
        case "local":
            return Local(client)
        case "forward":
            return Forward()
    raise AthenaError("This deployment does not answer Athena's protocol.", kind="AccessDeniedException")


# Here -----------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Local:
    """The embedded engine, for a `client` (its network). A query runs in a thread of the process that received it.

    Its state is a row. There is no queue: a query that finds no place is refused, and clients try again.
    """

    client: str

    def start(self, asked: Mapping[str, Any], now: dt.datetime) -> Json:
        """Start a query, once for each request token."""
        sql, token = _text(asked), asked.get("ClientRequestToken")
        hashed = hashlib.sha256(token.encode()).hexdigest() if isinstance(token, str) else uuid.uuid4().hex
        row = AthenaQuery.objects.filter(token=hashed).first() if token else None
        if row is None:
            results.charge(self.client, len(sql.encode()))
            accepted = _accepted(sql)
            with ExitStack() as stack:
                stack.enter_context(accepted)
                row, made = AthenaQuery.objects.get_or_create(token=hashed, defaults={"sql": sql, "submitted_at": now})
                if made:
                    _pool().submit(_run, row.pk, accepted, self.client)
                    stack.pop_all()
        if row.sql != sql:
            raise AthenaError("ClientRequestToken was used for another query")
        return {"QueryExecutionId": str(row.pk)}

    def get(self, asked: Mapping[str, Any], now: dt.datetime) -> Json:
        """Return the state and statistics of a query."""
        row = _row(asked, now)
        status: Json = {"State": row.state, "SubmissionDateTime": row.submitted_at.timestamp()}
        if row.completed_at:
            status["CompletionDateTime"] = row.completed_at.timestamp()
        if row.reason:
            status["StateChangeReason"] = row.reason
        return {
            "QueryExecution": {
                "QueryExecutionId": str(row.pk),
                "Query": row.sql,
                "StatementType": "DML",
                "ResultConfiguration": {"OutputLocation": f"{_output()}{row.pk}.csv"},
                "QueryExecutionContext": {"Database": conf.database(), "Catalog": CATALOGUE},
                "Status": status,
                "Statistics": {"EngineExecutionTimeInMillis": row.elapsed_ms, "DataScannedInBytes": 0},
                "WorkGroup": conf.athena_work_group(),
                "EngineVersion": ENGINE,
            }
        }

    def results(self, asked: Mapping[str, Any], now: dt.datetime) -> Json:
        """Return a page of rows."""
        row, (start, most) = _row(asked, now), page_of(asked)
        if row.state != AthenaQuery.State.SUCCEEDED:
            raise AthenaError(f"Query has not yet finished. Current state: {row.state}")
        return results_page(results.read(row), start=start, most=most)

    def stop(self, asked: Mapping[str, Any], now: dt.datetime) -> Json:
        """Cancel a query; one that has ended does not change."""
        row = _row(asked, now)
        _end(row.pk, AthenaQuery.State.CANCELLED, "Query was cancelled by the client", now)
        return {}

    def group(self, asked: Mapping[str, Any], now: dt.datetime) -> Json:
        """Return the one workgroup."""
        name = asked.get("WorkGroup")
        if name not in (conf.athena_work_group(), *KNOWN_GROUPS):
            raise AthenaError("WorkGroup is not found.")
        return work_group(name=str(name), output=_output(), now=now)


def _output() -> str:
    """Return the result location that clients see: a bucket if the lake is in one."""
    store = storage()
    return store.at(results.FOLDER, "") if store.is_s3 else f"s3://this-deployment/{results.FOLDER}/"


def _row(asked: Mapping[str, Any], now: dt.datetime) -> AthenaQuery:
    try:
        row = AthenaQuery.objects.get(pk=uuid.UUID(str(asked.get("QueryExecutionId"))))
    except (ValueError, AthenaQuery.DoesNotExist):
        raise AthenaError("QueryExecution was not found") from None
    late = dt.timedelta(seconds=query_limits().seconds) + GRACE
    if row.state not in ENDED and row.submitted_at + late < now:
        _end(row.pk, AthenaQuery.State.FAILED, "The process that ran the query is gone", now)
        row.refresh_from_db()
    return row


def _end(pk: uuid.UUID, state: AthenaQuery.State, reason: str, now: dt.datetime, elapsed_ms: int = 0) -> None:
    """Set the final state of a query, unless it has one."""
    AthenaQuery.objects.filter(pk=pk).exclude(state__in=ENDED).update(
        state=state, reason=reason, completed_at=now, elapsed_ms=elapsed_ms
    )


@lru_cache(maxsize=1)
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(query_limits().parallel, thread_name_prefix="athena")


def _run(pk: uuid.UUID, accepted: Accepted, client: str) -> None:
    """Run a started query, and write its rows to the result location."""
    close_old_connections()
    try:
        with accepted:
            begun = AthenaQuery.objects.filter(pk=pk, state=AthenaQuery.State.QUEUED)
            if begun.update(state=AthenaQuery.State.RUNNING):
                _answer(pk, accepted, client)
        results.forget_oldest()
    except Exception as error:
        log.error("a query of Athena's protocol failed", exc_info=error)
        _end(pk, AthenaQuery.State.FAILED, "GENERIC_INTERNAL_ERROR", utc_now())
    finally:
        close_old_connections()


def _answer(pk: uuid.UUID, accepted: Accepted, client: str) -> None:
    def is_cancelled() -> bool:
        return AthenaQuery.objects.filter(pk=pk, state__in=ENDED).exists()

    try:
        result = run_accepted(accepted, at=tables_at(), now=utc_now(), is_cancelled=is_cancelled).result
        if result.truncated:
            raise QueryError("too-large", f"The answer has more than {query_limits().max_rows:,} rows.")
        results.keep(pk, result.table, client)
    except QueryError as error:
        place = f"line {error.line}:{error.column}: " if error.line else ""
        _end(pk, AthenaQuery.State.FAILED, f"{error.code.upper()}: {place}{error.detail}", utc_now())
    except (LakeAwayError, AthenaError) as error:
        _end(pk, AthenaQuery.State.FAILED, f"EXCEEDED_LIMIT: {error}", utc_now())
    else:
        _end(pk, AthenaQuery.State.SUCCEEDED, "", utc_now(), result.elapsed_ms)


# At Amazon ------------------------------------------------------------------------------------------------------------
class Forward:
    """Athena itself, in the operator's workgroup: a client chooses neither the workgroup nor the result location."""

    def start(self, asked: Mapping[str, Any], now: dt.datetime) -> Json:  # noqa: ARG002
        """Start a query that reads the open tables."""
        sql = _text(asked)
        _accepted(sql, forwarded=True).close()
        given: Json = {"QueryString": sql, "QueryExecutionContext": {"Database": conf.database()}}
        if isinstance(token := asked.get("ClientRequestToken"), str):
            given["ClientRequestToken"] = token
        return self._call("start_query_execution", given | {"WorkGroup": conf.athena_work_group()})

    def get(self, asked: Mapping[str, Any], now: dt.datetime) -> Json:  # noqa: ARG002
        """Return the state and statistics of a query of the workgroup."""
        return self._call("get_query_execution", {"QueryExecutionId": self._of_the_group(asked)})

    def results(self, asked: Mapping[str, Any], now: dt.datetime) -> Json:  # noqa: ARG002
        """Return a page of rows."""
        given: Json = {"QueryExecutionId": self._of_the_group(asked)}
        given |= {name: asked[name] for name in ("NextToken", "MaxResults") if name in asked}
        return self._call("get_query_results", given)

    def stop(self, asked: Mapping[str, Any], now: dt.datetime) -> Json:  # noqa: ARG002
        """Cancel a query."""
        return self._call("stop_query_execution", {"QueryExecutionId": self._of_the_group(asked)})

    def group(self, asked: Mapping[str, Any], now: dt.datetime) -> Json:  # noqa: ARG002
        """Return the operator's workgroup, whatever name the client sends."""
        return self._call("get_work_group", {"WorkGroup": conf.athena_work_group()})

    def _of_the_group(self, asked: Mapping[str, Any]) -> str:
        """Return the id of a query of the operator's workgroup; queries of other workgroups stay hidden."""
        name = str(asked.get("QueryExecutionId"))
        found = self._call("get_query_execution", {"QueryExecutionId": name})["QueryExecution"]
        if found.get("WorkGroup") != conf.athena_work_group():
            raise AthenaError("QueryExecution was not found")
        return name

    def _call(self, operation: str, given: Json) -> Json:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            answer: Json = getattr(_client(), operation)(**given)
        except ClientError as error:
            said = error.response.get("Error", {})
            raise AthenaError(
                str(said.get("Message", "")), kind=str(said.get("Code", "InvalidRequestException"))
            ) from error
        except BotoCoreError as error:
            raise AthenaError("Athena cannot be reached", kind="InternalServerException") from error
        return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def _client() -> Any:
    import boto3

    store = storage()
    keys = {"aws_access_key_id": store.access_key, "aws_secret_access_key": store.secret_key}
    return boto3.client(
        "athena",
        region_name=store.region,
        endpoint_url=conf.athena_endpoint(),
        **{name: value for name, value in keys.items() if value},
    )
