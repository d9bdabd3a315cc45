"""The schema describes the responses of operations."""

from typing import Any

import hypothesis
import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from drf_spectacular.generators import SchemaGenerator
from openapi_spec_validator import validate
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    positive_data_acceptance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

pytestmark = [pytest.mark.urls("tests.common.views"), pytest.mark.django_db]

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    positive_data_acceptance,
    unsupported_method,
]


def document() -> dict[str, Any]:
    """Return the schema of the small views."""
    generator = SchemaGenerator(urlconf="tests.common.views")  # type: ignore[no-untyped-call]
    found: dict[str, Any] = generator.get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    found["paths"] = {path: item for path, item in found["paths"].items() if path in PATHS}
    return found


PATHS = {f"/api/v1/{name}" for name in ("things", "rows", "entries", "search", "versioned", "door")}


def statuses(path: str, method: str) -> set[str]:
    """Return the documented statuses of an operation."""
    return set(document()["paths"][path][method]["responses"])


def test_the_schema_is_valid_openapi_3_1() -> None:
    found = document()
    assert found["openapi"].startswith("3.1")
    validate(found)
    assert set(found["paths"]) == PATHS


def test_problems_follow_from_the_view() -> None:
    common = {"400", "405", "406", "429", "500", "503"}
    assert statuses("/api/v1/things", "post") == common | {"200", "413", "415"}
    assert statuses("/api/v1/rows", "post") == common | {"201", "409", "413", "415", "422"}
    assert statuses("/api/v1/entries", "get") == common | {"200"}
    assert statuses("/api/v1/search", "get") == common | {"200", "304"}
    assert statuses("/api/v1/versioned", "put") == common | {"200", "412", "413", "415", "428"}
    assert statuses("/api/v1/door", "get") == common | {"200", "401", "403"}


def test_problems_have_one_form_and_media_type() -> None:
    found = document()
    for item in found["paths"].values():
        for operation in item.values():
            for status, response in operation["responses"].items():
                if status >= "400":
                    content = response["content"]
                    assert content == {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    members = {"type", "title", "status", "detail", "errors"}
    assert set(found["components"]["schemas"]["Problem"]["required"]) == members


def test_headers_are_documented() -> None:
    paths = document()["paths"]
    rows = paths["/api/v1/rows"]["post"]
    assert "Idempotency-Key" in {parameter["name"] for parameter in rows["parameters"]}
    assert {"RateLimit", "RateLimit-Policy"} <= set(rows["responses"]["201"]["headers"])
    assert "Retry-After" in rows["responses"]["429"]["headers"]
    search = paths["/api/v1/search"]["get"]
    assert "ETag" in search["responses"]["200"]["headers"]
    assert "If-None-Match" in {parameter["name"] for parameter in search["parameters"]}
    put = paths["/api/v1/versioned"]["put"]
    assert "If-Match" in {parameter["name"] for parameter in put["parameters"]}
    assert "WWW-Authenticate" in paths["/api/v1/door"]["get"]["responses"]["401"]["headers"]


def test_fields_and_schemes_describe_themselves() -> None:
    components = document()["components"]
    thing = components["schemas"]["ThingRequest"]
    assert thing["additionalProperties"] is False
    assert thing["properties"]["anchor"]["pattern"] == "^[A-Za-z0-9_-]{20}[A-Za-z0-9_-][AQgw]$"
    assert thing["properties"]["venue"]["pattern"].startswith("^v_[")
    assert thing["properties"]["at"] == {"type": "string", "format": "date-time"}
    assert components["securitySchemes"]["Device"]["in"] == "header"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize("path", sorted(PATHS))
def test_no_input_finds_an_undocumented_answer(path: str, mode: GenerationMode) -> None:
    schema = schemathesis.openapi.from_dict(document())
    schema.app = get_wsgi_application()
    # A schema cannot describe which cursors are ours, nor that a key was used before.
    cannot_hold = {positive_data_acceptance} if path in ("/api/v1/entries", "/api/v1/rows") else set()
    checks = [check for check in CHECKS if check not in cannot_hold]
    for method in document()["paths"][path]:

        @hypothesis.settings(
            max_examples=40, deadline=None, database=None, suppress_health_check=list(hypothesis.HealthCheck)
        )
        @hypothesis.given(case=schema[path][method].as_strategy(generation_mode=mode))
        def attempt(case: schemathesis.Case[Any]) -> None:
            case.call_and_validate(checks=checks, headers={"Authorization": "Device good", "If-Match": "*"})

        try:
            attempt()
        except hypothesis.errors.Unsatisfiable:
            assert mode is GenerationMode.NEGATIVE  # nothing about this operation can be wrong
