"""Requests generated from the schema, and what must hold for every response."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import hypothesis
import pytest
import schemathesis
from django.core import signals
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

Case = schemathesis.Case[Any]
FEW: Final = 3
"""Requests to each operation in every run; the long tests send more."""
CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


def few_or(many: int) -> pytest.MarkDecorator:
    """Return the mark of a test that sends few requests to each operation, and as a long test many."""
    long = pytest.param(many, id="many", marks=pytest.mark.long)
    return pytest.mark.parametrize("examples", [pytest.param(FEW, id="few"), long])


@contextmanager
def one_connection() -> Iterator[None]:
    """Let requests use the test's transaction: like Django's test client, prevent them from closing its connection.

    That client connects the signals again after each of its requests, so this comes after them.
    """
    both = (signals.request_started, signals.request_finished)
    for signal in both:
        signal.disconnect(close_old_connections)
    yield
    for signal in both:
        signal.connect(close_old_connections)


# By identity, with the document, so that no other one takes its place.
_schemas: Final[dict[int, tuple[dict[str, Any], Any]]] = {}


def _schema_of(document: dict[str, Any]) -> Any:
    """Load a document once: for each new schema, the constants in all modules of the application are read again."""
    if id(document) not in _schemas:
        schema = schemathesis.openapi.from_dict(document)
        schema.app = get_wsgi_application()
        _schemas[id(document)] = document, schema
    return _schemas[id(document)][1]


def try_operation(
    document: dict[str, Any],
    path: str,
    method: str,
    mode: GenerationMode,
    *,
    headers: dict[str, str],
    examples: int,
    prepare: Callable[[Case], None] = lambda _case: None,
) -> None:
    """Send generated requests to one operation, valid or invalid ones, each in a transaction that is rolled back.

    `prepare` corrects what a schema cannot describe, such as ids that exist.
    """
    schema = _schema_of(document)

    @hypothesis.settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(case=schema[path][method].as_strategy(generation_mode=mode))
    def attempt(case: Case) -> None:
        prepare(case)
        with transaction.atomic():
            case.call_and_validate(checks=checks_of(case), headers=headers)
            transaction.set_rollback(True)

    try:
        attempt()
    except hypothesis.errors.Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE  # nothing about this operation can be wrong


def checks_of(case: Case) -> list[Any]:
    """Return the checks: an invalid body or query must be refused; a header that was corrected is valid."""
    is_wrong = case.meta is not None and any(
        component.mode is GenerationMode.NEGATIVE and str(kind).lower().endswith(("body", "query"))
        for kind, component in case.meta.components.items()
    )
    return [*CHECKS, negative_data_rejection] if is_wrong else CHECKS
