"""P3 and P4: a thief of everything the server stores links no visits and finds no secret."""

import datetime as dt
import hashlib
import itertools
import logging
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps

from common.crypto import encrypt, keyed_hash
from passes.clock import calendar
from passes.codec.identity import encode_base64url
from passes.models import DrawnSet, Name, Pass, Rating, Scan, SpentTicket, Tombstone, Visit, Visitor
from risk.models import ReportedDay
from tests.adversaries.stores import dump_tables, dump_valkey, traces
from tests.factories import NOW, make_device, make_venue
from tests.passes.people import HEALTHY, HeldPass, Phone, scan, send

pytestmark = pytest.mark.django_db
MINUTE = dt.timedelta(minutes=1)


def one_day(phones: int = 4, venues: int = 3) -> list[list[HeldPass]]:
    """Let everybody visit every venue, rate, show a name and report; return passes by visitor."""
    doors = [(place, make_device(venue=place)) for place in (make_venue() for _ in range(venues))]
    held: list[list[HeldPass]] = []
    for number in range(phones):
        phone, mine = Phone(), []
        for at, (place, door) in enumerate(doors):
            now = NOW + (37 * number + 11 * at) * MINUTE
            one = phone.check_in(place, now=now, survey_seconds=20 + 7 * number + 5 * at)
            scan(door, one.on_screen(now), now=now)
            send("POST", "/api/v1/ratings", {"owner": one.owner, "masks": 1 + at, "distancing": 3}, now=now)
            send("POST", "/api/v1/names", {"owner": one.owner, "name": "Canary"}, now=now)
            mine.append(one)
        owners = [one.owner for one in mine]
        report = {"owners": owners, "tested_on": "2026-05-13", "result": "negative"}
        send("POST", "/api/v1/diagnoses", report, now=NOW + 5 * 60 * MINUTE)
        held.append(mine)
    return held


class TestAnOperatorWithACopyOfTheDatabase:
    def values(self, rows: Any) -> Iterator[object]:
        """Yield values by which rows could be matched: no booleans, no small numbers, no days, nothing of the venue."""
        for row in rows.values():
            for name, value in row.items():
                plain = isinstance(value, bool | type(None) | dt.date) and not isinstance(value, dt.datetime)
                small = isinstance(value, int | float) and abs(value) < 2000
                if not (plain or small or name.startswith(("venue", "device")) or name in {"type", "cause"}):
                    yield bytes(value) if isinstance(value, memoryview) else value

    def cluster(self, one: HeldPass) -> set[object]:
        """Return all values of all rows that one pass leads to."""
        row = Pass.objects.get(owner_hash=one.secrets.owner_hash)
        found: set[object] = set()
        for rows in (
            Pass.objects.filter(pk=row.pk),
            Scan.objects.filter(tag=row.tag),
            Visit.objects.filter(tag=row.tag),
            Rating.objects.filter(pass_row=row),
            Name.objects.filter(pass_row=row),
        ):
            found |= set(self.values(rows))
        return found

    def test_two_passes_of_one_person_share_no_value(self) -> None:
        everybody = one_day()
        for mine in everybody:
            for first, second in itertools.combinations(mine, 2):
                assert not self.cluster(first) & self.cluster(second)

    def test_no_value_of_one_pass_is_a_hash_of_a_value_of_another(self) -> None:
        """The adversary hashes what it finds; the keyed hashes require the pepper, which is not in the database."""
        held = one_day(phones=1)[0]
        clusters = [self.cluster(one) for one in held]
        for first, second in itertools.permutations(clusters, 2):
            known = {value for value in second if isinstance(value, bytes)}
            for value in (value for value in first if isinstance(value, bytes)):
                digest = hashlib.sha256(value).digest()
                assert not {digest, digest[:16], digest[:8]} & known

    def test_a_visitor_row_shares_nothing_with_any_pass(self) -> None:
        everybody = one_day()
        visitors = set(self.values(Visitor.objects.all())) | set(self.values(DrawnSet.objects.all()))
        passes = set().union(*(self.cluster(one) for mine in everybody for one in mine))
        assert not {value for value in visitors & passes if not isinstance(value, dt.datetime)}
        assert all(moment.day == 1 and moment.hour == 0 for moment in visitors if isinstance(moment, dt.datetime))

    def test_no_row_of_a_visit_leads_to_a_visitor(self) -> None:
        related = {
            field.related_model
            for model in (Pass, Scan, Visit, Rating, Name)
            for field in model._meta.get_fields()
            if field.is_relation
        }
        assert not {Visitor, DrawnSet, SpentTicket} & related

    def test_ids_of_rows_reveal_no_order(self) -> None:
        """Rows that one request writes one after another must not get consecutive numbers."""
        of_visits = {"Pass", "Scan", "Visit", "Rating", "Name", "SpentOwner", "Change", "RevokedEntry"}
        of_visits |= {"SpentTicket", "DrawnSet"}
        models = [model for model in apps.get_app_config("passes").get_models() if model.__name__ in of_visits]
        assert len(models) == len(of_visits)
        models += [ReportedDay, Tombstone]
        for model in models:
            key: Any = model._meta.pk
            while key.remote_field is not None:
                key = key.target_field
            assert key.get_internal_type() in {"UUIDField", "BinaryField"}, model

    def test_an_unmarked_pass_points_at_nobody(self) -> None:
        """If a fourth pass were always unmarked and the first three never, unmarked ones would be of busy people."""
        place, epoch = make_venue(), calendar().current(NOW.timestamp())
        for _ in range(60):
            phone = Phone()
            phone.register()
            phone.ask(place, phone.next_pass(epoch))
        marks = Counter(Pass.objects.values_list("counted", flat=True))
        assert marks[True] > marks[False] > 0  # 0.9 ** 60 = 0.2 % that none is unmarked

    def test_broker_and_cache_hold_nothing_of_a_pass(self) -> None:
        held = one_day(phones=1)[0]
        kept = dump_valkey()
        assert held
        for one in held:
            row = Pass.objects.get(owner_hash=one.secrets.owner_hash)
            for secret in (one.secrets.anchor, one.secrets.owner_hash, bytes(row.tag)):
                assert not [trace for trace in traces(secret) if trace in kept]


class TestACanaryThroughEveryFlow:
    @pytest.fixture
    def log(self, caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
        caplog.set_level(logging.DEBUG)
        return caplog

    def everything(self, phone: Phone) -> None:
        place = make_venue()
        door = make_device(venue=place)
        held = phone.check_in(place)
        phone.ask(place, phone.next_pass(calendar().current(NOW.timestamp())), answers=HEALTHY | {"symptoms": True})
        phone.ask(place, held.secrets, survey_seconds=99)
        scan(door, held.on_screen(NOW), now=NOW)
        secret, auth = encode_base64url(phone.secret), encode_base64url(phone.keys.auth)
        for path, body in (
            ("ratings", {"owner": held.owner, "masks": 1, "distancing": 1}),
            ("names", {"owner": held.owner, "name": "A name"}),
            ("diagnoses", {"owners": [held.owner], "tested_on": "2026-05-13", "result": "positive"}),
            ("passes/revoke", {"owners": [held.owner]}),
            ("passes/render", {"credential": held.on_paper(), "format": "svg"}),
            # Errors of a client: the secret in fields where it does not belong.
            ("ratings", {"owner": secret, "masks": 9, "distancing": 1}),
            ("names", {"owner": secret, "secret": secret}),
            (f"passes?secret={secret}", {"secret": secret}),
            (f"venues/{secret}", None),
        ):
            send("POST", f"/api/v1/{path}", body, now=NOW)
        for header in (f"Visitor {secret}", f"Device {auth}", f"Bearer {auth}"):
            send("POST", "/api/v1/passes", {"erase_key": secret}, now=NOW, headers={"Authorization": header})
        send("DELETE", "/api/v1/visitors/me", {"erase_key": secret}, now=NOW, headers=phone.header)

    def test_no_secret_and_no_key_is_found_in_any_store(self, log: pytest.LogCaptureFixture) -> None:
        phone = Phone()
        self.everything(phone)
        stores = dump_tables() | {"valkey": dump_valkey(), "log": log.text.encode()}
        keys = phone.keys
        for secret in (phone.secret, keys.auth, keys.passes, keys.erase):
            needles = set(traces(secret))
            for name, content in stores.items():
                assert not [needle for needle in needles if needle in content], name

    def test_the_search_finds_a_value_that_is_stored(self) -> None:
        """To prove the search: a value that the server does store is found in its table."""
        phone = Phone()
        self.everything(phone)
        kept = keyed_hash("visitor", phone.keys.auth)
        assert any(trace in dump_tables()["public.passes_visitor"] for trace in traces(kept))
        for encoded in (kept.hex(), encode_base64url(b"x" + kept), encode_base64url(kept)):
            assert any(trace in encoded.encode() for trace in traces(kept))

    def test_what_is_encrypted_at_rest_shows_nothing(self) -> None:
        assert b"Canary" not in encrypt("name/v_0000000000", b"Canary")
        one_day(phones=1, venues=1)
        assert not [name for name, content in dump_tables().items() if b"Canary" in content]
