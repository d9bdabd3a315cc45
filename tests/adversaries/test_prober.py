"""P9: ids cannot be guessed or probed; unknown and wrong look alike."""

import datetime as dt
from typing import Any

import pytest

from common.ids import ALPHABET, public_id
from common.purge import purge_expired
from passes.clock import calendar
from passes.codec.identity import encode_base64url
from passes.services.erasure import erase_owners
from passes.services.holders import revoke_passes
from tests.factories import NOW, join, make_device, make_user, make_venue
from tests.passes.people import HEALTHY, Phone, scan, send
from venues.kinds import Role
from venues.services.accounts import make_owner_token
from venues.services.devices import revoke_device

pytestmark = pytest.mark.django_db


def seen(answer: Any) -> tuple[Any, ...]:
    """Return everything of a response except what counts requests."""
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

    def test_a_known_a_revoked_and_an_erased_anchor_are_answered_alike(self) -> None:
        """A door that scanned a pass requests another with its anchor: then, on the next day, and a week later."""
        place, prober = make_venue(), Phone()
        prober.register()
        known, revoked, erased = (Phone().check_in(place) for _ in range(3))
        refusal = Phone()
        refusal.register()
        refused = refusal.next_pass(calendar().current(NOW.timestamp()))
        refusal.ask(place, refused, answers=dict.fromkeys(HEALTHY, True))
        revoke_passes(owner_hashes=[revoked.secrets.owner_hash], now=NOW)
        erase_owners([erased.secrets.owner_hash], NOW)
        erase_owners([refused.owner_hash], NOW)
        anchors = [one.secrets.anchor for one in (known, revoked, erased)] + [refused.anchor]
        for later in (0, 1, 7):
            now = NOW + dt.timedelta(days=later)
            purge_expired(now=now)
            fresh = prober.next_pass(calendar().current(now.timestamp()))
            asked = [prober.ask(place, fresh, now=now, anchor=encode_base64url(anchor)) for anchor in anchors]
            assert {answer.status_code for answer in asked} == {409}
            assert len({seen(answer) for answer in asked}) == 1

    @pytest.mark.parametrize("form", ["svg", "png", "ndef", "pkpass"])
    def test_rendering_a_credential_does_not_reveal_the_state_of_its_pass(self, form: str) -> None:
        place = make_venue()
        held = [Phone().check_in(place) for _ in range(3)]
        revoke_passes(owner_hashes=[held[1].secrets.owner_hash], now=NOW)
        erase_owners([held[2].secrets.owner_hash], NOW)
        for later in (0, 2):
            now = NOW + dt.timedelta(days=later)
            purge_expired(now=now)
            asked = [
                send("POST", "/api/v1/passes/render", {"credential": one.on_paper(), "format": form}, now=now)
                for one in held
            ]
            assert len({(answer.status_code, answer.headers["Content-Type"]) for answer in asked}) == 1

    def test_a_venue_of_others_looks_like_an_unknown_one(self) -> None:
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
