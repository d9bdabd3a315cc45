"""P3: what the database itself records about the order of writing links no draw to a check-in.

`xmin` is the number of the transaction that wrote a row. When a check-in still counted its visitor's draws, the
visitor's row and the pass were adjacent, and a plain SELECT linked two visits of every visitor.
"""

import itertools
import random
from typing import Any

import pytest
from django.db import connection

from passes.clock import calendar
from passes.hashes import visitor_hash
from passes.models import Pass, Visitor
from tests.factories import NOW, make_venue
from tests.passes.people import Phone

pytestmark = pytest.mark.django_db(transaction=True)
PEOPLE = 12


def numbers(table: str, key: str) -> dict[bytes, int]:
    """Return the transaction that wrote each row, by the row's key."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {key}, xmin::text::bigint FROM {table}")
        return {bytes(name): int(number) for name, number in cursor.fetchall()}


@pytest.fixture
def visits() -> dict[bytes, int]:
    """Let everybody draw in advance, then visit two places, in varying order; return the phone of each owner hash."""
    rng = random.Random(5)
    epoch = calendar().current(NOW.timestamp())
    phones = [Phone() for _ in range(PEOPLE)]
    venues = [make_venue(), make_venue()]
    for phone in rng.sample(phones, PEOPLE):
        phone.ticket(0, epoch)
    made = {}
    for venue in venues:
        for phone in rng.sample(phones, PEOPLE):
            made[phone.check_in(venue).secrets.owner_hash] = phones.index(phone)
    return made


class TestASelectOfTheTransactionsOfRows:
    def test_no_row_of_a_visitor_is_written_next_to_a_pass(self, visits: dict[bytes, int]) -> None:
        passes = numbers("passes_pass", "owner_hash")
        for table, key in (("passes_visitor", "key_hash"), ("passes_drawnset", "drawn_hash")):
            rows = numbers(table, key)
            assert len(rows) == PEOPLE
            assert not set(rows.values()) & set(passes.values())
            assert max(rows.values()) < min(passes.values()), "check-in writes none of them"

    def test_two_visits_of_one_person_share_no_transaction_and_no_neighbour(self, visits: dict[bytes, int]) -> None:
        passes = numbers("passes_pass", "owner_hash")
        assert len(set(passes.values())) == 2 * PEOPLE
        by_order = sorted(passes, key=passes.__getitem__)
        neighbours = [visits[one] == visits[other] for one, other in itertools.pairwise(by_order)]
        assert sum(neighbours) <= 2, "as often as in any order"

    def test_nothing_points_from_two_visits_to_one_row(self, visits: dict[bytes, int]) -> None:
        """All visits come after all draws, so the nearest row of a visitor is the same for every one of them."""
        passes = numbers("passes_pass", "owner_hash")
        for table, key in (("passes_visitor", "key_hash"), ("passes_drawnset", "drawn_hash")):
            rows = numbers(table, key)
            nearest = {min((abs(number - at), name) for name, number in rows.items())[1] for at in passes.values()}
            assert len(nearest) == 1

    def test_the_former_way_would_be_seen(self) -> None:
        """If the visitor's row is changed in the transaction before the pass, as counting draws did, all are linked."""
        rng, venues = random.Random(6), (make_venue(), make_venue())
        phones = [Phone() for _ in range(PEOPLE)]
        for phone in phones:
            phone.ticket(0, calendar().current(NOW.timestamp()))
        found: dict[int, list[Any]] = {}
        for venue in venues:
            for phone in rng.sample(phones, PEOPLE):
                Visitor.objects.filter(pk=hashed(phone)).update(used_month=NOW)
                phone.check_in(venue)
            rows, last = numbers("passes_visitor", "key_hash"), numbers("passes_pass", "owner_hash")
            for owner, number in last.items():
                if Pass.objects.filter(owner_hash=owner, venue=venue).exists():
                    before = max((at, name) for name, at in rows.items() if at < number)[1]
                    found.setdefault([hashed(one) for one in phones].index(before), []).append(owner)
        assert sorted(map(len, found.values())) == [2] * PEOPLE


def hashed(phone: Phone) -> bytes:
    """Return the stored form of a phone's key."""
    return visitor_hash(phone.keys.auth)
