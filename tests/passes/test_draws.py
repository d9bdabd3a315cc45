"""Draws of tickets: one set per key and day, signed without being seen, within limits."""

import datetime as dt
import json
from dataclasses import replace
from typing import Any

import gmpy2
import pytest
from django.conf import settings as product
from django.db import connection
from django.test.utils import CaptureQueriesContext

from common import valkey
from passes import ticket_keys
from passes.clock import calendar
from passes.codec import blind
from passes.codec.epochs import Epoch
from passes.codec.identity import decode_base64url, encode_base64url
from passes.codec.ticket_keys import TicketClass
from passes.hashes import drawn_hash, visitor_hash
from passes.models import DrawnSet, TicketKey, Visitor
from passes.services import draws
from tests.factories import NOW, make_venue
from tests.passes.people import Phone
from tests.passes.requests import send, send_bytes
from tests.passes.ticket_vectors import refused
from tests.passes.wallet import Wallet, body_of, finish

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


def today() -> Epoch:
    return calendar().current(NOW.timestamp())


def coming(count: int) -> list[Epoch]:
    return list(calendar().ticket_epochs(NOW.timestamp()))[:count]


@pytest.fixture
def phone() -> Phone:
    """Return a registered phone with the list of keys."""
    phone = Phone()
    phone.register()
    phone.wallet.fetch_keys(now=NOW)
    return phone


def sets(wallet: Wallet, epochs: list[Epoch]) -> list[dict[str, Any]]:
    return [body_of(epoch, wallet.derive(epoch)) for epoch in epochs]


def ask(phone: Phone, asked: Any, *, now: dt.datetime = NOW) -> Any:
    return send("POST", "/api/v1/tickets", asked, now=now, headers=phone.header)


# What is signed ------------------------------------------------------------------------------------------------------
def test_a_set_is_signed_three_counted_and_thirteen_others(phone: Phone) -> None:
    answer = phone.wallet.ask(sets(phone.wallet, [today()]), now=NOW)

    assert answer.status_code == 201
    [signed] = answer.json()["draws"]
    assert (signed["epoch"], len(signed["counted"]), len(signed["other"])) == ("2026-05-13", 3, 13)
    tickets = finish(phone.wallet.derive(today()), signed)
    assert [one.ticket_class for one in tickets] == [TicketClass.COUNTED] * 3 + [TicketClass.OTHER] * 13
    public = ticket_keys.epoch_keys(today())
    assert public is not None
    assert all(public.class_of(one.ticket, today()) is one.ticket_class for one in tickets)


def test_fifteen_days_fit_into_one_request_and_are_answered_in_the_order_asked(phone: Phone) -> None:
    epochs = coming(15)[::-1]
    asked = sets(phone.wallet, epochs)
    body = json.dumps({"draws": asked, "pad": ""})
    answer = phone.wallet.ask(asked, now=NOW, pad="0" * (96 * 1024 - len(body)))

    assert answer.status_code == 201
    assert [one["epoch"] for one in answer.json()["draws"]] == [epoch.date.isoformat() for epoch in epochs]
    for at in (0, 14):
        assert len(finish(phone.wallet.derive(epochs[at]), answer.json()["draws"][at])) == 16
    assert phone.wallet.ask(asked, now=NOW, pad="0" * 96 * 1024).status_code == 413
    assert phone.wallet.ask([*asked, *sets(phone.wallet, coming(16)[15:])], now=NOW).status_code == 400


@pytest.mark.parametrize("pad", ["", " ", "  spaces stay  ", "Ж" * 100, "{"])
def test_any_text_pads(phone: Phone, pad: str) -> None:
    assert phone.wallet.ask(sets(phone.wallet, [today()]), now=NOW, pad=pad).status_code == 201


def test_the_same_sets_get_the_same_answer_again(phone: Phone) -> None:
    first = phone.wallet.ask(sets(phone.wallet, coming(2)), now=NOW)
    again = phone.wallet.ask(sets(phone.wallet, coming(2)), now=NOW + dt.timedelta(hours=1))
    part = phone.wallet.ask(sets(phone.wallet, coming(2)[1:]), now=NOW)
    more = phone.wallet.ask(sets(phone.wallet, coming(3)), now=NOW)

    assert [one.status_code for one in (first, again, part, more)] == [201, 200, 200, 201]
    assert again.json() == first.json()
    assert part.json()["draws"] == first.json()["draws"][1:]
    assert more.json()["draws"][:2] == first.json()["draws"]


def test_a_new_phone_with_the_same_secret_has_the_same_tickets(phone: Phone) -> None:
    phone.wallet.draw([today()], now=NOW)
    other = Wallet(phone.secret, phone.header)
    other.draw([today()], now=NOW + DAY / 4)
    assert other.sets == phone.wallet.sets


def test_a_day_that_was_drawn_with_other_values_is_a_conflict_and_nothing_is_signed(
    phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone.wallet.draw([today()], now=NOW)
    monkeypatch.setattr(blind.BlindSigner, "sign", lambda *_: pytest.fail("signed"))
    foreign = replace(phone.wallet, secret=bytes(32))
    one_value = sets(phone.wallet, [today()])
    one_value[0]["other"][12] = sets(foreign, [today()])[0]["other"][12]
    swapped = sets(phone.wallet, [today()])
    swapped[0]["counted"] = swapped[0]["counted"][::-1]

    for asked in (sets(foreign, [today()]), sets(phone.wallet, coming(3)[1:]) + one_value, swapped):
        answer = phone.wallet.ask(asked, now=NOW)
        assert answer.status_code == 409, answer.content
        assert answer.json()["type"] == "/problems/conflict"
    assert DrawnSet.objects.count() == 1


def test_registering_again_gives_no_second_set(phone: Phone) -> None:
    """Before, deleting the row and registering the same key restarted the counters."""
    phone.wallet.draw([today()], now=NOW)
    body = {"erase_key": encode_base64url(phone.keys.erase)}
    assert send("DELETE", "/api/v1/visitors/me", body, now=NOW, headers=phone.header).status_code == 204
    assert phone.wallet.ask(sets(phone.wallet, [today()]), now=NOW).status_code == 401
    assert phone.register().status_code == 201

    foreign = replace(phone.wallet, secret=bytes(32))
    assert phone.wallet.ask(sets(foreign, [today()]), now=NOW).status_code == 409
    assert phone.wallet.ask(sets(phone.wallet, [today()]), now=NOW).status_code == 200
    assert DrawnSet.objects.count() == 1


def test_only_keyed_hashes_of_key_and_day_and_of_the_set_are_kept(phone: Phone) -> None:
    phone.wallet.draw(coming(2), now=NOW)
    rows = {bytes(row.pk): row for row in DrawnSet.objects.all()}
    assert set(rows) == {drawn_hash(phone.keys.auth, epoch.start) for epoch in coming(2)}
    assert {row.epoch for row in rows.values()} == {epoch.date for epoch in coming(2)}
    assert len({bytes(row.set_hash) for row in rows.values()}) == 2
    assert {field.name for field in DrawnSet._meta.get_fields()} == {"drawn_hash", "set_hash", "epoch"}


def test_the_last_use_is_stored_as_a_month_when_drawing(phone: Phone) -> None:
    june = dt.datetime(2026, 6, 20, tzinfo=dt.UTC)
    phone.wallet.draw([calendar().current(june.timestamp())], now=june)
    row = Visitor.objects.get()
    assert (row.made_month, row.used_month) == (
        dt.datetime(2026, 5, 1, tzinfo=dt.UTC),
        dt.datetime(2026, 6, 1, tzinfo=dt.UTC),
    )


def test_an_unregistered_key_draws_nothing_and_the_error_says_to_register(phone: Phone) -> None:
    other = Phone()
    answer = send("POST", "/api/v1/tickets", {"draws": sets(phone.wallet, [today()])}, now=NOW, headers=other.header)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Visitor")
    assert "Register" in answer.json()["detail"]
    assert not DrawnSet.objects.exists()


def test_no_other_url_reads_a_visitor(phone: Phone) -> None:
    phone.wallet.draw([today()], now=NOW)
    holder, venue = phone.next_pass(today()), make_venue()
    with CaptureQueriesContext(connection) as captured:
        assert phone.ask(venue, holder).status_code == 201
    touched = " ".join(query["sql"] for query in captured)
    assert "passes_visitor" not in touched
    assert "passes_drawnset" not in touched
    assert "passes_spentticket" in touched


# What is refused -----------------------------------------------------------------------------------------------------
def numbers_of(phone: Phone, ticket_class: TicketClass) -> list[bytes]:
    n = phone.wallet.keys[today().date][ticket_class].n
    return [number.to_bytes(256, "big") for number in (0, 1, n - 1, n, n + 1, 2**2048 - 1)]


@pytest.mark.parametrize("ticket_class", list(TicketClass))
@pytest.mark.parametrize("number", range(6))
def test_a_number_that_must_not_be_signed_is_named_and_nothing_is_signed_or_kept(
    phone: Phone, ticket_class: TicketClass, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blind.BlindSigner, "sign", lambda *_: pytest.fail("signed"))
    asked = sets(phone.wallet, coming(2))
    asked[0][ticket_class.value][2] = encode_base64url(numbers_of(phone, ticket_class)[number])
    answer = phone.wallet.ask(asked, now=NOW)
    assert answer.status_code == 400
    assert [error["pointer"] for error in answer.json()["errors"]] == [f"/draws/0/{ticket_class.value}/2"]
    assert not DrawnSet.objects.exists()


@pytest.mark.parametrize("vector", refused("draw"), ids=lambda one: one["what"])
def test_the_refusals_of_the_vectors_are_refused_under_their_key(
    phone: Phone, vector: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.passes.ticket_vectors import TICKET_VECTORS

    TicketKey.objects.filter(epoch=today().date, ticket_class="counted").update(public=TICKET_VECTORS[0].key.spki)
    ticket_keys.forget()
    asked = sets(phone.wallet, [today()])
    asked[0]["counted"][0] = vector["blinded"]
    answer = phone.wallet.ask(asked, now=NOW)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "/draws/0/counted/0"
    assert not DrawnSet.objects.exists()


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        (lambda body: body.pop("draws"), "/draws"),
        (lambda body: body.update(draws=[]), "/draws"),
        (lambda body: body.update(draws="all"), "/draws"),
        (lambda body: body.update(draws=body["draws"] * 2), "/draws"),
        (lambda body: body.update(more=1), "/more"),
        (lambda body: body.update(pad=7), "/pad"),
        (lambda body: body["draws"][0].pop("epoch"), "/draws/0/epoch"),
        (lambda body: body["draws"][0].update(epoch="2026-05-12"), "/draws/0/epoch"),
        (lambda body: body["draws"][0].update(epoch="2026-05-29"), "/draws/0/epoch"),
        (lambda body: body["draws"][0].update(epoch="9999-12-31"), "/draws/0/epoch"),
        (lambda body: body["draws"][0].update(epoch=1778630400), "/draws/0/epoch"),
        (lambda body: body["draws"][0].pop("other"), "/draws/0/other"),
        (lambda body: body["draws"][0].update(third=[]), "/draws/0/third"),
        (lambda body: body["draws"][0]["counted"].pop(), "/draws/0/counted"),
        (lambda body: body["draws"][0]["other"].append("A" * 342), "/draws/0/other"),
        (lambda body: body["draws"][0]["counted"].__setitem__(0, "A" * 340), "/draws/0/counted/0"),
        (lambda body: body["draws"][0]["counted"].__setitem__(0, "A" * 344), "/draws/0/counted/0"),
        (lambda body: body["draws"][0]["counted"].__setitem__(1, 5), "/draws/0/counted/1"),
        (lambda body: body["draws"][0]["other"].__setitem__(12, "=" * 342), "/draws/0/other/12"),
    ],
)
def test_a_bad_draw_names_its_field_and_keeps_nothing(phone: Phone, change: Any, pointer: str) -> None:
    body = {"draws": sets(phone.wallet, [today()])}
    change(body)
    answer = ask(phone, body)
    assert answer.status_code == 400, answer.content
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]
    assert not DrawnSet.objects.exists()


@pytest.mark.parametrize("body", [b"", b"[", b"{}", b'{"draws": [NaN]}', b'{"draws": [], "draws": []}', b"null"])
def test_a_body_that_is_not_a_draw_is_refused(phone: Phone, body: bytes) -> None:
    assert send_bytes("/api/v1/tickets", body, now=NOW, headers=phone.header).status_code == 400


@pytest.mark.parametrize("header", ["", "Ticket " + "A" * 384, "Device " + "A" * 43, "Visitor short"])
def test_nobody_but_a_visitor_draws(phone: Phone, header: str) -> None:
    headers = {"Authorization": header} if header else {}
    answer = send("POST", "/api/v1/tickets", {"draws": sets(phone.wallet, [today()])}, now=NOW, headers=headers)
    assert answer.status_code == 401


def test_a_wrong_signature_is_an_error_without_the_number(
    phone: Phone, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real = gmpy2.powmod_sec
    faulty: list[int] = []

    def flip(base: Any, exponent: Any, modulus: Any) -> Any:
        out = real(base, exponent, modulus)
        if not faulty:
            faulty.append(int(out))
            return out ^ 1
        return out

    monkeypatch.setattr(gmpy2, "powmod_sec", flip)
    answer = phone.wallet.ask(sets(phone.wallet, [today()]), now=NOW)
    assert answer.status_code == 500
    assert set(answer.json()) == {"type", "title", "status", "detail", "errors"}
    assert len(answer.content) < 500
    assert "SigningFault" in caplog.text
    assert str(faulty[0]) not in caplog.text
    assert phone.wallet.ask(sets(phone.wallet, [today()]), now=NOW).status_code == 200


# Limits --------------------------------------------------------------------------------------------------------------
def test_one_key_repeats_a_draw_three_times_a_minute_at_most(phone: Phone) -> None:
    asked = sets(phone.wallet, [today()])
    statuses = [phone.wallet.ask(asked, now=NOW).status_code for _ in range(5)]
    assert statuses == [201, 200, 200, 200, 429]
    beyond = phone.wallet.ask(asked, now=NOW)
    assert int(beyond.headers["Retry-After"]) >= 1
    assert beyond.json()["type"] == "/problems/too-many"
    other = Phone()
    other.register()
    other.wallet.draw([today()], now=NOW)
    assert phone.wallet.ask(sets(phone.wallet, coming(2)[1:]), now=NOW).status_code == 201


def test_an_ip_address_gets_25_draws_and_registrations_a_second_in_total(phone: Phone, settings: Any) -> None:
    assert product.THROTTLES["draw"] in ("25/second", "250/second")  # ten times as many in the embedded mode
    settings.THROTTLES = settings.THROTTLES | {"draw": "4/minute"}
    statuses = [Phone().register().status_code for _ in range(2)]
    statuses += [ask(phone, {}).status_code for _ in range(3)]
    assert statuses == [201, 201, 400, 400, 429]
    assert '"draw";q=4;w=60' in Phone().register().headers["RateLimit-Policy"]


def test_a_network_registers_at_least_30_keys_a_second(settings: Any) -> None:
    assert product.THROTTLES["registration"] in ("40/second", "400/second")
    settings.THROTTLES = settings.THROTTLES | {"registration": "2/minute"}
    assert [Phone().register().status_code for _ in range(3)] == [201, 201, 429]


def test_all_draws_together_take_at_most_half_a_core(phone: Phone, settings: Any, caplog: Any) -> None:
    amount, window = settings_of("signing")
    assert amount / window <= 500, "milliseconds of a core a second"
    settings.THROTTLES = settings.THROTTLES | {"signing": f"{round(2.5 * draws._set_ms)}/minute"}
    statuses = [phone.wallet.ask(sets(phone.wallet, [epoch]), now=NOW).status_code for epoch in coming(2)]
    busy = phone.wallet.ask(sets(phone.wallet, coming(3)[2:]), now=NOW)
    assert statuses == [201, 201]
    assert (busy.status_code, busy.json()["type"]) == (503, "/problems/busy")
    assert int(busy.headers["Retry-After"]) >= 1
    assert DrawnSet.objects.count() == 2, "nothing is kept of what was not signed"
    assert "busy" not in caplog.text, "strangers could fill the log"


def test_on_a_slow_machine_a_draw_of_many_days_passes_once_it_is_alone(phone: Phone, settings: Any) -> None:
    settings.THROTTLES = settings.THROTTLES | {"signing": f"{round(2.5 * draws._set_ms)}/minute"}
    asked = sets(phone.wallet, coming(4))
    assert [phone.wallet.ask(asked, now=NOW).status_code for _ in range(2)] == [201, 503]


def test_repeats_count_like_first_draws(phone: Phone, settings: Any) -> None:
    phone.wallet.draw([today()], now=NOW)
    settings.THROTTLES = settings.THROTTLES | {"signing": f"{round(1.5 * draws._set_ms)}/minute"}
    asked = sets(phone.wallet, [today()])
    assert [phone.wallet.ask(asked, now=NOW).status_code for _ in range(2)] == [200, 503]


def settings_of(scope: str) -> tuple[int, int]:
    """Return amount and seconds of a limit as the product sets it."""
    import importlib

    from common.web import throttles

    module = importlib.import_module("crowdtrace.settings")
    return throttles._limit(module.THROTTLES[scope])


def test_limits_know_no_key_and_no_address(phone: Phone) -> None:
    phone.wallet.draw([today()], now=NOW)
    phone.wallet.ask(sets(phone.wallet, [today()]), now=NOW)
    names = b"\n".join(bytes(name) for name in valkey.limits().scan_iter("*"))
    for scope in (b"repeat", b"signing", b"draw"):
        assert scope in names
    hashed = visitor_hash(phone.keys.auth)
    for secret in (phone.keys.auth, hashed):
        for form in (secret, secret.hex().encode(), encode_base64url(secret).encode()):
            assert form not in names
    assert b"127.0.0.1" not in names


def test_a_draw_takes_a_fixed_number_of_statements_however_many_days(phone: Phone) -> None:
    ticket_keys.epoch_keys(today())
    counts = []
    for epochs in (coming(1), coming(9)[1:]):
        for epoch in epochs:
            ticket_keys.signers(epoch)
        with CaptureQueriesContext(connection) as captured:
            assert phone.wallet.ask(sets(phone.wallet, epochs), now=NOW).status_code == 201
        counts.append(len(captured))
    # Visitor; known sets; new ones and the existing ones, inside BEGIN and COMMIT.
    assert counts == [6, 6]


def test_values_of_a_draw_are_read_strictly_and_return_only_signatures(phone: Phone) -> None:
    answer = phone.wallet.ask(sets(phone.wallet, [today()]), now=NOW)
    assert set(answer.json()) == {"draws"}
    assert set(answer.json()["draws"][0]) == {"epoch", "counted", "other"}
    for value in answer.json()["draws"][0]["counted"]:
        assert len(decode_base64url(value)) == 256
    assert "Set-Cookie" not in answer.headers
    assert "ETag" not in answer.headers
