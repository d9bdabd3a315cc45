"""Confirmation of an account's e-mail address: the link, what waits for it, and what requires a new one."""

import datetime as dt
import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client

from common.models import AuditEntry
from common.time import utc_now
from common.web.problems import Invalid
from tests import factories
from tests.factories import NOW, PASSWORD
from tests.venues.conftest import World, call
from venues import selectors, tasks
from venues.services import mailed
from venues.services.accounts import close_account, confirm_email, reset_password
from venues.services.mailed import mail_confirmation

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("tasks_at_once")]
AGAIN = "/api/v1/owner/account/email/confirmation"
CONFIRM = "/api/v1/owner/confirm"


def somebody(email: str = "rosa@example.org") -> User:
    return factories.make_user(email=email, now=utc_now())


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def token(letter: Any) -> str:
    """Return the part after the `#` of a link."""
    found = re.search(r"/owner/(?:confirm|reset)#(\S+)", str(letter.body))
    assert found
    return found[1]


def confirmed(user: User) -> bool:
    return selectors.email_confirmed(User.objects.get(pk=user.pk))


def said(client: Client, address: str) -> str:
    return str(client.get(address).content.decode())


# The link ------------------------------------------------------------------------------------------------------------
def test_who_signs_up_with_an_address_goes_on_at_once_and_gets_a_link_that_confirms_it() -> None:
    client = Client()
    given = {"username": "rosa", "password": PASSWORD, "email": "rosa@example.org"}
    assert client.post("/owner/sign-up", given).headers["Location"] == "/owner/start"
    assert "A link is on its way to rosa@example.org." in said(client, "/owner/start")
    (letter,) = mail.outbox
    assert letter.to == ["rosa@example.org"]
    assert "http://testserver/owner/confirm#" in str(letter.body)
    user = User.objects.get()
    assert not confirmed(user)
    assert "This address is not confirmed yet." in said(client, "/owner/account")
    answer = client.post("/owner/confirm", {"token": token(letter)})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/owner/account")
    assert confirmed(user)
    shown = said(client, "/owner/account")
    assert "Your address is confirmed." in shown
    assert "not confirmed" not in shown


def test_signing_up_without_an_address_mails_nobody() -> None:
    client = Client()
    client.post("/owner/sign-up", {"username": "rosa", "password": PASSWORD, "email": ""})
    assert not mail.outbox
    assert "confirm" not in said(client, "/owner/account")


def test_a_broker_that_is_away_stops_no_sign_up(monkeypatch: pytest.MonkeyPatch) -> None:
    from kombu.exceptions import OperationalError

    def away(*_arguments: Any, **_options: Any) -> None:
        raise OperationalError

    monkeypatch.setattr(tasks.mail_confirmation, "apply_async", away)
    given = {"username": "rosa", "password": PASSWORD, "email": "rosa@example.org"}
    assert Client().post("/owner/sign-up", given).status_code == 302
    given["username"] = "rose"
    assert call(Client(), "POST", "/api/v1/owner/sign-up", given).status_code == 201
    assert call(browser(User.objects.first() or somebody()), "POST", AGAIN).status_code == 503


def test_the_link_works_for_who_is_not_logged_in_and_once() -> None:
    user = somebody()
    mail_confirmation(user_id=user.pk, origin="https://crowd.example")
    body = {"token": token(mail.outbox[0])}
    assert call(Client(), "POST", CONFIRM, body).status_code == 204
    assert confirmed(user)
    again = call(Client(), "POST", CONFIRM, body)
    assert (again.status_code, again.json()["errors"][0]["pointer"]) == (400, "/token")
    assert "wrong, used or too old" in Client().post("/owner/confirm", body).content.decode()


def test_reading_the_page_of_the_link_confirms_nothing() -> None:
    """Mail servers open links to check them, and the part after the `#` is not even sent."""
    user = somebody()
    assert Client().get("/owner/confirm").status_code == 200
    assert not confirmed(user)


def test_the_link_ends_after_three_days(time_machine: Any) -> None:
    time_machine.move_to("2026-11-25T12:00:00Z")
    user = somebody()
    made = mailed.token_for(user, mailed.CONFIRM)
    time_machine.move_to("2026-11-28T12:00:01Z")
    with pytest.raises(Invalid):
        confirm_email(token=made, now=utc_now())
    time_machine.move_to("2026-11-28T11:00:00Z")
    confirm_email(token=made, now=utc_now())


def test_a_log_in_meanwhile_ends_no_link() -> None:
    user = somebody()
    made = mailed.token_for(user, mailed.CONFIRM)
    call(Client(), "POST", "/api/v1/owner/log-in", {"username": user.username, "password": PASSWORD})
    confirm_email(token=made, now=utc_now())
    assert confirmed(user)


@pytest.mark.parametrize("made", ["", ".", "x.y", "MQ.x", "99999999999999999999.x", "é.ü"])
def test_any_other_token_is_refused(made: str) -> None:
    somebody()
    with pytest.raises(Invalid):
        confirm_email(token=made, now=NOW)


def test_a_link_to_confirm_sets_no_password_and_the_other_way_round() -> None:
    user = somebody()
    with pytest.raises(Invalid):
        reset_password(token=mailed.token_for(user, mailed.CONFIRM), password=PASSWORD, now=NOW)
    with pytest.raises(Invalid):
        confirm_email(token=mailed.token_for(user, mailed.RESET), now=NOW)


def test_a_link_confirms_the_account_it_was_made_for_and_no_other() -> None:
    mine, other = somebody(), somebody()
    secret = mailed.token_for(mine, mailed.CONFIRM).partition(".")[2]
    uid = mailed.token_for(other, mailed.CONFIRM).partition(".")[0]
    with pytest.raises(Invalid):
        confirm_email(token=f"{uid}.{secret}", now=NOW)
    assert not confirmed(other)


def test_a_new_password_by_mail_confirms_the_address_it_came_to() -> None:
    user = somebody()
    call(Client(), "POST", "/api/v1/owner/reset", {"email": user.email})
    body = {"token": token(mail.outbox[0]), "password": "another long passphrase"}
    assert call(Client(), "POST", "/api/v1/owner/reset/confirm", body).status_code == 204
    assert confirmed(user)


def test_the_letter_is_in_the_language_of_who_asked_and_the_audit_holds_no_address() -> None:
    user = somebody()
    call(browser(user), "POST", AGAIN, Accept_Language="es")
    assert mail.outbox[0].subject.startswith("Confirme su dirección")
    confirm_email(token=token(mail.outbox[0]), now=utc_now())
    assert AuditEntry.objects.filter(verb="email.confirmed", subject=user.username).count() == 1
    assert user.email not in str(list(AuditEntry.objects.values()))


# A new address -------------------------------------------------------------------------------------------------------
def test_a_new_address_must_be_confirmed_and_old_links_do_not_confirm_it() -> None:
    user = somebody()
    first = mailed.token_for(user, mailed.CONFIRM)
    confirm_email(token=first, now=utc_now())
    client = browser(user)
    page = client.post("/owner/account/email", {"email": "new@example.org", "password": PASSWORD})
    assert page.status_code == 302
    assert [letter.to for letter in mail.outbox] == [["new@example.org"]]
    assert not confirmed(user)
    back = call(client, "PUT", "/api/v1/owner/account/email", {"email": "rosa@example.org", "password": PASSWORD})
    assert back.json()["email_confirmed"] is False, "an address that was left has to show itself again"
    for used in (first, token(mail.outbox[0])):
        with pytest.raises(Invalid):
            confirm_email(token=used, now=utc_now())
    confirm_email(token=token(mail.outbox[1]), now=utc_now())
    assert client.get("/api/v1/owner/account").json()["email_confirmed"] is True


def test_setting_the_same_address_again_asks_nothing() -> None:
    user = somebody()
    confirm_email(token=mailed.token_for(user, mailed.CONFIRM), now=utc_now())
    browser(user).post("/owner/account/email", {"email": user.email, "password": PASSWORD})
    assert confirmed(user)
    assert not mail.outbox


# Asking again --------------------------------------------------------------------------------------------------------
def test_the_link_is_sent_again_by_page_and_api_and_past_the_limit_by_neither(settings: Any) -> None:
    settings.THROTTLES = settings.THROTTLES | {"mail": "2/hour"}
    user = somebody()
    client = browser(user)
    assert call(client, "POST", AGAIN).status_code == 202
    client.post("/owner/account/email/confirmation")
    assert "A link is on its way" in said(client, "/owner/account")
    refused = call(client, "POST", AGAIN)
    assert refused.status_code == 429
    assert int(refused["Retry-After"]) > 0
    client.post("/owner/account/email/confirmation")
    assert "A link is on its way" not in said(client, "/owner/account")
    assert len(mail.outbox) == 2


def test_many_accounts_cannot_fill_one_mailbox(settings: Any) -> None:
    settings.THROTTLES = settings.THROTTLES | {"mail": "2/hour"}
    for number in range(4):
        email = "stranger@example.org" if number % 2 else "STRANGER@example.org"
        given = {"username": f"rosa{number}", "password": PASSWORD, "email": email}
        assert call(Client(), "POST", "/api/v1/owner/sign-up", given).status_code == 201
    assert len(mail.outbox) == 2
    for _time in range(4):
        call(Client(), "POST", "/api/v1/owner/reset", {"email": "stranger@example.org"})
    assert len({letter.subject for letter in mail.outbox}) == 2, "links for passwords are counted apart"


def test_there_is_nothing_to_send_again_without_an_address_or_once_it_is_confirmed() -> None:
    without, done = somebody(""), somebody()
    confirm_email(token=mailed.token_for(done, mailed.CONFIRM), now=utc_now())
    for user, code in ((without, "no_email"), (done, "confirmed")):
        answer = call(browser(user), "POST", AGAIN)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, code)
    assert not mail.outbox


def test_who_confirmed_while_the_mail_waited_gets_none() -> None:
    user = somebody()
    confirm_email(token=mailed.token_for(user, mailed.CONFIRM), now=utc_now())
    mail_confirmation(user_id=user.pk, origin="https://crowd.example")
    mail_confirmation(user_id=0, origin="https://crowd.example")
    assert not mail.outbox


# What is said --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("backend", ["filebased", "dummy", "console"])
def test_without_a_mail_server_pages_say_that_nothing_arrives(backend: str, settings: Any, tmp_path: Any) -> None:
    settings.EMAIL_BACKEND = f"django.core.mail.backends.{backend}.EmailBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path)
    client = Client()
    client.post("/owner/sign-up", {"username": "rosa", "password": PASSWORD, "email": "rosa@example.org"})
    assert "This deployment has no mail server" in said(client, "/owner/start")
    assert "This deployment has no mail server" in said(client, "/owner/account")
    assert "Send the link again" not in said(client, "/owner/account")
    asked = Client().post("/owner/forgot", {"email": "rosa@example.org"}).content.decode()
    assert "This deployment has no mail server" in asked
    assert "on its way" not in asked


def test_the_page_of_an_alert_says_what_its_mails_wait_for(world: World) -> None:
    user = world.people["owner"]
    User.objects.filter(pk=user.pk).update(email="o@example.org")
    client = browser(user)
    page, api = (f"{start}/owner/venues/{world.venue.public_id}" for start in ("", "/api/v1"))
    assert "E-mails start once you have confirmed this address." in said(client, f"{page}/alert")
    wanted = call(client, "PUT", f"{api}/alert", {"mail": True}).json()
    assert wanted == {"percent": 90, "mail": True, "email_confirmed": False}
    assert "You will get an e-mail once your address is confirmed." in said(client, page)
    confirm_email(token=mailed.token_for(User.objects.get(pk=user.pk), mailed.CONFIRM), now=utc_now())
    assert client.get(f"{api}/alert").json()["email_confirmed"] is True
    assert "You will get an e-mail." in said(client, page)


def test_deleting_the_account_takes_the_note_of_its_address_along() -> None:
    user = somebody()
    confirm_email(token=mailed.token_for(user, mailed.CONFIRM), now=NOW + dt.timedelta(days=1))
    close_account(user=user, password=PASSWORD, now=NOW)
    assert not User.objects.exists()
