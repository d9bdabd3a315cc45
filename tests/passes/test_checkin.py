"""Check-in through the API: a ticket is spent on one judgement, with responses of one size."""

import datetime as dt
import random
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from common.crypto import encrypt
from common.time import deployment_zone
from passes import keys
from passes.admission import Advice, AdviceCode, Answers
from passes.api.answers import checkin_answer
from passes.clock import calendar
from passes.codec import GoPass, parse_pass
from passes.codec.epochs import Epoch
from passes.codec.identity import encode_base64url
from passes.hashes import pass_tag
from passes.models import IssuerKey, Pass, SpentTicket, Visitor
from passes.services.checkins import CheckinAnswer, CheckinRequest, _is_marked, check_in
from tests.factories import NOW, make_device, make_event, make_venue
from tests.passes.people import HEALTHY, Phone, result, scan, send
from tests.passes.vectors import VECTORS, Vector
from venues.api.serializers import InvitationOutput
from venues.models import Invitation, Venue
from venues.requirements import RequirementValues
from venues.services.events import cancel_event, invitation_code, make_invitation
from venues.services.venues import set_requirements

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)


@pytest.fixture
def venue() -> Venue:
    return make_venue()


@pytest.fixture
def phone() -> Phone:
    phone = Phone()
    assert phone.register().status_code == 201
    return phone


ZONES = ("UTC", "America/New_York", "Europe/Berlin", "Asia/Kolkata", "Pacific/Auckland", "America/Los_Angeles")


def at(vector: Vector) -> dt.datetime:
    """Return the start of a vector's epoch."""
    return dt.datetime.fromtimestamp(vector.epoch_start, dt.UTC)


def today() -> Epoch:
    return calendar().current(NOW.timestamp())


# Registration --------------------------------------------------------------------------------------------------------
def test_registering_twice_changes_nothing(phone: Phone) -> None:
    before = Visitor.objects.values().get()
    assert phone.register(NOW + DAY).status_code == 200
    assert Visitor.objects.values().get() == before


def test_a_visitor_row_is_deleted_by_its_erase_key_alone(phone: Phone) -> None:
    wrong = send("DELETE", "/api/v1/visitors/me", {"erase_key": "A" * 43}, now=NOW, headers=phone.header)
    assert wrong.status_code == 403
    body = {"erase_key": encode_base64url(phone.keys.erase)}
    assert send("DELETE", "/api/v1/visitors/me", body, now=NOW, headers=phone.header).status_code == 204
    assert not Visitor.objects.exists()
    assert send("DELETE", "/api/v1/visitors/me", body, now=NOW, headers=phone.header).status_code == 401


@pytest.mark.parametrize("header", ["", "Visitor", "Visitor short", "Visitor " + "=" * 43, "Device " + "A" * 43])
def test_a_text_that_is_not_a_visitors_key_is_unauthorized(venue: Venue, header: str) -> None:
    headers = {"Authorization": header} if header else {}
    answer = send("POST", "/api/v1/visitors", {"erase_hash": "A" * 43}, now=NOW, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Visitor")


# A pass --------------------------------------------------------------------------------------------------------------
def test_good_answers_give_a_pass_that_verifies_for_this_venue_alone(venue: Venue, phone: Phone) -> None:
    holder = phone.next_pass(today())
    answer = phone.ask(venue, holder)

    body = answer.json()
    assert answer.status_code == 201
    assert (body["go"], body["advice"]) == (True, [])
    assert (body["valid_from"], body["valid_until"]) == ("2026-05-13T00:00:00Z", "2026-05-14T04:00:00Z")
    ring, at = keys.keyring(NOW), NOW.timestamp()
    parsed = parse_pass(body["credential"], venue=venue.public_id, keys=ring, at=at)
    assert parsed == GoPass(anchor=holder.anchor, epoch_start=today().start, slot=None)
    assert parse_pass(body["credential"], venue="v_0000000000", keys=ring, at=at) == "signature"


def test_the_row_of_a_pass_holds_no_visitor_and_no_time(venue: Venue, phone: Phone) -> None:
    holder = phone.next_pass(today())
    phone.ask(venue, holder)

    row = Pass.objects.get()
    assert (bytes(row.tag), bytes(row.anchor or b"")) == (pass_tag(holder.anchor), holder.anchor)
    assert not any(field.is_relation and field.name != "venue" for field in Pass._meta.concrete_fields)
    assert not any("Time" in field.get_internal_type() for field in Pass._meta.concrete_fields)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: str(vector.index))
def test_the_published_vectors_pass_from_end_to_end(settings: Any, vector: Vector) -> None:
    settings.DEPLOYMENT_TIME_ZONE = next(
        zone for zone in ZONES if at(vector).astimezone(ZoneInfo(zone)).time() == dt.time()
    )
    epoch = calendar().epoch_starting(vector.epoch_start)
    assert epoch is not None
    shown = dt.datetime.fromtimestamp(vector.shown_at, dt.UTC)
    place = make_venue(now=at(vector))
    Venue.objects.filter(pk=place.pk).update(public_id=vector.venue)
    private = encrypt(keys.PURPOSE, vector.issuer_private)
    IssuerKey.objects.create(
        epoch=epoch.date, kid=vector.kid, public=vector.issuer_public, private=private, created_at=at(vector)
    )
    door = make_device(venue=place, now=at(vector))

    answer = check_in(
        ticket=Phone().ticket(0, epoch, now=at(vector)).ticket,
        request=CheckinRequest(
            venue=vector.venue,
            epoch=epoch.date,
            anchor=vector.anchor,
            owner_hash=vector.owner_hash,
            answers=Answers(symptoms=False, diagnosed=False, contact=False, near=False),
            survey_seconds=20,
        ),
        now=at(vector),
    )

    assert answer.credential == vector.credential
    assert result(scan(door, vector.rotating, now=shown)) == "Approved"


@pytest.mark.parametrize("question", list(HEALTHY))
def test_answers_are_judged_by_the_rules_of_the_venue(phone: Phone, question: str) -> None:
    place = make_venue(requirements=RequirementValues(refuse_contact=True, refuse_near=True))
    body = phone.ask(place, phone.next_pass(today()), answers=HEALTHY | {question: True}).json()

    assert (body["go"], body["credential"]) == (False, None)
    assert [advice["code"] for advice in body["advice"]] == [question]


def test_a_refusal_is_kept_with_its_hour_counts_and_uses_up_its_anchor(venue: Venue, phone: Phone) -> None:
    holder = phone.next_pass(today())
    phone.ask(venue, holder, answers=HEALTHY | {"symptoms": True})

    row = Pass.objects.get()
    assert (row.go, row.refused_hour, row.symptoms) == (False, 10, True)
    assert SpentTicket.objects.count() == 1
    assert phone.ask(venue, holder).status_code == 409
    assert phone.ask(venue, holder, ticket=phone.ticket(1, today())).status_code == 409


def test_rules_are_frozen_when_check_in_opens(venue: Venue, phone: Phone) -> None:
    strict = RequirementValues(refuse_near=True)
    set_requirements(venue=venue, values=strict, actor="owner", now=NOW)
    near = HEALTHY | {"near": True}

    assert phone.ask(venue, phone.next_pass(today()), answers=near).json()["go"]
    tomorrow = calendar().following(today())
    later = calendar().following(tomorrow)
    opens = dt.datetime.fromtimestamp(later.checkin_opens, dt.UTC)
    assert not phone.ask(venue, phone.next_pass(later), now=opens, day=later, answers=near).json()["go"]


# Size and repetition -------------------------------------------------------------------------------------------------
def test_every_answer_has_the_same_size_and_headers(venue: Venue, phone: Phone) -> None:
    good = phone.ask(venue, phone.next_pass(today()))
    bad = phone.ask(venue, phone.next_pass(today()), answers=dict.fromkeys(HEALTHY, True))

    assert len(good.content) == len(bad.content) == 2048
    assert good.status_code == bad.status_code
    assert {name for name in good.headers if not name.startswith("RateLimit")} == {
        name for name in bad.headers if not name.startswith("RateLimit")
    }


@pytest.mark.parametrize("language", ["en", "es"])
def test_all_advice_at_once_fits_into_the_answer(language: str) -> None:
    every = tuple(Advice(code) for code in AdviceCode if code is not AdviceCode.INVITATION_UNKNOWN)
    with translation.override(language):
        body = checkin_answer(CheckinAnswer(epoch=today(), credential=None, advice=every, new=True))
    assert len(body["advice"]) == 6


def test_the_same_ticket_and_body_get_the_same_answer(venue: Venue, phone: Phone) -> None:
    holder = phone.next_pass(today())
    for answers in (HEALTHY, HEALTHY | {"diagnosed": True}):
        first = phone.ask(venue, holder, answers=answers)
        again = phone.ask(venue, holder, answers=answers, now=NOW + HOUR)
        assert (first.status_code, again.status_code) == (201, 200)
        assert first.json() == again.json()
        holder = phone.next_pass(today())
    assert SpentTicket.objects.count() == 2


def test_a_lost_answer_can_be_asked_for_until_the_epoch_ends(venue: Venue, phone: Phone) -> None:
    holder = phone.next_pass(today())
    first = phone.ask(venue, holder)
    last = dt.datetime.fromtimestamp(today().end - 1, dt.UTC)
    keys.blank_ended(last)
    assert phone.ask(venue, holder, now=last, day=today()).json() == first.json()

    keys.forget()
    keys.blank_ended(last + dt.timedelta(seconds=1))
    assert phone.ask(venue, holder, now=last + dt.timedelta(seconds=1), day=today()).status_code == 410


@pytest.mark.parametrize(
    "changes", [{"answers": HEALTHY | {"contact": True}}, {"survey_seconds": 21}, {"owner_hash": "A" * 43}]
)
def test_a_known_anchor_with_another_body_is_a_conflict(venue: Venue, phone: Phone, changes: dict[str, Any]) -> None:
    holder = phone.next_pass(today())
    phone.ask(venue, holder)
    assert phone.ask(venue, holder, **changes).status_code == 409
    assert phone.ask(make_venue(), holder).status_code == 409


def test_a_known_owner_hash_with_another_anchor_is_a_conflict(venue: Venue, phone: Phone) -> None:
    holder = phone.next_pass(today())
    phone.ask(venue, holder)
    assert phone.ask(venue, holder, anchor="A" * 22).status_code == 409


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_nine_in_ten_passes_of_counted_tickets_count_for_the_dataset(seed: int, monkeypatch: Any) -> None:
    # A seeded coin of the size that the service requests. 1/9 or 1/11 instead of 1/10 would differ by 1,000 passes, ten
    # standard deviations.
    monkeypatch.setattr("passes.services.checkins.secrets", SimpleNamespace(randbelow=random.Random(seed).randrange))
    marked = sum(_is_marked() for _ in range(100_000))
    assert marked == pytest.approx(90_000, abs=300)


def test_a_pass_for_a_ticket_after_the_third_never_counts_for_the_dataset(venue: Venue, monkeypatch: Any) -> None:
    coins = iter([0, 1, 9])
    monkeypatch.setattr("passes.services.checkins.secrets", SimpleNamespace(randbelow=lambda _most: next(coins)))
    phone = Phone()
    for _ in range(5):
        phone.check_in(venue)
    assert sorted(Pass.objects.values_list("counted", flat=True)) == [False, False, False, True, True]


# Open and closed -----------------------------------------------------------------------------------------------------
def test_a_day_whose_check_in_is_closed_gets_advice_and_leaves_nothing(venue: Venue, phone: Phone) -> None:
    yesterday = calendar().current((NOW - DAY).timestamp())
    far = calendar().current((NOW + 5 * DAY).timestamp())
    for epoch in (yesterday, far):
        answer = phone.ask(venue, phone.next_pass(epoch), day=epoch, ticket=phone.ticket(0, today()))
        assert (answer.status_code, len(answer.content)) == (200, 2048)
        assert [advice["code"] for advice in answer.json()["advice"]] == ["checkin_closed"]
    assert not Pass.objects.exists()
    assert not SpentTicket.objects.exists()


def test_two_epochs_live_after_midnight_and_the_new_one_alone_is_open(venue: Venue, phone: Phone) -> None:
    one = dt.datetime(2026, 12, 31, 23, 30, tzinfo=dt.UTC)
    old = phone.check_in(venue, now=one)
    past_midnight = one + HOUR
    assert [epoch.date.isoformat() for epoch in calendar().live_epochs(past_midnight.timestamp())] == [
        "2026-12-31",
        "2027-01-01",
    ]
    new = phone.check_in(venue, now=past_midnight)
    ring = keys.keyring(past_midnight)
    for held in (old, new):
        shown = held.on_screen(past_midnight)
        assert isinstance(parse_pass(shown, venue=venue.public_id, keys=ring, at=past_midnight.timestamp()), GoPass)


@pytest.mark.parametrize(
    ("zone", "date", "starts", "ends"),
    [
        ("America/New_York", dt.date(2026, 3, 8), "2026-03-08T05:00:00Z", "2026-03-09T09:00:00Z"),  # 23 hours
        ("America/New_York", dt.date(2026, 11, 1), "2026-11-01T04:00:00Z", "2026-11-02T08:00:00Z"),  # 25 hours
        ("America/Santiago", dt.date(2026, 9, 6), "2026-09-06T04:00:00Z", "2026-09-07T08:00:00Z"),  # no midnight
    ],
)
def test_an_epoch_lasts_28_hours_when_the_clock_changes(
    settings: Any, zone: str, date: dt.date, starts: str, ends: str
) -> None:
    settings.DEPLOYMENT_TIME_ZONE = zone
    now = dt.datetime.combine(date, dt.time(12), tzinfo=ZoneInfo(zone)).astimezone(dt.UTC)
    place = make_venue(now=now - DAY)
    phone = Phone()
    phone.register(now)
    body = phone.ask(place, phone.next_pass(calendar().current(now.timestamp())), now=now).json()
    assert (body["valid_from"], body["valid_until"]) == (starts, ends)


# Invitations ---------------------------------------------------------------------------------------------------------
@pytest.fixture
def invitation(venue: Venue) -> Invitation:
    event = make_event(venue=venue)
    return make_invitation(event=event, actor="owner", uses=1, now=NOW)


def test_an_event_by_invitation_asks_for_its_code(venue: Venue, phone: Phone, invitation: Invitation) -> None:
    def codes(**more: Any) -> list[str]:
        body = phone.ask(venue, phone.next_pass(today()), **more).json()
        return [advice["code"] for advice in body["advice"]]

    code = invitation_code(invitation)
    assert codes() == ["invitation_needed"]
    assert codes(invitation="not the code") == ["invitation_unknown"]
    assert codes(invitation=code) == []
    assert codes(invitation=code) == ["invitation_unknown"]  # its one use is spent


@pytest.mark.parametrize("answers", [HEALTHY, HEALTHY | {"symptoms": True}, HEALTHY | {"diagnosed": True}])
def test_what_is_left_of_an_invitation_tells_its_host_nothing_of_the_answers(
    venue: Venue, phone: Phone, invitation: Invitation, answers: dict[str, bool]
) -> None:
    """The host knows the code and may try it with another phone."""
    code = invitation_code(invitation)
    phone.ask(venue, phone.next_pass(today()), invitation=code, answers=answers)

    tried = phone.ask(venue, phone.next_pass(today()), invitation=code).json()
    invitation.refresh_from_db()
    assert [advice["code"] for advice in tried["advice"]] == ["invitation_unknown"]
    assert (invitation.uses, invitation.uses_left) == (1, 0)


def test_a_host_is_not_shown_what_is_left_of_an_invitation(venue: Venue, phone: Phone, invitation: Invitation) -> None:
    before = InvitationOutput(invitation, context={"origin": "https://crowd.example"}).data
    phone.ask(venue, phone.next_pass(today()), invitation=invitation_code(invitation))
    invitation.refresh_from_db()
    assert InvitationOutput(invitation, context={"origin": "https://crowd.example"}).data == before
    assert before["uses"] == 1


@pytest.mark.parametrize(
    ("starts", "change", "asks"),
    [
        (dt.time(0), {}, True),
        (dt.time(23, 59), {}, True),
        (dt.time(12), {"invitation_needed": False}, False),
        (dt.time(12), {"days": 1}, False),
        (dt.time(12), {"days": -1}, False),  # later today
    ],
)
def test_a_day_on_which_an_event_by_invitation_starts_is_a_day_by_invitation(
    venue: Venue, phone: Phone, starts: dt.time, change: dict[str, Any], asks: bool
) -> None:
    tomorrow = calendar().epoch_of(today().date + DAY)
    day = tomorrow.date + dt.timedelta(days=change.get("days", 0))
    begins = dt.datetime.combine(day, starts, tzinfo=deployment_zone()).astimezone(dt.UTC)
    invited = change.get("invitation_needed", True)
    make_event(venue=venue, starts_at=begins, ends_at=begins + dt.timedelta(hours=2), invitation_needed=invited)
    body = phone.ask(venue, phone.next_pass(tomorrow), day=tomorrow, now=NOW + dt.timedelta(hours=1)).json()
    assert [advice["code"] for advice in body["advice"]] == (["invitation_needed"] if asks else [])


def test_a_cancelled_event_asks_for_no_invitation(venue: Venue, phone: Phone) -> None:
    cancel_event(event=make_event(venue=venue), actor="owner", now=NOW)
    assert phone.ask(venue, phone.next_pass(today())).json()["go"]


def test_a_repeated_check_in_spends_no_second_use(venue: Venue, phone: Phone, invitation: Invitation) -> None:
    code = invitation_code(invitation)
    holder = phone.next_pass(today())
    first, again = (phone.ask(venue, holder, invitation=code) for _ in range(2))
    assert first.json() == again.json()
    assert first.json()["go"]


# Bad requests --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"venue": "nowhere"}, "/venue"),
        ({"epoch": "2026-02-30"}, "/epoch"),
        ({"epoch": "0001-01-01"}, "/epoch"),
        ({"epoch": "9999-12-31"}, "/epoch"),
        ({"anchor": "A" * 23}, "/anchor"),
        ({"anchor": "A" * 21 + "B"}, "/anchor"),
        ({"owner_hash": "=" * 43}, "/owner_hash"),
        ({"answers": {"symptoms": False}}, "/answers/diagnosed"),
        ({"answers": HEALTHY | {"symptoms": "no"}}, "/answers/symptoms"),
        ({"survey_seconds": -1}, "/survey_seconds"),
        ({"survey_seconds": True}, "/survey_seconds"),
        ({"name": "Ada"}, "/name"),
    ],
)
def test_a_bad_check_in_names_its_field_and_keeps_nothing(
    venue: Venue, phone: Phone, changes: dict[str, Any], pointer: str
) -> None:
    answer = phone.ask(venue, phone.next_pass(today()), **changes)

    assert answer.status_code == 400
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]
    assert not Pass.objects.exists()
    assert not SpentTicket.objects.exists()


def test_an_unknown_venue_is_not_found_and_named(phone: Phone) -> None:
    answer = phone.ask("v_0000000000", phone.next_pass(today()))
    assert answer.status_code == 404
    assert answer.json()["errors"][0]["pointer"] == "/venue"


# Months, counts and keys ---------------------------------------------------------------------------------------------
def test_the_last_use_is_stored_as_a_month_only(venue: Venue, phone: Phone) -> None:
    june = NOW.replace(month=6)
    phone.check_in(venue, now=june)
    row = Visitor.objects.get()
    assert (row.made_month, row.used_month) == (
        dt.datetime(2026, 5, 1, tzinfo=dt.UTC),
        dt.datetime(2026, 6, 1, tzinfo=dt.UTC),
    )


def test_a_check_in_takes_a_fixed_number_of_statements(phone: Phone) -> None:
    venue = make_venue(now=NOW - 3 * DAY)
    phone.check_in(venue)
    holder = phone.next_pass(today())
    with CaptureQueriesContext(connection) as captured:
        phone.ask(venue, holder)
    # All facts; ticket and pass in one inside BEGIN and COMMIT, with a last look at erased ones.
    assert len(captured) == 5, [query["sql"] for query in captured]
    assert not any("passes_visitor" in query["sql"] or "passes_drawnset" in query["sql"] for query in captured)


def test_keys_are_made_ahead_and_blanked_behind() -> None:
    keys.make_keys(NOW)
    first = today().date
    assert list(IssuerKey.objects.order_by("epoch").values_list("epoch", flat=True)) == [
        first + dt.timedelta(days=days) for days in range(4)
    ]
    keys.make_keys(NOW)
    assert IssuerKey.objects.count() == 4
    end = dt.datetime.fromtimestamp(today().end, dt.UTC)
    assert keys.blank_ended(end - dt.timedelta(seconds=1)) == 0
    assert keys.blank_ended(end) == 1
    assert IssuerKey.objects.get(private=None).epoch == first


def test_the_key_set_holds_every_epoch_that_has_not_ended(venue: Venue, phone: Phone) -> None:
    phone.check_in(venue)
    answer = send("GET", "/.well-known/jwks.json", now=NOW)
    body = answer.json()
    assert {key["nbf"] for key in body["keys"]} >= {today().start, calendar().following(today()).start}
    assert all(
        (key["kty"], key["crv"], len(key["kid"]), len(key["x"])) == ("OKP", "Ed25519", 6, 43) for key in body["keys"]
    )
    again = send("GET", "/.well-known/jwks.json", now=NOW, headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304
