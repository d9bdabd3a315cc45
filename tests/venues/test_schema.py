"""Every response to any request to this app is documented."""

import copy
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from openapi_spec_validator import validate
from schemathesis import GenerationMode

from common.time import utc_now
from tests import fuzzing
from tests.venues.conftest import World
from tests.venues.test_pages import counts
from venues.services.accounts import make_owner_token

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("tasks_at_once", "one_connection")]
# A schema cannot describe formats such as hours and names of time zones; what it allows may be refused, so only the
# other direction is checked.
EXAMPLES = 6
# URLs of `exports`, which tests them with its own rows.
ABOVE = "/api/v1/owner/operator/recipients"


def document() -> dict[str, Any]:
    """Return the schema of this app."""
    found: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    found["paths"] = {
        path: item
        for path, item in found["paths"].items()
        if (path.startswith("/api/v1/owner/") or path == "/api/v1/devices") and not path.startswith(ABOVE)
    }
    return found


DOCUMENT = document()


def test_the_schema_is_valid() -> None:
    assert DOCUMENT["paths"]
    validate(DOCUMENT)


def test_every_operation_that_reads_a_body_shows_an_example_or_is_plain() -> None:
    plain = {"close_account", "change_email", "change_password", "end_second_factor", "reset_password"}
    plain |= {"confirm_email", "confirm_second_factor", "join", "change_member_role"}
    partial = {"update_organisation", "update_door", "update_event"}
    for item in DOCUMENT["paths"].values():
        for operation in item.values():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if content is not None and operation["operationId"] not in plain | partial:
                assert content.get("examples"), operation["operationId"]


@pytest.fixture
def world(shared_world: World, db: None) -> World:
    """Return the file's world, with rows in memory that a test may change."""
    return copy.deepcopy(shared_world)


@pytest.fixture
def one_connection() -> Iterator[None]:
    with fuzzing.one_connection():
        yield


@pytest.fixture
def credentials(world: World, settings: Any) -> dict[str, str]:
    """Return token and session of the first owner."""
    settings.THROTTLES = dict.fromkeys(settings.THROTTLES, "100000/second")
    client = Client()
    client.force_login(world.people["owner"])
    csrf = "a" * 32
    return {
        "Authorization": f"Owner {world.token_text}",
        "Cookie": f"sessionid={client.cookies['sessionid'].value}; csrftoken={csrf}",
        "X-CSRFToken": csrf,
    }


@fuzzing.few_or(EXAMPLES)
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize("path", sorted(DOCUMENT["paths"]))
def test_no_input_finds_an_undocumented_answer(
    world: World, credentials: dict[str, str], path: str, mode: GenerationMode, examples: int
) -> None:
    def prepare(case: fuzzing.Case) -> None:
        for word in re.findall(r"{(\w+)}", path):
            case.path_parameters[word] = world.ids[word]

    headers = credentials | {"If-Match": "*"}
    for method in DOCUMENT["paths"][path]:
        fuzzing.try_operation(DOCUMENT, path, method, mode, headers=headers, examples=examples, prepare=prepare)


IN_TEAMS = sorted(
    (path, method)
    for path, item in DOCUMENT["paths"].items()
    if "{" in path and "/operator/" not in path
    for method in item
)


@fuzzing.few_or(EXAMPLES)
@pytest.mark.parametrize(("path", "method"), IN_TEAMS)
def test_no_input_of_a_stranger_reveals_what_exists(
    world: World, settings: Any, path: str, method: str, examples: int
) -> None:
    settings.THROTTLES = dict.fromkeys(settings.THROTTLES, "100000/second")
    _row, token = make_owner_token(user=world.people["other"], name="till", days=1, now=utc_now())
    headers = {"Authorization": f"Owner {token}", "If-Match": "*"}
    before = counts()
    told: set[int] = set()

    def prepare(case: fuzzing.Case) -> None:
        answers = []
        for known in (True, False):
            for word in re.findall(r"{(\w+)}", path):
                public_id = world.ids[word]
                case.path_parameters[word] = public_id if known else f"{public_id[:2]}{'0' * 10}"
            answers.append(case.call(headers=headers))
        there, nowhere = ((answer.status_code, answer.content) for answer in answers)
        assert there == nowhere
        assert set(answers[0].headers) == set(answers[1].headers)
        told.add(there[0])

    mode = GenerationMode.POSITIVE
    fuzzing.try_operation(DOCUMENT, path, method, mode, headers=headers, examples=examples, prepare=prepare)
    assert told <= {400, 401, 404}, "401: what only a session may do"
    assert counts() == before
