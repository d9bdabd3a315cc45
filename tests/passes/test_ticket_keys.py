"""Keys of tickets: published for a fortnight, encrypted, deleted when check-in closes, never replaced."""

import datetime as dt
import io
import itertools
from typing import Any

import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from django.core.management import call_command
from django.db import connection

from common.crypto import decrypt
from passes import ticket_keys
from passes.clock import calendar
from passes.codec.blind import BlindSigner
from passes.codec.epochs import Epoch
from passes.codec.ticket_keys import TicketClass, read_key_list
from passes.models import IssuerKey, TicketKey
from passes.tasks import make_and_blank_keys
from tests.adversaries.stores import dump_tables
from tests.factories import NOW, make_venue
from tests.passes.people import Phone
from tests.passes.requests import send

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
SECOND = dt.timedelta(seconds=1)
MIDNIGHT = dt.datetime(2026, 5, 13, tzinfo=dt.UTC)


def today() -> Epoch:
    return calendar().current(NOW.timestamp())


def listed(now: dt.datetime) -> list[dict[str, Any]]:
    keys: list[dict[str, Any]] = send("GET", "/.well-known/ticket-keys.json", now=now).json()["keys"]
    return keys


def days(now: dt.datetime) -> list[str]:
    return sorted({key["epoch"] for key in listed(now)})


# Publication ---------------------------------------------------------------------------------------------------------
def test_the_list_holds_one_key_a_class_of_today_and_of_the_fifteen_days_after() -> None:
    answer = send("GET", "/.well-known/ticket-keys.json", now=NOW)
    body = answer.json()
    assert set(body) == {"keys", "epochs"}
    read = read_key_list(body["keys"])
    assert [date.isoformat() for date in sorted(read)] == [f"2026-05-{day}" for day in range(13, 29)]
    assert [epoch["date"] for epoch in body["epochs"]] == sorted(date.isoformat() for date in read)
    assert body["epochs"][0] == {"date": "2026-05-13", "start": today().start, "end": today().end}
    assert set(body["keys"][0]) == {"kty", "n", "e", "kid", "epoch", "class", "alg", "key_ops"}
    assert [key["class"] for key in body["keys"]] == ["counted", "other"] * 16


def test_a_key_is_public_from_fifteen_days_before_its_epoch_until_check_in_closes() -> None:
    assert days(MIDNIGHT - SECOND)[-1] == "2026-05-27"
    assert days(MIDNIGHT)[-1] == "2026-05-28"
    later = MIDNIGHT + 15 * DAY
    assert days(later)[0] == "2026-05-28"
    assert days(later + DAY - SECOND)[0] == "2026-05-28"
    assert days(later + DAY)[0] == "2026-05-29"


def test_a_key_stays_the_same_as_long_as_it_is_public() -> None:
    seen: dict[tuple[str, str], str] = {}
    for day in range(4):
        with time_machine.travel(MIDNIGHT + day * DAY, tick=False):
            make_and_blank_keys()
        ticket_keys.forget()
        for key in listed(MIDNIGHT + day * DAY):
            assert seen.setdefault((key["epoch"], key["class"]), key["n"]) == key["n"]
    assert len(seen) == 2 * (16 + 3)


def test_the_list_is_the_same_for_everybody_and_remembers_nobody() -> None:
    first = send("GET", "/.well-known/ticket-keys.json", now=NOW)
    marked = {"If-None-Match": '"mark"', "Cookie": "mark=1", "Authorization": Phone().header["Authorization"]}
    again = send("GET", "/.well-known/ticket-keys.json", now=NOW, headers=marked)
    assert (again.status_code, again.content) == (200, first.content)
    for answer in (first, again):
        assert answer.headers["Cache-Control"] == "no-store"
        assert not {"ETag", "Set-Cookie", "Last-Modified"} & set(answer.headers)


# At rest -------------------------------------------------------------------------------------------------------------
def test_private_halves_are_encrypted_under_the_master_key(rsa_keys: tuple[RSAPrivateKey, ...]) -> None:
    ticket_keys.make_ticket_keys(NOW)
    row = TicketKey.objects.all()[0]
    assert decrypt("ticket-key", bytes(row.private or b"")).startswith(b"\x30\x82")
    stored = dump_tables()["public.passes_ticketkey"]
    for key in rsa_keys:
        own = key.private_numbers()
        for number in (own.p, own.q, own.d):
            raw = number.to_bytes((number.bit_length() + 7) // 8, "big")
            assert raw[8:24] not in stored
            assert raw[8:24].hex().encode() not in stored
        public = own.public_numbers.n.to_bytes(256, "big")
        assert public in stored, "the search would find what is there"


def test_keys_are_dropped_when_check_in_closes() -> None:
    ticket_keys.make_ticket_keys(NOW)
    closes = MIDNIGHT + DAY
    assert ticket_keys.drop_closed(closes - SECOND) == 0
    assert ticket_keys.signers(today()) is not None
    assert ticket_keys.drop_closed(closes) == 2
    assert not TicketKey.objects.filter(epoch=today().date).exists()
    assert ticket_keys.signers(today()) is None, "nor does this process remember them"
    assert ticket_keys.epoch_keys(today()) is None


def test_a_web_process_forgets_private_keys_that_another_process_dropped() -> None:
    phone, tomorrow = Phone(), calendar().following(today())
    phone.ticket(0, today())
    assert ticket_keys.signers(today()) is not None
    TicketKey.objects.filter(epoch=today().date).delete()  # as the worker does
    assert ticket_keys.signers(today()) is not None, "it is remembered here"
    phone.wallet.draw([tomorrow], now=MIDNIGHT + DAY)
    assert ticket_keys.signers(today()) is None


def test_the_task_of_the_issuer_keys_makes_and_drops_them() -> None:
    with time_machine.travel(NOW, tick=False):
        make_and_blank_keys()
    assert IssuerKey.objects.exists()
    assert TicketKey.objects.count() == 2 * 17, "the next day's are made ahead"
    with time_machine.travel(NOW + DAY, tick=False):
        make_and_blank_keys()
    assert not TicketKey.objects.filter(epoch=today().date).exists()
    assert TicketKey.objects.count() == 2 * 17


# Never replaced ------------------------------------------------------------------------------------------------------
def lose(epoch: Epoch, **fields: Any) -> None:
    rows = TicketKey.objects.filter(epoch=epoch.date)
    if fields:
        rows.update(**fields)
    else:
        rows.delete()
    ticket_keys.forget()


@pytest.mark.parametrize("fields", [{}, {"private": None, "public": None}])
def test_a_lost_pair_is_not_replaced_and_its_day_gives_no_more_tickets(fields: dict[str, Any]) -> None:
    phone = Phone()
    phone.register()
    phone.wallet.fetch_keys(now=NOW)
    lose(today(), **fields)
    for _ in range(2):
        with time_machine.travel(NOW, tick=False):
            make_and_blank_keys()
        assert "2026-05-13" not in days(NOW)
    answer = phone.wallet.ask([{"epoch": "2026-05-13", **values_of(phone)}], now=NOW)
    assert (answer.status_code, answer.json()["type"]) == (410, "/problems/gone")
    assert ticket_keys.signers(today()) is None


@pytest.mark.parametrize("private", [None, b"made under another master key, or torn"])
def test_where_only_the_private_half_is_lost_tickets_that_are_drawn_still_open_check_in(private: bytes | None) -> None:
    phone = Phone()
    ticket = phone.ticket(0, today())
    lose(today(), private=private)
    assert "2026-05-13" in days(NOW)
    again = phone.wallet.ask([{"epoch": "2026-05-13", **values_of(phone)}], now=NOW)
    assert again.status_code == 410
    assert phone.ask(make_venue(), phone.next_pass(today()), ticket=ticket).status_code == 201


def values_of(phone: Phone) -> dict[str, list[str]]:
    from tests.passes.wallet import body_of

    body = body_of(today(), phone.wallet.derive(today()))
    return {each.value: body[each.value] for each in TicketClass}


def test_after_a_restore_days_that_were_published_since_the_backup_get_no_second_keys() -> None:
    """The backup is five days old: five days were published since, whose keys are lost."""
    ticket_keys.make_ticket_keys(NOW)
    restored_at = NOW + 5 * DAY
    with time_machine.travel(restored_at, tick=False):
        out = io.StringIO()
        call_command("restored", stdout=out)
        make_and_blank_keys()
        make_and_blank_keys()
    assert out.getvalue().endswith(": 4.\n"), "one of them the backup has: it was made ahead"
    assert days(restored_at) == [f"2026-05-{day}" for day in range(18, 30)]
    assert days(restored_at + DAY)[-1] == "2026-06-03", "what comes after gets keys again"
    assert not {"2026-05-30", "2026-05-31", "2026-06-01", "2026-06-02"} & set(days(restored_at + DAY))


def test_after_a_restore_days_that_were_published_before_it_do_not_count_and_later_ones_do() -> None:
    ticket_keys.make_ticket_keys(NOW)
    ticket_keys.note_restore(NOW)
    ticket_keys.note_restore(NOW)  # twice does no more than once
    ticket_keys.make_ticket_keys(NOW + DAY)
    counting = TicketKey.objects.filter(counts=True).values_list("epoch", flat=True).distinct()
    assert [date.isoformat() for date in sorted(counting)] == ["2026-05-29", "2026-05-30"]
    keys = ticket_keys.epoch_keys(today())
    assert keys is not None
    assert not keys.counts


def test_keys_are_in_the_table_that_a_backup_takes() -> None:
    ticket_keys.make_ticket_keys(NOW)
    before = {epoch.date: keys for epoch, keys in ticket_keys.published_keys(NOW)}
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE backup ON COMMIT DROP AS SELECT * FROM passes_ticketkey")
        cursor.execute("DELETE FROM passes_ticketkey")
        cursor.execute("INSERT INTO passes_ticketkey SELECT * FROM backup")
    ticket_keys.forget()
    assert {epoch.date: keys for epoch, keys in ticket_keys.published_keys(NOW)} == before
    signers = ticket_keys.signers(today())
    assert signers is not None
    assert all(isinstance(signer, BlindSigner) for signer in signers.values())


def test_a_pair_that_is_lent_to_a_simulated_past_leaves_with_it(rsa_keys: tuple[RSAPrivateKey, ...]) -> None:
    ticket_keys.make_ticket_keys(NOW)
    past = calendar().current((NOW - 3 * DAY).timestamp())
    pair = dict(zip(TicketClass, rsa_keys[:2], strict=True))
    ticket_keys.put_keys(past, pair)
    assert ticket_keys.epoch_keys(past) is not None
    assert "2026-05-10" not in days(NOW)
    assert ticket_keys.drop_closed(NOW) == 2
    before = listed(NOW)
    ticket_keys.put_keys(today(), pair)
    ticket_keys.forget()
    assert listed(NOW) == before, "a day that has keys keeps them"


@pytest.mark.parametrize("zone", ["America/New_York", "Pacific/Auckland", "Asia/Kolkata", "America/Santiago"])
def test_days_of_23_and_25_hours_have_their_keys(settings: Any, zone: str) -> None:
    settings.DEPLOYMENT_TIME_ZONE = zone
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    for week in range(0, 52, 2):
        for hour in (0, 4, 13):
            now = (start + week * 7 * DAY + hour * dt.timedelta(hours=1)).timestamp()
            epochs = calendar().ticket_epochs(now)
            assert 15 <= len(epochs) <= 17
            assert set(calendar().open_epochs(now)) <= set(epochs)
            assert all(epoch.start - 15 * 86_400 <= now < calendar().following(epoch).start for epoch in epochs)
            assert all(calendar().following(one) == other for one, other in itertools.pairwise(epochs))
