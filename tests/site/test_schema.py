"""The schema of the whole deployment: valid, and every response to any request is documented and not an internal error.

URLs of people who run venues are tested in `tests/venues/test_schema.py`; all others here.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator
from openapi_spec_validator import validate
from schemathesis import GenerationMode

from common.time import utc_now
from crowdtrace.celery import app
from exports.release import recipients
from passes.clock import calendar
from tests import fuzzing
from tests.factories import make_device, make_user, make_venue
from tests.passes.people import Phone
from tests.venues.test_schema import DOCUMENT as OF_OWNERS
from venues.services.accounts import make_owner_token

pytestmark = pytest.mark.django_db
EXAMPLES = 8
SCHEMA: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
OTHERS = [
    (path, method)
    for path, item in sorted(SCHEMA["paths"].items())
    if path not in OF_OWNERS["paths"]
    for method in sorted(item)
]


@pytest.fixture
def tasks_at_once() -> Iterator[None]:
    """Run tasks immediately, without a worker."""
    app.conf.task_always_eager = True
    yield
    app.conf.task_always_eager = False


@pytest.fixture
def credentials(settings: Any) -> dict[str, str]:
    """Return credentials of a visitor, a ticket, a device, an operator and a reader of the verified tier, by scheme."""
    settings.THROTTLES = dict.fromkeys(settings.THROTTLES, "100000/second")
    phone, now = Phone(), utc_now()
    phone.register(now)
    device = make_device(venue=make_venue(now=now), now=now)
    _, owner = make_owner_token(user=make_user(is_staff=True, now=now), name="tests", days=1, now=now)
    recipient = recipients.approve_recipient(name="Institute", actor="operator", now=now)
    _, reader = recipients.make_credential(
        recipient=recipient, days=1, first_day=now.date(), last_day=now.date(), actor="operator", now=now
    )
    tokens = {"Owner": f"Owner {owner}", "Recipient": f"Recipient {reader}"}
    holders: dict[str, Any] = {
        "Visitor": phone,
        "Ticket": phone.ticket(0, calendar().current(now.timestamp()), now=now),
    }
    return tokens | {name: one.header["Authorization"] for name, one in (holders | {"Device": device}).items()}


@pytest.fixture
def one_connection(credentials: dict[str, str]) -> Iterator[None]:
    """Keep one connection, after the requests of `credentials`."""
    with fuzzing.one_connection():
        yield


def test_the_schema_is_valid_openapi() -> None:
    validate(SCHEMA)
    assert SCHEMA["openapi"].startswith("3.1")


def test_every_json_answer_has_a_model_for_clients_that_are_generated() -> None:
    free = []
    for path, item in SCHEMA["paths"].items():
        for method, operation in item.items():
            for status, response in operation["responses"].items():
                for kind, content in response.get("content", {}).items():
                    schema = content.get("schema", {})
                    is_object = schema.get("type") == "object" and not schema.get("properties")
                    if not schema or (is_object and not schema.get("additionalProperties")):
                        free.append((method, path, status, kind))
    assert free == []


def is_read_by_generated_clients(kind: str) -> bool:
    """Return whether generators such as openapi-python-client make a model of this media type, without a setting."""
    return (
        kind in ("application/json", "application/octet-stream") or kind.endswith("+json") or kind.startswith("text/")
    )


def test_every_operation_models_what_it_answers_and_every_problem() -> None:
    """Another media type is listed only with a general one, which the URL serves to clients that accept only that."""
    wrong = []
    for path, item in SCHEMA["paths"].items():
        for method, operation in item.items():
            answers = operation["responses"]
            if not any(status.startswith("2") for status in answers):
                wrong.append((method, path, "no answer"))
            for status, answer in answers.items():
                kinds = answer.get("content", {})
                is_problem = status >= "400" and kinds != {
                    "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
                }
                is_unread = kinds and not any(map(is_read_by_generated_clients, kinds))
                is_empty = not kinds and status not in ("201", "202", "204", "304")
                if is_problem or is_unread or is_empty or not all(each.get("schema") for each in kinds.values()):
                    wrong.append((method, path, status))
    assert wrong == []


def test_every_operation_has_a_name_of_its_own_and_says_what_a_problem_looks_like() -> None:
    operations = [operation for item in SCHEMA["paths"].values() for operation in item.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(set(names)) == len(names)
    for operation in operations:
        assert "application/problem+json" in operation["responses"]["400"]["content"], operation["operationId"]


@pytest.mark.usefixtures("one_connection", "tasks_at_once")
@fuzzing.few_or(EXAMPLES)
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["right", "wrong"])
@pytest.mark.parametrize(("path", "method"), OTHERS)
def test_no_input_causes_a_server_error_or_an_undocumented_response(
    credentials: dict[str, str], path: str, method: str, mode: GenerationMode, examples: int
) -> None:
    ways = SCHEMA["paths"][path][method].get("security", [])
    scheme = next((name for way in ways for name in way), None)
    headers = {"Authorization": credentials[scheme]} if scheme else {}
    fuzzing.try_operation(SCHEMA, path, method, mode, headers=headers, examples=examples)
