"""The schema of the whole deployment: valid, and whatever is sent, what comes back is documented and no fault.

Addresses of people who run venues are tried in `tests/venues/test_schema.py`; all others here.
"""

from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
import schemathesis
from django.core import signals
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from drf_spectacular.generators import SchemaGenerator
from openapi_spec_validator import validate
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from crowdtrace.celery import app
from crowdtrace.common.time import utc_now
from tests.factories import make_device, make_venue
from tests.passes.people import Phone
from tests.venues.test_schema import DOCUMENT as OF_OWNERS

pytestmark = pytest.mark.django_db
EXAMPLES = 8
SCHEMA: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
OTHERS = [
    (path, method)
    for path, item in sorted(SCHEMA["paths"].items())
    if path not in OF_OWNERS["paths"]
    for method in sorted(item)
]
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@pytest.fixture
def tasks_at_once() -> Iterator[None]:
    """Tasks run where they are asked for, without a worker."""
    app.conf.task_always_eager = True
    yield
    app.conf.task_always_eager = False


@pytest.fixture
def credentials(settings: Any) -> dict[str, str]:
    """Of a visitor and of a device, by the name of their scheme."""
    settings.THROTTLES = dict.fromkeys(settings.THROTTLES, "100000/second")
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    phone, now = Phone(), utc_now()
    phone.register(now)
    device = make_device(venue=make_venue(now=now), now=now)
    return {"Visitor": phone.header["Authorization"], "Device": device.header["Authorization"]}


@pytest.fixture
def one_connection(credentials: dict[str, str]) -> Iterator[None]:
    """Requests use the test's transaction; as Django's own test client does, nothing closes its connection.

    That client connects the signals again after each of its requests, so this comes after them.
    """
    both = (signals.request_started, signals.request_finished)
    for signal in both:
        signal.disconnect(close_old_connections)
    yield
    for signal in both:
        signal.connect(close_old_connections)


def test_the_schema_is_valid_openapi() -> None:
    validate(SCHEMA)
    assert SCHEMA["openapi"].startswith("3.1")


def test_every_operation_has_a_name_of_its_own_and_says_what_a_problem_looks_like() -> None:
    operations = [operation for item in SCHEMA["paths"].values() for operation in item.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(set(names)) == len(names)
    for operation in operations:
        assert "application/problem+json" in operation["responses"]["400"]["content"], operation["operationId"]


@pytest.mark.usefixtures("one_connection", "tasks_at_once")
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["right", "wrong"])
@pytest.mark.parametrize(("path", "method"), OTHERS)
def test_no_input_finds_a_fault_or_an_undocumented_answer(
    credentials: dict[str, str], path: str, method: str, mode: GenerationMode
) -> None:
    schema = schemathesis.openapi.from_dict(SCHEMA)
    schema.app = get_wsgi_application()
    ways = SCHEMA["paths"][path][method].get("security", [])
    scheme = next((name for way in ways for name in way), None)
    headers = {"Authorization": credentials[scheme]} if scheme else {}

    @hypothesis.settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(case=schema[path][method].as_strategy(generation_mode=mode))
    def attempt(case: schemathesis.Case[Any]) -> None:
        with transaction.atomic():
            case.call_and_validate(checks=checks_of(case), headers=headers)
            transaction.set_rollback(True)

    try:
        attempt()
    except hypothesis.errors.Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE  # nothing about this operation can be wrong


def checks_of(case: schemathesis.Case[Any]) -> list[Any]:
    """What is checked: a wrong body or query must be refused; a header that was put right is wrong no more."""
    is_wrong = case.meta is not None and any(
        component.mode is GenerationMode.NEGATIVE and str(kind).lower().endswith(("body", "query"))
        for kind, component in case.meta.components.items()
    )
    return [*CHECKS, negative_data_rejection] if is_wrong else CHECKS
