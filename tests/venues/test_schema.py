"""Whatever is sent to this room, what comes back is documented."""

import re
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
import schemathesis
from django.core import signals
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from django.test import Client
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

from tests.venues.conftest import World

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("tasks_at_once", "one_connection")]
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
# The form of hours, names of time zones and the like are more than a schema can say; what it allows may be refused,
# so that only the other direction is checked.
EXAMPLES = 6


def document() -> dict[str, Any]:
    """The schema of this room."""
    found: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    found["paths"] = {
        path: item
        for path, item in found["paths"].items()
        if path.startswith("/api/v1/owner/") or path == "/api/v1/devices"
    }
    return found


DOCUMENT = document()


def test_the_schema_is_valid() -> None:
    validate(DOCUMENT)


def test_every_operation_that_reads_a_body_shows_an_example_or_is_plain() -> None:
    plain = {"close_account", "change_email", "change_password", "end_second_factor", "reset_password"}
    plain |= {"confirm_second_factor", "join", "change_member_role"}
    partial = {"update_organisation", "update_door", "update_event"}
    for item in DOCUMENT["paths"].values():
        for operation in item.values():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if content is not None and operation["operationId"] not in plain | partial:
                assert content.get("examples"), operation["operationId"]


@pytest.fixture
def one_connection() -> Iterator[None]:
    """Requests use the test's transaction; as Django's own test client does, nothing closes its connection."""
    both = (signals.request_started, signals.request_finished)
    for signal in both:
        signal.disconnect(close_old_connections)
    yield
    for signal in both:
        signal.connect(close_old_connections)


@pytest.fixture
def credentials(world: World, settings: Any) -> dict[str, str]:
    """Of the first owner: token and session."""
    settings.THROTTLES = dict.fromkeys(settings.THROTTLES, "100000/second")
    client = Client()
    client.force_login(world.people["owner"])
    csrf = "a" * 32
    return {
        "Authorization": f"Owner {world.token_text}",
        "Cookie": f"sessionid={client.cookies['sessionid'].value}; csrftoken={csrf}",
        "X-CSRFToken": csrf,
    }


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize("path", sorted(DOCUMENT["paths"]))
def test_no_input_finds_an_undocumented_answer(
    world: World, credentials: dict[str, str], path: str, mode: GenerationMode
) -> None:
    schema = schemathesis.openapi.from_dict(DOCUMENT)
    schema.app = get_wsgi_application()
    for method in DOCUMENT["paths"][path]:

        @hypothesis.settings(
            max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(hypothesis.HealthCheck)
        )
        @hypothesis.given(case=schema[path][method].as_strategy(generation_mode=mode))
        def attempt(case: schemathesis.Case[Any]) -> None:
            for word in re.findall(r"{(\w+)}", path):
                case.path_parameters[word] = world.ids[word]
            with transaction.atomic():
                case.call_and_validate(checks=checks_of(case), headers=credentials | {"If-Match": "*"})
                transaction.set_rollback(True)

        try:
            attempt()
        except hypothesis.errors.Unsatisfiable:
            assert mode is GenerationMode.NEGATIVE  # nothing about this operation can be wrong


def checks_of(case: schemathesis.Case[Any]) -> list[Any]:
    """What is checked: a wrong part of the address or header that was put right is wrong no more."""
    body_is_wrong = case.meta is not None and any(
        component.mode is GenerationMode.NEGATIVE and str(kind).lower().endswith(("body", "query"))
        for kind, component in case.meta.components.items()
    )
    return CHECKS if body_is_wrong else [check for check in CHECKS if check is not negative_data_rejection]
