"""Spending tickets: what spends one and what does not, what can be repeated, and what is refused without spending."""

import datetime as dt
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection

from passes import ticket_keys
from passes.clock import calendar
from passes.codec.epochs import Epoch
from passes.codec.identity import PassSecrets, decode_base64url, encode_base64url
from passes.codec.ticket_keys import TicketClass
from passes.codec.tickets import Ticket
from passes.hashes import body_hash, spent_ticket_hash
from passes.models import Pass, SpentTicket
from passes.services.erasure import erase_owners
from tests.factories import NOW, make_event, make_venue
from tests.passes.people import HEALTHY, Phone
from tests.passes.requests import send, send_bytes
from tests.passes.ticket_vectors import refused
from tests.passes.wallet import HeldTicket, Shown
from venues.models import Venue
from venues.services.events import invitation_code, make_invitation

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)


def today() -> Epoch:
    return calendar().current(NOW.timestamp())


@pytest.fixture
def venue() -> Venue:
    return make_venue()


@pytest.fixture
def phone() -> Phone:
    phone = Phone()
    phone.ticket(0, today())
    return phone


@pytest.fixture
def holder(phone: Phone) -> PassSecrets:
    return phone.next_pass(today())


def nothing_is_spent() -> bool:
    return not SpentTicket.objects.exists() and not Pass.objects.exists()


# What spends ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("answers", [HEALTHY, HEALTHY | {"symptoms": True}])
def test_a_pass_and_a_refusal_by_answers_spend_the_ticket(
    venue: Venue, phone: Phone, holder: PassSecrets, answers: dict[str, bool]
) -> None:
    assert phone.ask(venue, holder, answers=answers).status_code == 201
    row, nonce = SpentTicket.objects.get(), phone.ticket(0, today()).ticket.nonce
    assert bytes(row.pk) == spent_ticket_hash(nonce)
    assert (row.go, row.epoch) == (answers == HEALTHY, today().date)
    assert Pass.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_ticket_and_row_are_written_in_one_transaction() -> None:
    phone = Phone()
    phone.check_in(make_venue())
    with connection.cursor() as cursor:
        cursor.execute("SELECT (SELECT xmin FROM passes_spentticket), (SELECT xmin FROM passes_pass)")
        spent, row = cursor.fetchone()
    assert spent == row


@pytest.mark.parametrize("table", ["passes_pass", "passes_spentticket"])
def test_where_one_of_the_two_cannot_be_written_neither_is(
    venue: Venue, phone: Phone, holder: PassSecrets, table: str
) -> None:
    phone.ticket(0, today())
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT nothing_more CHECK (false) NOT VALID")
        assert phone.ask(venue, holder).status_code == 500
        cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT nothing_more")
    assert nothing_is_spent()
    assert phone.ask(venue, holder).status_code == 201


def test_two_hashes_and_the_verdict_of_a_ticket_are_stored(venue: Venue, phone: Phone, holder: PassSecrets) -> None:
    phone.ask(venue, holder)
    row, ticket = SpentTicket.objects.get(), phone.ticket(0, today()).ticket
    assert {field.name for field in SpentTicket._meta.get_fields()} == {"nonce_hash", "body_hash", "go", "epoch"}
    assert (len(row.nonce_hash), len(row.body_hash)) == (16, 16)
    assert bytes(row.body_hash) != body_hash(bytes(32), b"")
    kept = bytes(row.nonce_hash) + bytes(row.body_hash)
    assert ticket.nonce[:16] not in kept
    assert ticket.signature[:16] not in kept


def test_class_and_coin_say_whether_a_pass_counts(venue: Venue, phone: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    for coin, index, counted in ((1, 0, True), (0, 1, False), (9, 2, True), (1, 3, False), (5, 15, False)):
        tossed = SimpleNamespace(randbelow=lambda _most, coin=coin: coin)
        monkeypatch.setattr("passes.services.checkins.secrets", tossed)
        ticket, other = phone.ticket(index, today()), Phone()
        assert phone.ask(venue, other.next_pass(today()), ticket=ticket).status_code == 201
        assert Pass.objects.filter(counted=True).exists() is counted, index
        Pass.objects.all().delete()


def test_after_a_restore_no_pass_of_a_published_day_counts(venue: Venue, phone: Phone) -> None:
    ticket_keys.note_restore(NOW)
    tomorrow = calendar().following(today())
    for _ in range(3):
        other = Phone()
        for number in range(3):
            other.check_in(venue, day=tomorrow if number else today())
    assert not Pass.objects.filter(counted=True).exists()


# What does not spend -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"venue": "v_0000000000"}, 404),
        ({"venue": "nowhere"}, 400),
        ({"epoch": "2026-02-30"}, 400),
        ({"epoch": "2026-05-12"}, 200),
        ({"epoch": "2026-05-20"}, 200),
        ({"anchor": "A"}, 400),
        ({"owner_hash": 7}, 400),
        ({"answers": {}}, 400),
        ({"survey_seconds": -1}, 400),
        ({"more": "fields"}, 400),
    ],
)
def test_what_is_malformed_unknown_or_closed_spends_nothing(
    venue: Venue, phone: Phone, holder: PassSecrets, changes: dict[str, Any], status: int
) -> None:
    assert phone.ask(venue, holder, **changes).status_code == status
    assert nothing_is_spent()
    assert phone.ask(venue, holder).status_code == 201


def test_a_closed_day_is_reported_and_spends_nothing(venue: Venue, phone: Phone, holder: PassSecrets) -> None:
    midnight = dt.datetime(2026, 5, 14, tzinfo=dt.UTC)
    ticket = phone.ticket(0, today())
    answer = phone.ask(venue, holder, now=midnight, day=today(), ticket=ticket)
    assert [advice["code"] for advice in answer.json()["advice"]] == ["checkin_closed"]
    assert nothing_is_spent()


def test_a_missing_or_unknown_invitation_spends_nothing(venue: Venue, phone: Phone, holder: PassSecrets) -> None:
    invitation = make_invitation(event=make_event(venue=venue), actor="owner", uses=1, now=NOW)
    ill = HEALTHY | {"symptoms": True}
    for more, codes in (
        ({}, ["invitation_needed"]),
        ({"invitation": "not the code"}, ["invitation_unknown"]),
        ({"answers": ill}, ["symptoms", "invitation_needed"]),
        ({"answers": ill, "invitation": "not the code"}, ["symptoms", "invitation_unknown"]),
    ):
        answer = phone.ask(venue, holder, **more)
        assert (answer.status_code, len(answer.content)) == (200, 2048)
        assert [advice["code"] for advice in answer.json()["advice"]] == codes
        assert nothing_is_spent()
    assert phone.ask(venue, holder, invitation=invitation_code(invitation)).status_code == 201


def test_a_refusal_by_answers_spends_the_ticket_and_a_use_of_the_invitation(venue: Venue, phone: Phone) -> None:
    invitation = make_invitation(event=make_event(venue=venue), actor="owner", uses=2, now=NOW)
    code = invitation_code(invitation)
    ill = phone.ask(venue, phone.next_pass(today()), invitation=code, answers=HEALTHY | {"symptoms": True})
    well = phone.ask(venue, phone.next_pass(today()), invitation=code)
    third = phone.ask(venue, phone.next_pass(today()), invitation=code)
    assert (ill.status_code, ill.json()["go"], well.json()["go"]) == (201, False, True)
    assert (third.status_code, third.json()["go"]) == (200, False)
    assert SpentTicket.objects.count() == 2


def test_tries_of_invitations_are_limited_by_venue(
    venue: Venue, phone: Phone, holder: PassSecrets, settings: Any
) -> None:
    settings.THROTTLES = settings.THROTTLES | {"invitation": "2/minute"}
    elsewhere = make_venue()
    for place in (venue, elsewhere):
        make_event(venue=place)
    tries = [phone.ask(venue, holder, invitation=f"code {number}") for number in range(3)]
    assert [one.status_code for one in tries] == [200, 200, 429]
    assert int(tries[2].headers["Retry-After"]) >= 1
    assert Phone().ask(venue, holder, invitation="code").status_code == 429, "whoever asks"
    assert phone.ask(elsewhere, holder, invitation="code").status_code == 200
    assert phone.ask(venue, holder).status_code == 200, "who tries none is not counted"
    assert nothing_is_spent()


def test_a_known_anchor_or_owner_hash_spends_nothing(venue: Venue, phone: Phone, holder: PassSecrets) -> None:
    phone.ask(venue, holder)
    fresh = phone.ticket(1, today())
    other = phone.next_pass(today())
    known = encode_base64url(holder.owner_hash)
    assert phone.ask(venue, holder, ticket=fresh).status_code == 409
    assert phone.ask(venue, other, ticket=fresh, owner_hash=known).status_code == 409
    assert phone.ask(venue, other, ticket=fresh, anchor=encode_base64url(holder.anchor)).status_code == 409
    assert SpentTicket.objects.count() == 1
    assert phone.ask(venue, other, ticket=fresh).status_code == 201


# Repeats -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("answers", [HEALTHY, HEALTHY | {"diagnosed": True}])
def test_the_same_ticket_and_body_answer_the_same_until_the_epoch_ends(
    venue: Venue, phone: Phone, holder: PassSecrets, answers: dict[str, bool]
) -> None:
    """Even after the keys of tickets are deleted, and regardless of the order of the fields."""
    first = phone.ask(venue, holder, answers=answers)
    midnight = dt.datetime(2026, 5, 14, tzinfo=dt.UTC)
    for now in (NOW, NOW + HOUR, midnight, midnight + 4 * HOUR - dt.timedelta(seconds=1)):
        ticket_keys.drop_closed(now)
        again = phone.ask(venue, holder, now=now, day=today(), answers=dict(reversed(answers.items())))
        assert (again.status_code, again.json()) == (200, first.json())
    assert SpentTicket.objects.count() == 1


def test_a_repeat_is_the_same_when_the_venue_changes_its_rules(venue: Venue, phone: Phone, holder: PassSecrets) -> None:
    """A rule on answers applies from the next opening of check-in on; an event by invitation may be added any time."""
    ill = HEALTHY | {"symptoms": True}
    good, bad = phone.ask(venue, holder), phone.ask(venue, phone.next_pass(today()), answers=ill)
    make_event(venue=venue)
    phone.drawn = 1
    assert phone.ask(venue, holder).json() == good.json()
    assert phone.ask(venue, phone.next_pass(today()), answers=ill).json() == bad.json()


@pytest.mark.parametrize(
    "changes",
    [
        {"answers": HEALTHY | {"contact": True}},
        {"survey_seconds": 21},
        {"owner_hash": "A" * 43},
        {"anchor": "A" * 22},
        {"invitation": "code"},
        {"epoch": "2026-05-14"},
    ],
)
def test_the_same_ticket_with_another_body_is_a_conflict(
    venue: Venue, phone: Phone, holder: PassSecrets, changes: dict[str, Any]
) -> None:
    phone.ask(venue, holder)
    expected = 401 if "epoch" in changes else 409
    assert phone.ask(venue, holder, **changes).status_code == expected
    assert phone.ask(make_venue(), holder).status_code == 409
    assert (SpentTicket.objects.count(), Pass.objects.count()) == (1, 1)
    assert phone.ask(venue, holder).status_code == 200


@pytest.mark.parametrize("answers", [HEALTHY, HEALTHY | {"symptoms": True}])
def test_a_ticket_whose_row_was_erased_answers_like_one_that_was_used_otherwise(
    venue: Venue, phone: Phone, holder: PassSecrets, answers: dict[str, bool]
) -> None:
    phone.ask(venue, holder, answers=answers)
    erase_owners([holder.owner_hash], NOW)
    erased = phone.ask(venue, holder, answers=answers)
    other = phone.next_pass(today())
    phone.ask(venue, other)
    otherwise = phone.ask(venue, other, survey_seconds=99)
    assert (erased.status_code, erased.json()) == (otherwise.status_code, otherwise.json())
    assert erased.status_code == 409


def test_a_ticket_whose_pass_was_revoked_is_a_conflict_with_any_body(
    venue: Venue, phone: Phone, holder: PassSecrets
) -> None:
    phone.ask(venue, holder)
    send("POST", "/api/v1/passes/revoke", {"owners": [encode_base64url(holder.owner)]}, now=NOW)
    assert phone.ask(venue, holder).status_code == 409
    assert phone.ask(venue, holder, ticket=phone.ticket(1, today())).status_code == 409


# What is no ticket ---------------------------------------------------------------------------------------------------
def wrong_tickets(phone: Phone) -> dict[str, str]:
    good = phone.ticket(0, today()).ticket
    tomorrow = phone.ticket(0, calendar().following(today())).ticket
    data = good.nonce + good.signature
    return {
        "nothing": "",
        "one byte less": encode_base64url(data[:-1]),
        "one byte more": encode_base64url(data + b"\0"),
        "padding": encode_base64url(data) + "=",
        "no base64url": "!" * 384,
        "another nonce": Ticket(bytes(32), good.signature).text,
        "nonce of another": Ticket(phone.ticket(1, today()).ticket.nonce, good.signature).text,
        "one flipped bit": encode_base64url(data[:-1] + bytes([data[-1] ^ 1])),
        "zero": Ticket(good.nonce, bytes(256)).text,
        "one": Ticket(good.nonce, bytes(255) + b"\1").text,
        "all ones": Ticket(good.nonce, b"\xff" * 256).text,
        "another day": tomorrow.text,
        "a blind signature": Ticket(good.nonce, good.signature[::-1]).text,
    }


def test_what_no_key_of_the_day_signed_is_refused_in_one_shape_and_spends_nothing(
    venue: Venue, phone: Phone, holder: PassSecrets
) -> None:
    answers = {}
    for what, text in wrong_tickets(phone).items():
        answer = phone.ask(venue, holder, ticket=Shown({"Authorization": f"Ticket {text}"}))
        answers[what] = answer
        assert answer.status_code == 401, what
        assert answer.headers["WWW-Authenticate"] == 'Ticket realm="crowdtrace"', what
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert set(answer.json()) == {"type", "title", "status", "detail", "errors"}, what
        assert answer.json()["type"] == "/problems/unauthorized"
        assert text[:20] == "" or text[:20] not in answer.content.decode(), what
    assert len({one.content for one in answers.values()}) <= 2, "malformed, or signed by no key"
    assert nothing_is_spent()
    assert phone.ask(venue, holder).status_code == 201


@pytest.mark.parametrize("vector", refused("spend"), ids=lambda one: one["what"])
def test_the_refusals_of_the_vectors_are_refused(
    venue: Venue, phone: Phone, holder: PassSecrets, vector: dict[str, Any]
) -> None:
    paid = Shown({"Authorization": vector["authorization"]})
    assert phone.ask(venue, holder, ticket=paid).status_code == 401
    assert nothing_is_spent()


def test_a_ticket_of_another_deployment_is_refused(
    venue: Venue, phone: Phone, holder: PassSecrets, rsa_keys: Any
) -> None:
    from passes.codec.blind import BlindSigner, encode_pss

    nonce = bytes(range(32))
    message = b"crowdtrace/v1/ticket" + today().start.to_bytes(4, "big") + nonce
    known = {pair.n for pair in phone.wallet.keys[today().date].values()}
    strangers = [key for key in rsa_keys if key.public_key().public_numbers().n not in known]
    signature = BlindSigner.of(strangers[0]).sign(encode_pss(message, bytes(48)).to_bytes(256, "big"))
    stranger = HeldTicket(Ticket(nonce, signature), TicketClass.COUNTED)
    assert phone.ask(venue, holder, ticket=stranger).status_code == 401
    assert nothing_is_spent()


def test_a_class_is_what_the_key_says(venue: Venue, phone: Phone) -> None:
    """A signature belongs to the key that made it, whatever class the client states."""
    public = ticket_keys.epoch_keys(today())
    assert public is not None
    for index, expected in ((0, TicketClass.COUNTED), (2, TicketClass.COUNTED), (3, TicketClass.OTHER)):
        assert public.class_of(phone.ticket(index, today()).ticket, today()) is expected


@pytest.mark.parametrize("scheme", ["Visitor", "visitor", "VISITOR"])
def test_the_error_for_an_app_from_before_tickets_says_to_reload(
    venue: Venue, phone: Phone, holder: PassSecrets, scheme: str
) -> None:
    key = phone.header["Authorization"].split()[1]
    answer = phone.ask(venue, holder, ticket=Shown({"Authorization": f"{scheme} {key}"}))
    assert (answer.status_code, answer.json()["type"]) == (401, "/problems/outdated")
    assert answer.headers["WWW-Authenticate"].startswith("Ticket")
    assert "Reload the page" in answer.json()["detail"]
    assert nothing_is_spent()


def test_without_a_header_or_with_another_nothing_is_answered(venue: Venue, phone: Phone, holder: PassSecrets) -> None:
    for header in ({}, {"Authorization": "Device " + "A" * 43}, {"Authorization": "Ticket"}):
        assert phone.ask(venue, holder, ticket=Shown(header)).status_code == 401
    assert nothing_is_spent()


def test_an_invalid_body_spends_nothing(phone: Phone) -> None:
    header = phone.ticket(0, today()).header
    for body in (b"", b"[", b"null", b'{"venue": NaN}'):
        assert send_bytes("/api/v1/passes", body, now=NOW, headers=header).status_code == 400
    assert nothing_is_spent()


def test_the_visitors_key_deleted_the_tickets_still_open_check_in(venue: Venue, phone: Phone) -> None:
    """They show that somebody drew them, and no more."""
    body = {"erase_key": encode_base64url(phone.keys.erase)}
    assert send("DELETE", "/api/v1/visitors/me", body, now=NOW, headers=phone.header).status_code == 204
    assert phone.ask(venue, phone.next_pass(today())).status_code == 201
    assert len(decode_base64url(phone.ticket(0, today()).ticket.text)) == 288
