"""Queries in Athena's protocol: run by the embedded engine, or forwarded to Athena itself.

There is no login: clients may run what anyone may run at `/api/v1/queries`. Results are what Athena calls managed:
clients read rows by GetQueryResults, because outsiders have no keys of a bucket. A signed URL serves the same rows as
a file.
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
from exports.athena.metadata import Metadata
from exports.athena.parameters import bound, read_parameters
from exports.athena.signed import signed_path
from exports.athena.wire import CATALOGUE, ENGINE, THROTTLED, AthenaError, Json, page_of, results_page, work_group
from exports.dataset import publication
from exports.dataset.tables import LIVE_CROWD, OPEN_TABLES
from exports.engine.deployment import accept_query, athena_limits, query_limits, shown_folder
from exports.engine.engine import Accepted
from exports.engine.errors import QueryBusyError, QueryError
from exports.engine.introspection import is_utility, tokens
from exports.engine.limits import MAX_CHARACTERS
from exports.engine.run import run_accepted
from exports.lake.deployment import storage
from exports.lake.errors import LakeAwayError
from exports.models import AthenaQuery
from exports.selectors import announced, tables_at

# The database that clients send by default.
DEFAULT_DATABASE: Final = "default"
# Workgroups that clients send by default.
KNOWN_GROUPS: Final = ("primary",)
MOST_IN_A_BATCH: Final = 50
WRITES: Final = (
    "Queries only read here: there is no CREATE TABLE AS, UNLOAD or INSERT. With awswrangler set "
    "ctas_approach=False and unload_approach=False, with pyathena unload=False; rows come back through GetQueryResults."
)
TOO_LARGE: Final = (
    "The answer has more than {limits.max_rows:,} rows or {limits.max_values:,} values: add LIMIT or a condition, "
    "aggregate in SQL, or download the whole table."
)
# A query whose process died is reported as failed this long after the time limit of queries.
GRACE: Final = dt.timedelta(seconds=30)
ENDED: Final = (AthenaQuery.State.SUCCEEDED, AthenaQuery.State.FAILED, AthenaQuery.State.CANCELLED)
log = logging.getLogger(__name__)


class Backend(Protocol):
    """The operations that differ between the embedded engine and Athena itself. `Metadata` handles the others."""

    def start(self, asked: Mapping[str, Any], now: dt.datetime) -> Json: ...
    def get(self, asked: Mapping[str, Any], now: dt.datetime) -> Json: ...
    def batch(self, asked: Mapping[str, Any], now: dt.datetime) -> Json: ...
    def executions(self, asked: Mapping[str, Any], now: dt.datetime) -> Json: ...
    def results(self, asked: Mapping[str, Any], now: dt.datetime) -> Json: ...
    def stop(self, asked: Mapping[str, Any], now: dt.datetime) -> Json: ...
    def group(self, asked: Mapping[str, Any], now: dt.datetime) -> Json: ...


def metadata() -> Metadata:
    """Return the API's metadata on catalogues, databases, tables and workgroups."""
    newest = announced().values_list("announced_at", flat=True).first()
    return Metadata(
        database=conf.database(),
        description=publication.description(),
        offered=OPEN_TABLES if conf.athena_mode() == "forward" else (*OPEN_TABLES, LIVE_CROWD),
        folder=shown_folder(),
        group=conf.athena_work_group(),
        made=newest.timestamp() if newest else 0.0,
    )


def _text(asked: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    """Return the text of the requested query and its parameters; raise `AthenaError`."""
    sql, context = asked.get("QueryString"), asked.get("QueryExecutionContext") or {}
    if not isinstance(sql, str):
        raise AthenaError("QueryString is missing, or is not a string")
    if len(sql) > MAX_CHARACTERS:
        raise AthenaError(f"QueryString has at most {MAX_CHARACTERS:,} characters here")
    if not isinstance(context, Mapping):
        raise AthenaError("QueryExecutionContext must be an object")
    database, catalogue = context.get("Database"), context.get("Catalog")
    if not _names(database, DEFAULT_DATABASE, conf.database()):
        raise AthenaError(f"Only the database {conf.database()} is here")
    if not _names(catalogue, CATALOGUE):
        raise AthenaError(f"Only the data catalogue {CATALOGUE} is here")
    if is_writing(sql):
        raise AthenaError(WRITES)
    return sql, read_parameters(asked.get("ExecutionParameters"))


def _names(given: Any, *known: str) -> bool:
    """Return whether a client names one of these, in any case and also in backquotes, or nothing."""
    if given is None:
        return True
    return isinstance(given, str) and given.strip("`").lower() in {each.lower() for each in known}


def is_writing(sql: str) -> bool:
    """Return whether the text would write its rows somewhere, as some modes of clients do."""
    return any(token.is_word("create", "unload", "insert") for token in tokens(sql)[:1])


def _accepted(sql: str, *, forwarded: bool = False) -> Accepted:
    """Return the checked query, in its process; raise `AthenaError`. Live rows exist only here."""
    try:
        return accept_query(sql, dialect="athena", forwarded=forwarded, limits=athena_limits())
    except QueryError as error:
        place = f"line {error.line}:{error.column}: " if error.line else ""
        raise AthenaError(f"{place}{error.detail}") from error
    except QueryBusyError as error:
        raise AthenaError(f"{error}.".capitalize(), kind=THROTTLED) from error


def backend(client: str, base: str) -> Backend:
    """Return the backend that the settings name, for one client; raise `AthenaError` if there is none."""
    match conf.athena_mode():
        case "local":
            return Local(client, base)
        case "forward":
            return Forward()
    raise AthenaError("This deployment does not answer Athena's protocol.", kind="AccessDeniedException")


# Here -----------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Local:
    """The embedded engine, for a `client` (its network) that uses the base URL `base`.

    A query runs in a thread of the process that received it.

    Its state is a row. There is no queue: a query without a free place is refused, and clients retry.
    """

    client: str
    base: str = ""

    def start(self, asked: Mapping[str, Any], now: dt.datetime) -> Json:
        """Start a query, once for each request token."""
        (sql, parameters), token = _text(asked), asked.get("ClientRequestToken")
        hashed = hashlib.sha256(token.encode()).hexdigest() if isinstance(token, str) else uuid.uuid4().hex
        row = AthenaQuery.objects.filter(token=hashed).first() if token else None
        if row is None:
            results.charge(self.client, sum(len(text.encode()) for text in (sql, *parameters)))
            accepted = _accepted(bound(sql, parameters))
            with ExitStack() as stack:
                stack.enter_context(accepted)
                asked_for = {"sql": sql, "parameters": list(parameters), "submitted_at": now}
                row, made = AthenaQuery.objects.get_or_create(token=hashed, defaults=asked_for)
                if made:
                    _pool().submit(_run, row.pk, accepted, self.client)
                    stack.pop_all()
        if row.sql != sql or row.parameters != list(parameters):
            raise AthenaError("ClientRequestToken was used for another query")
        return {"QueryExecutionId": str(row.pk)}

    def get(self, asked: Mapping[str, Any], now: dt.datetime) -> Json:
        """Return the state and statistics of a query."""
        return {"QueryExecution": self._execution_data(_row(asked, now))}

    def batch(self, asked: Mapping[str, Any], now: dt.datetime) -> Json:
        """Return the state and statistics of several queries."""
        found, missing = [], []
        for name in _ids(asked):
            try:
                found.append(self._execution_data(_row({"QueryExecutionId": name}, now)))
            except AthenaError as error:
                missing.append({"QueryExecutionId": name, "ErrorCode": error.kind, "ErrorMessage": str(error)})
        return {"QueryExecutions": found, "UnprocessedQueryExecutionIds": missing}

    def executions(self, asked: Mapping[str, Any], now: dt.datetime) -> Json:  # noqa: ARG002
        """Return no query: they belong to anyone, and nobody may see those of others."""
        return {"QueryExecutionIds": []}

    def _execution_data(self, row: AthenaQuery) -> Json:
        status: Json = {"State": row.state, "SubmissionDateTime": row.submitted_at.timestamp()}
        if row.completed_at:
            status["CompletionDateTime"] = row.completed_at.timestamp()
        if row.reason:
            status["StateChangeReason"] = row.reason
        of_utility = is_utility(row.sql)
        execution: Json = {
            "QueryExecutionId": str(row.pk),
            "Query": row.sql,
            "StatementType": "UTILITY" if of_utility else "DML",
            "SubstatementType": (tokens(row.sql)[0].value if of_utility else "SELECT").upper(),
            "ManagedQueryResultsConfiguration": {"Enabled": True},
            "QueryExecutionContext": {"Database": conf.database(), "Catalog": CATALOGUE},
            "Status": status,
            "Statistics": {"EngineExecutionTimeInMillis": row.elapsed_ms, "DataScannedInBytes": 0},
            "WorkGroup": conf.athena_work_group(),
            "EngineVersion": ENGINE,
        }
        if row.parameters:
            execution["ExecutionParameters"] = row.parameters
        if row.state == AthenaQuery.State.SUCCEEDED:
            execution["ResultAddress"] = f"{self.base}{signed_path(row)}"
        return execution

    def results(self, asked: Mapping[str, Any], now: dt.datetime) -> Json:
        """Return a page of rows."""
        row, (start, most) = _row(asked, now), page_of(asked)
        if row.state != AthenaQuery.State.SUCCEEDED:
            raise AthenaError(f"Query has not yet finished. Current state: {row.state}")
        return results_page(results.read(row), start=start, most=most, of_utility=is_utility(row.sql))

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
        return work_group(name=str(name), made=now.timestamp())


def _ids(asked: Mapping[str, Any]) -> list[str]:
    """Return the ids in a batch request; raise `AthenaError`."""
    names = asked.get("QueryExecutionIds")
    if not isinstance(names, list) or not 1 <= len(names) <= MOST_IN_A_BATCH:
        raise AthenaError(f"QueryExecutionIds must be a list of 1 to {MOST_IN_A_BATCH} ids")
    return [str(name) for name in names]


def _row(asked: Mapping[str, Any], now: dt.datetime) -> AthenaQuery:
    try:
        row = AthenaQuery.objects.get(pk=uuid.UUID(str(asked.get("QueryExecutionId"))))
    except (ValueError, AthenaQuery.DoesNotExist):
        raise AthenaError("QueryExecution was not found") from None
    late = dt.timedelta(seconds=query_limits().seconds) + GRACE
    if row.state not in ENDED and row.submitted_at + late < now:
        _end(row.pk, AthenaQuery.State.FAILED, "The process that ran the query died", now)
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
            raise QueryError("too-large", TOO_LARGE.format(limits=athena_limits()))
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
        sql, parameters = _text(asked)
        _accepted(bound(sql, parameters), forwarded=True).close()
        given: Json = {"QueryString": sql, "QueryExecutionContext": {"Database": conf.database()}}
        if parameters:
            given["ExecutionParameters"] = list(parameters)
        if isinstance(token := asked.get("ClientRequestToken"), str):
            given["ClientRequestToken"] = token
        return self._call("start_query_execution", given | {"WorkGroup": conf.athena_work_group()})

    def get(self, asked: Mapping[str, Any], now: dt.datetime) -> Json:  # noqa: ARG002
        """Return the state and statistics of a query of the workgroup."""
        return {"QueryExecution": self._of_the_group(str(asked.get("QueryExecutionId")))}

    def batch(self, asked: Mapping[str, Any], now: dt.datetime) -> Json:  # noqa: ARG002
        """Return the state and statistics of several queries of the workgroup."""
        found, missing = [], []
        for name in _ids(asked):
            try:
                found.append(self._of_the_group(name))
            except AthenaError as error:
                missing.append({"QueryExecutionId": name, "ErrorCode": error.kind, "ErrorMessage": str(error)})
        return {"QueryExecutions": found, "UnprocessedQueryExecutionIds": missing}

    def executions(self, asked: Mapping[str, Any], now: dt.datetime) -> Json:  # noqa: ARG002
        """Return no query: they belong to anyone, and nobody may see those of others."""
        return {"QueryExecutionIds": []}

    def results(self, asked: Mapping[str, Any], now: dt.datetime) -> Json:  # noqa: ARG002
        """Return a page of rows."""
        given: Json = {"QueryExecutionId": self._id(asked)}
        given |= {name: asked[name] for name in ("NextToken", "MaxResults") if name in asked}
        return self._call("get_query_results", given)

    def stop(self, asked: Mapping[str, Any], now: dt.datetime) -> Json:  # noqa: ARG002
        """Cancel a query."""
        return self._call("stop_query_execution", {"QueryExecutionId": self._id(asked)})

    def group(self, asked: Mapping[str, Any], now: dt.datetime) -> Json:  # noqa: ARG002
        """Return the operator's workgroup, whatever name the client sends."""
        whole = self._call("get_work_group", {"WorkGroup": conf.athena_work_group()})
        managed = {"ManagedQueryResultsConfiguration": {"Enabled": True}}
        whole["WorkGroup"]["Configuration"] = _without_bucket(whole["WorkGroup"].get("Configuration", {})) | managed
        return whole

    def _id(self, asked: Mapping[str, Any]) -> str:
        return str(self._of_the_group(str(asked.get("QueryExecutionId")))["QueryExecutionId"])

    def _of_the_group(self, name: str) -> Json:
        """Return a query of the operator's workgroup; queries of other workgroups stay hidden.

        Its result location too: clients without keys of the bucket read rows by GetQueryResults.
        """
        found: Json = self._call("get_query_execution", {"QueryExecutionId": name})["QueryExecution"]
        if found.get("WorkGroup") != conf.athena_work_group():
            raise AthenaError("QueryExecution was not found")
        return _without_bucket(found)

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


def _without_bucket(execution: Json) -> Json:
    return {name: value for name, value in execution.items() if name != "ResultConfiguration"}


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
