"""The broker's files, which keep a task's arguments for longer than the task, reveal no e-mail address."""

import base64
import json
from collections.abc import Iterator

import pytest

from common import valkey
from tests.adversaries.stores import dump_valkey, traces
from tests.factories import NOW, make_user
from tests.passes.people import send

pytestmark = pytest.mark.django_db
QUEUE = "celery"


class TestAThiefOfTheBroker:
    @pytest.fixture(autouse=True)
    def empty(self) -> Iterator[None]:
        valkey.client().delete(QUEUE)
        yield
        valkey.client().delete(QUEUE)

    def test_an_address_that_a_link_is_mailed_to_is_sealed_and_has_no_length(self) -> None:
        make_user(email="rosa@example.org")
        for address in ("rosa@example.org", "a-much-longer-address@example.org"):
            assert send("POST", "/api/v1/owner/reset", {"email": address}, now=NOW).status_code == 202
        kept = valkey.client().lrange(QUEUE, 0, -1)
        bodies = [base64.b64decode(json.loads(each)["body"]) for each in kept]
        assert len(bodies) == 2
        needles = {trace for address in (b"rosa@example.org", b"a-much-longer-address@") for trace in traces(address)}
        for content in (*kept, *bodies, dump_valkey()):
            assert not [needle for needle in needles if needle in content]
        assert len({len(each) for each in bodies}) == 1
