"""P9: ids cannot be guessed or probed; unknown and wrong look alike."""

from typing import Any

import pytest

from common.ids import ALPHABET, public_id
from passes.services.erasure import erase_owners
from tests.factories import NOW, join, make_device, make_user, make_venue
from tests.passes.people import Phone, scan, send
from venues.kinds import Role
from venues.services.accounts import make_owner_token
from venues.services.devices import revoke_device

pytestmark = pytest.mark.django_db


def seen(answer: Any) -> tuple[Any, ...]:
    """All of an answer but for what counts requests."""
    headers = {name: value for name, value in answer.headers.items() if not name.startswith("RateLimit")}
    return answer.status_code, answer.content, tuple(sorted(headers.items()))


class TestAProber:
    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("POST", "ratings", {"masks": 2, "distancing": 2}),
            ("POST", "names", {"name": "A name"}),
            ("DELETE", "names", {}),
            ("POST", "passes/revoke", None),
            ("POST", "diagnoses", {"tested_on": "2026-05-13", "result": "positive"}),
        ],
    )
    def test_an_unknown_owner_is_answered_like_a_known_one(self, method: str, path: str, body: Any) -> None:
        place = make_venue()
        held = Phone().check_in(place)
        scan(make_device(venue=place), held.on_screen(NOW), now=NOW)
        refused = Phone().check_in(place, answers=dict.fromkeys(("symptoms", "diagnosed", "contact", "near"), True))
        erased = Phone().check_in(place)
        erase_owners([erased.secrets.owner_hash], NOW)

        def ask(owner: str) -> Any:
            several = body is None or "tested_on" in body
            sent = (body or {}) | ({"owners": [owner]} if several else {"owner": owner})
            return send(method, f"/api/v1/{path}", sent, now=NOW)

        answers = {seen(ask(owner)) for owner in ("A" * 43, held.owner, refused.owner, erased.owner)}
        assert len(answers) == 1

    def test_a_venue_of_others_looks_like_none(self) -> None:
        mine, theirs = make_venue(), make_venue()
        user = join(mine.organisation, Role.OWNER)
        token = make_owner_token(user=user, name="test", days=1, now=NOW)[1]
        headers = {"Authorization": f"Owner {token}"}
        for what in ("names", "statistics"):
            known, unknown = (
                send("GET", f"/api/v1/owner/venues/{venue}/{what}", now=NOW, headers=headers)
                for venue in (theirs.public_id, "v_0000000000")
            )
            assert known.status_code == 404
            assert seen(known) == seen(unknown)
        assert make_user().pk != user.pk

    def test_a_revoked_device_looks_like_an_unknown_one(self) -> None:
        door = make_device()
        revoke_device(device=door.device, actor="owner", now=NOW)
        answers = {
            seen(send("GET", "/api/v1/device/bundle", now=NOW, headers={"Authorization": f"Device {token}"}))
            for token in (door.token, "A" * 43)
        }
        assert len(answers) == 1

    def test_ids_are_random_and_long(self) -> None:
        ids = {public_id("v") for _ in range(2000)}
        assert len(ids) == 2000
        assert all(len(one) == 12 and set(one[2:]) <= set(ALPHABET) for one in ids)
        assert len(ALPHABET) ** 10 > 2**49
