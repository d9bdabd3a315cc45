"""Somebody on the network: of an encrypted response they see its size, and of a request likewise."""

from typing import Any

import pytest

from passes.clock import calendar
from passes.codec.identity import encode_base64url
from tests.factories import NOW, make_device, make_venue
from tests.passes.people import HEALTHY, Phone, scan, send

pytestmark = pytest.mark.django_db


def size(response: Any) -> tuple[int, int]:
    """Compare the bytes of headers and body as sent; counters of limits reveal nothing about the answers."""
    head = sum(len(f"{name}: {value}\r\n") for name, value in response.items() if not name.startswith("RateLimit"))
    return head, len(response.content)


def test_a_pass_and_a_refusal_have_one_size() -> None:
    venue, phone = make_venue(), Phone()
    sizes = set()
    for yes in (None, "symptoms", "diagnosed"):
        answers = HEALTHY | ({yes: True} if yes else {})
        sizes.add(size(phone.ask(venue, phone.next_pass(calendar().current(NOW.timestamp())), answers=answers)))
    assert len(sizes) == 1


def test_green_and_red_have_one_size() -> None:
    venue = make_venue()
    door = make_device(venue=venue)
    held = Phone().check_in(venue)
    sizes = {size(scan(door, held.on_screen(NOW), now=NOW)), size(scan(door, "no pass", now=NOW))}
    assert len(sizes) == 1


def test_a_shield_has_one_size_for_no_visit_and_for_a_dozen() -> None:
    """The request has one size as well: the app names every place of its book, used or not."""
    phone = Phone()
    unused = [encode_base64url(bytes([number]) * 32) for number in range(16)]
    sizes, owners = set(), list(unused)
    for visits in range(12):
        response = send("POST", "/api/v1/shield", {"owners": owners}, now=NOW)
        assert len(response.json()["visits"]) == visits
        sizes.add(size(response))
        venue = make_venue()
        door = make_device(venue=venue)
        held = phone.check_in(venue)
        assert scan(door, held.on_screen(NOW), now=NOW).json() == {"result": "Approved"}
        owners = [*owners[1:], held.owner]
    assert sizes == {(size(response)[0], 16_384)}
