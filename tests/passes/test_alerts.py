"""Members who asked for it are notified that their place is filling up: once per crossing, without personal data."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.core.mail import EmailMessage
from django.db.models import F
from django.utils.translation import override
from pytest_django import DjangoAssertNumQueries

from common.time import utc_now
from crowdtrace.celery import app
from passes import alerts
from passes.tasks import watch_capacity
from tests import factories
from tests.risk.crowds import Stay, stay
from venues import tasks
from venues.kinds import Role
from venues.models import AlertMail, Membership, Venue
from venues.requirements import RequirementValues
from venues.services.accounts import change_email
from venues.services.alerts import mail_alert, set_alert_mail
from venues.services.organisations import close_organisation, remove_member
from venues.services.venues import close_venue, update_venue

pytestmark = pytest.mark.django_db
MINUTE = dt.timedelta(minutes=1)
ORIGIN = "https://crowd.example"


@pytest.fixture(autouse=True)
def tasks_at_once() -> Iterator[None]:
    app.conf.task_always_eager = True
    yield
    app.conf.task_always_eager = False


def place(capacity: int = 10) -> Venue:
    return factories.make_venue(requirements=RequirementValues(capacity=capacity), now=utc_now())


def colleague(venue: Venue, email: str, language: str = "en") -> User:
    """Create a member who wants to be notified."""
    user = factories.join(venue.organisation, Role.VIEWER, now=utc_now())
    user.email = email
    user.save()
    factories.confirm_email(user)
    with override(language):
        set_alert_mail(venue=venue, user=user, wanted=True, origin=ORIGIN, now=utc_now())
    return user


def fill(venue: Venue, heads: int) -> list[Stay]:
    return [stay(venue, utc_now() - MINUTE, open_end=True) for _ in range(heads)]


def leave(one: Stay) -> None:
    one.visit.left_at = utc_now() - MINUTE / 2
    one.visit.save()


def let_the_pause_pass() -> None:
    AlertMail.objects.update(told_at=F("told_at") - alerts.PAUSE)


def received() -> list[str]:
    return [message.to[0] for message in mail.outbox]


def test_a_mail_comes_at_the_share_and_not_below_it() -> None:
    venue = place()
    colleague(venue, "rosa@example.org")
    fill(venue, 8)
    watch_capacity()
    assert received() == []
    fill(venue, 1)
    watch_capacity()
    (message,) = mail.outbox
    assert message.to == ["rosa@example.org"]
    assert message.subject == f"{venue.name} is filling up"
    assert f"{venue.name} is at 90 % of its limit or above: 5–9 of 10 inside" in message.body
    assert f"{ORIGIN}/owner/venues/{venue.public_id}\n" in message.body
    assert f"{ORIGIN}/owner/venues/{venue.public_id}/alert" in message.body
    assert "red" not in message.body


def test_the_mail_has_the_time_by_the_clock_of_the_place(time_machine: Any) -> None:
    time_machine.move_to("2026-09-20T12:34:00Z", tick=False)
    venue = place()
    Venue.objects.update(time_zone="America/New_York")
    colleague(venue, "rosa@example.org")
    fill(venue, 9)
    watch_capacity()
    (message,) = mail.outbox
    assert "inside at 08:34." in message.body


def test_one_crossing_is_one_mail_and_the_next_comes_only_after_it_fell_below() -> None:
    venue = place()
    colleague(venue, "rosa@example.org")
    stays = fill(venue, 9)
    watch_capacity()
    stays += fill(venue, 1)
    watch_capacity()
    leave(stays.pop())
    watch_capacity()
    assert len(mail.outbox) == 1, "from fills to full and back is the same crossing"
    let_the_pause_pass()
    leave(stays.pop())
    watch_capacity()
    assert len(mail.outbox) == 1
    fill(venue, 2)
    watch_capacity()
    assert len(mail.outbox) == 2
    assert mail.outbox[1].subject == f"{venue.name} is full"
    assert "the doors show red" in mail.outbox[1].body


def test_a_place_that_hovers_at_its_share_mails_once_in_half_an_hour() -> None:
    venue = place()
    colleague(venue, "rosa@example.org")
    fill(venue, 8)
    for _ in range(3):
        (last,) = fill(venue, 1)
        watch_capacity()
        leave(last)
        watch_capacity()
    assert len(mail.outbox) == 1
    let_the_pause_pass()
    watch_capacity()
    fill(venue, 1)
    watch_capacity()
    assert len(mail.outbox) == 2


def test_the_share_is_of_what_the_doors_let_in() -> None:
    venue = factories.make_venue(requirements=RequirementValues(capacity=20, enforced_limit_percent=50), now=utc_now())
    update_venue(venue=venue, changes={"alert_percent": 50}, actor="owner", now=utc_now())
    colleague(venue, "rosa@example.org")
    fill(venue, 4)
    watch_capacity()
    assert received() == []
    fill(venue, 1)
    watch_capacity()
    assert received() == ["rosa@example.org"]


def test_each_mail_is_in_the_language_of_its_request() -> None:
    venue = place()
    colleague(venue, "rosa@example.org", "es")
    colleague(venue, "rose@example.org", "en")
    fill(venue, 10)
    watch_capacity()
    subjects = {message.to[0]: message.subject for message in mail.outbox}
    assert subjects == {"rosa@example.org": f"{venue.name} está lleno", "rose@example.org": f"{venue.name} is full"}
    spanish = next(message.body for message in mail.outbox if message.to == ["rosa@example.org"])
    assert "10 de 10" in spanish
    assert "inside" not in spanish


def test_nothing_of_anybody_inside_or_of_colleagues_is_in_a_mail() -> None:
    venue = place(2)
    told, other = colleague(venue, "rosa@example.org"), colleague(venue, "other@example.org")
    stays = fill(venue, 2)
    watch_capacity()
    text = next(f"{one.subject} {one.body}" for one in mail.outbox if one.to == [told.email])
    assert other.email not in text
    assert other.username not in text
    for one in stays:
        for secret in (bytes(one.visit.tag), one.owner, bytes(one.pass_row.owner_hash)):
            assert secret.hex() not in text


@pytest.mark.parametrize(
    "end", ["unasked", "left", "no address", "new address", "closed place", "closed team", "switched off"]
)
def test_members_who_did_not_ask_get_no_mail(end: str) -> None:
    venue, now = place(1), utc_now()
    user = colleague(venue, "rosa@example.org")
    fill(venue, 1)
    if end == "unasked":
        set_alert_mail(venue=venue, user=user, wanted=False, origin=ORIGIN, now=now)
    elif end == "left":
        remove_member(membership=Membership.objects.get(user=user), actor=user.username, now=now)
    elif end == "no address":
        User.objects.filter(pk=user.pk).update(email="")
    elif end == "new address":
        change_email(user=user, password=factories.PASSWORD, email="typo@example.org", now=now)
    elif end == "closed place":
        close_venue(venue=venue, actor="owner", now=now)
    elif end == "closed team":
        close_organisation(organisation=venue.organisation, actor="owner", now=now)
    else:
        User.objects.filter(pk=user.pk).update(is_active=False)
    watch_capacity()
    assert received() == []


def test_an_address_that_nobody_confirmed_gets_none_until_it_is() -> None:
    venue = place(1)
    user = colleague(venue, "rosa@example.org")
    change_email(user=user, password=factories.PASSWORD, email="new@example.org", now=utc_now())
    fill(venue, 1)
    watch_capacity()
    alert = AlertMail.objects.get()
    assert not mail_alert(alert_id=alert.pk, heads=1, at=utc_now(), now=utc_now()), "nor one already under way"
    assert received() == []
    factories.confirm_email(User.objects.get(pk=user.pk))
    watch_capacity()
    assert received() == ["new@example.org"]


def test_a_mail_that_the_server_refuses_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    venue = place(1)
    colleague(venue, "rosa@example.org")
    fill(venue, 1)
    with monkeypatch.context() as without_server:

        def refuse(_message: EmailMessage, **_options: Any) -> int:
            raise ConnectionRefusedError

        without_server.setattr(EmailMessage, "send", refuse)
        watch_capacity()
    assert AlertMail.objects.get().told_at is None
    watch_capacity()
    assert received() == ["rosa@example.org"]


def test_a_mail_asked_for_twice_goes_out_once() -> None:
    venue = place(1)
    colleague(venue, "rosa@example.org")
    fill(venue, 1)
    now = utc_now()
    (due,) = alerts.watch_capacity(now=now)
    assert alerts.watch_capacity(now=now) == [due], "to look changes nothing"
    for _ in range(2):
        tasks.mail_alert(due.alert_id, due.heads, now.isoformat())
    tasks.mail_alert(10**9, 1, now.isoformat())
    assert received() == ["rosa@example.org"]


def test_any_number_of_places_takes_three_statements(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(1):
        alerts.watch_capacity(now=utc_now())
    for number in range(4):
        venue = place(1)
        colleague(venue, f"{number}@example.org")
        if number < 2:
            fill(venue, 1)
    AlertMail.objects.filter(venue=venue).update(told_at=utc_now() - alerts.PAUSE)
    with django_assert_num_queries(3):
        assert len(alerts.watch_capacity(now=utc_now())) == 2
    assert AlertMail.objects.get(venue=venue).told_at is None
