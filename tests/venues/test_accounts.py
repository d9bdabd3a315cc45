"""Sign-up, log-in, second factor, passwords, tokens, deletion of an account."""

import datetime as dt
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest
import time_machine
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core import mail
from django.test import Client

from common import valkey
from common.models import AuditEntry
from common.time import utc_now
from common.web.problems import Conflict, Invalid
from tests.factories import NOW, PASSWORD, make_organisation, make_user
from tests.venues.conftest import Race, call
from venues import guesses
from venues.models import Organisation, OwnerToken, SecondFactor
from venues.refusals import NotLoggedIn
from venues.services import mailed, second_factor
from venues.services.accounts import change_password, close_account, make_owner_token, reset_password, sign_up
from venues.services.mailed import mail_password_reset
from venues.services.organisations import close_organisation

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("tasks_at_once")]
STEP = dt.timedelta(seconds=30)


def owner(path: str) -> str:
    return f"/api/v1/owner/{path}"


def log_in(client: Client, username: str, password: str = PASSWORD, **more: str) -> Any:
    return call(client, "POST", owner("log-in"), {"username": username, "password": password, **more})


def code_of(problem: Any) -> str:
    return str(problem.json()["errors"][0]["code"])


def turn_on(user: User, now: dt.datetime = NOW) -> tuple[pyotp.TOTP, list[str]]:
    """Turn the second factor on; return it and its recovery codes."""
    uri = second_factor.begin(user=user, now=now)
    totp = pyotp.TOTP(parse_qs(urlsplit(uri).query)["secret"][0])
    return totp, second_factor.confirm(user=user, code=totp.at(now), now=now)


def check(user: User, code: str, now: dt.datetime) -> bool:
    try:
        second_factor.check_code(user=user, code=code, now=now)
    except NotLoggedIn:
        return False
    return True


class TestSignUp:
    def test_it_logs_in(self) -> None:
        client = Client()
        made = call(client, "POST", owner("sign-up"), {"username": "rosa", "password": PASSWORD})
        assert made.status_code == 201
        assert client.get(owner("account")).json() == made.json()
        assert made.json() == {
            "username": "rosa",
            "email": "",
            "email_confirmed": False,
            "operator": False,
            "second_factor": False,
            "organisations": [],
        }

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ({"username": "rosa", "password": "short"}, "/password"),
            ({"username": "rosa", "password": "1029384756102"}, "/password"),
            ({"username": "rosamunda99", "password": "rosamunda99"}, "/password"),
            ({"username": "rosa luz", "password": PASSWORD}, "/username"),
            ({"username": "", "password": PASSWORD}, "/username"),
            ({"username": "rosa", "password": PASSWORD, "email": "no address"}, "/email"),
            ({"username": "rosa", "password": PASSWORD, "is_staff": True}, "/is_staff"),
            ({"username": 5, "password": PASSWORD}, "/username"),
            ({"username": "rosa"}, "/password"),
        ],
    )
    def test_what_is_wrong_is_named(self, body: dict[str, Any], pointer: str) -> None:
        response = call(Client(), "POST", owner("sign-up"), body)
        assert response.status_code == 400
        assert [error["pointer"] for error in response.json()["errors"]] == [pointer]
        assert not User.objects.exists()

    def test_a_name_is_taken_once(self) -> None:
        make_user(username="rosa")
        response = call(Client(), "POST", owner("sign-up"), {"username": "rosa", "password": PASSWORD})
        assert (response.status_code, code_of(response)) == (400, "taken")

    @pytest.mark.django_db(transaction=True)
    def test_of_two_that_take_a_name_at_once_one_gets_it(self, race: Race) -> None:
        results = race(lambda: sign_up(username="rosa", password=PASSWORD, now=NOW), 2)
        assert sorted(type(one).__name__ for one in results) == ["Invalid", "User"]

    def test_the_password_is_kept_as_a_hash_and_nowhere_else(self) -> None:
        user = make_user()
        assert PASSWORD not in user.password
        assert not AuditEntry.objects.filter(details__icontains=PASSWORD).exists()


class TestLogIn:
    def test_a_session_opens_the_account_and_log_out_ends_it(self) -> None:
        make_user(username="rosa")
        client = Client()
        assert log_in(client, "rosa").json()["username"] == "rosa"
        assert client.get(owner("account")).status_code == 200
        assert call(client, "POST", owner("log-out")).status_code == 204
        assert client.get(owner("account")).status_code == 401

    def test_an_unknown_name_and_a_wrong_password_answer_alike(self) -> None:
        make_user(username="rosa")
        make_user(username="gone", is_active=False)
        answers = [
            log_in(Client(), "rosa", "not the password"),
            log_in(Client(), "nobody", PASSWORD),
            log_in(Client(), "gone", PASSWORD),
        ]
        assert {answer.status_code for answer in answers} == {401}
        assert len({answer.content for answer in answers}) == 1
        assert code_of(answers[0]) == "wrong_credentials"

    def test_an_unknown_name_is_hashed_like_a_known_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        hashed: list[str] = []

        def note(_user: User, raw: str) -> None:
            hashed.append(raw)

        monkeypatch.setattr(User, "set_password", note)
        log_in(Client(), "nobody", "something long")
        assert hashed == ["something long"]

    def test_a_session_repeats_a_request_by_its_key(self) -> None:
        make_user(username="rosa")
        client = Client(enforce_csrf_checks=True)
        csrf = log_in(client, "rosa").cookies["csrftoken"].value
        named = {"X_CSRFToken": csrf, "Idempotency_Key": "0123456789abcdef"}
        body = {"name": "New", "kind": "faith"}
        first, again, other = (
            call(client, "POST", owner("organisations"), given, **named)
            for given in (body, body, body | {"name": "Newer"})
        )
        assert (first.status_code, again.status_code, other.status_code) == (201, 201, 422)
        assert first.content == again.content
        assert Organisation.objects.count() == 1

    def test_a_form_in_a_session_is_not_a_body_for_the_api(self) -> None:
        make_user(username="rosa")
        client = Client(enforce_csrf_checks=True)
        csrf = log_in(client, "rosa").cookies["csrftoken"].value
        headers = {"X-CSRFToken": csrf, "Idempotency-Key": "0123456789abcdef"}
        form = {"name": "New", "kind": "faith", "csrfmiddlewaretoken": csrf}
        assert client.post(owner("organisations"), form, headers=headers).status_code == 415
        del headers["X-CSRFToken"]
        assert client.post(owner("organisations"), form, headers=headers).status_code == 403

    def test_a_change_in_a_session_needs_the_csrf_token(self) -> None:
        make_user(username="rosa")
        client = Client(enforce_csrf_checks=True)
        token = log_in(client, "rosa").cookies["csrftoken"].value
        body = {"name": "New", "kind": "faith"}
        assert call(client, "POST", owner("organisations"), body).status_code == 403
        assert call(client, "POST", owner("organisations"), body, X_CSRFToken=token).status_code == 201

    def test_the_session_is_new_after_log_in(self) -> None:
        make_user(username="rosa")
        client = Client()
        client.cookies["sessionid"] = "planted00000000000000000000000000"
        assert log_in(client, "rosa").cookies["sessionid"].value != "planted00000000000000000000000000"

    def test_it_is_throttled(self, settings: Any) -> None:
        settings.THROTTLES = settings.THROTTLES | {"login": "3/minute"}
        answers = [log_in(Client(), "nobody", "wrong password") for _time in range(4)]
        assert [answer.status_code for answer in answers] == [401, 401, 401, 429]
        assert int(answers[-1]["Retry-After"]) > 0

    def test_wrong_passwords_for_one_account_count_together_from_wherever_they_come(self) -> None:
        make_user(username="rosa")
        answers = [
            log_in(Client(REMOTE_ADDR=f"203.0.113.{number % 6}"), "rosa", f"guess number {number}").status_code
            for number in range(30)
        ]
        assert answers == [401] * 20 + [429] * 10
        assert log_in(Client(REMOTE_ADDR="203.0.113.9"), "rosa").status_code == 429
        assert log_in(Client(REMOTE_ADDR="203.0.113.9"), "nobody").status_code == 401

    def test_a_guesser_locks_nobody_out_whose_browser_is_known_or_who_has_a_link_mailed(
        self,
    ) -> None:
        user = make_user(username="rosa", email="rosa@example.org")
        home = Client(REMOTE_ADDR="203.0.113.200")
        assert log_in(home, "rosa").status_code == 200
        for number in range(21):
            log_in(Client(REMOTE_ADDR=f"203.0.113.{number}"), "rosa", "guess")
        assert log_in(Client(), "rosa").status_code == 429
        assert log_in(home, "rosa").status_code == 200
        elsewhere = Client(REMOTE_ADDR="203.0.113.201")
        user.refresh_from_db()
        body = {"token": mailed.token_for(user, mailed.RESET), "password": "another long one"}
        assert call(elsewhere, "POST", owner("reset/confirm"), body).status_code == 204
        assert log_in(elsewhere, "rosa", "another long one").status_code == 200

    def test_a_known_browser_is_known_to_its_account_alone_and_guesses_no_more_than_a_stranger(self) -> None:
        make_user(username="rosa")
        make_user(username="eve")
        thief = Client()
        assert log_in(thief, "eve").status_code == 200
        for number in range(20):
            log_in(Client(REMOTE_ADDR=f"203.0.113.{number}"), "rosa", "guess")
        assert log_in(thief, "rosa", "guess").status_code == 429
        assert [log_in(thief, "eve", "guess").status_code for _ in range(21)] == [401] * 20 + [429]

    def test_right_passwords_do_not_count(self) -> None:
        make_user(username="rosa")
        assert {log_in(Client(), "rosa").status_code for _ in range(25)} == {200}

    def test_the_mark_of_a_browser_is_sent_to_nothing_but_log_in(self) -> None:
        make_user(username="rosa")
        made = log_in(Client(), "rosa").cookies
        assert {name: made[name]["path"] for name in guesses.COOKIES} == guesses.COOKIES
        assert all(made[name]["httponly"] and made[name]["samesite"] == "Lax" for name in guesses.COOKIES)

    def test_the_page_counts_like_the_api_and_second_factors_like_passwords(self) -> None:
        totp, _recovery = turn_on(make_user(username="rosa"))
        for number in range(10):
            Client(REMOTE_ADDR=f"203.0.113.{number}").post("/owner/login", {"username": "rosa", "password": "guess"})
            log_in(Client(REMOTE_ADDR=f"203.0.113.{number}"), "rosa", code="000000x")
        assert log_in(Client(), "rosa", code=totp.at(utc_now())).status_code == 429

    def test_a_session_that_was_taken_over_cannot_guess_the_password(self) -> None:
        make_user(username="rosa")
        client = Client()
        log_in(client, "rosa")
        body = {"old": "guess", "new": "another long one"}
        answers = [call(client, "PUT", owner("account/password"), body).status_code for _number in range(21)]
        assert answers == [400] * 20 + [429]

    def test_a_form_of_another_site_cannot_log_anybody_in(self) -> None:
        make_user(username="rosa")
        response = Client().post(owner("log-in"), {"username": "rosa", "password": PASSWORD})
        assert response.status_code == 415


class TestSecondFactor:
    def test_log_in_asks_for_it_only_after_the_password(self) -> None:
        totp, _recovery = turn_on(make_user(username="rosa"))
        assert code_of(log_in(Client(), "rosa", "wrong password")) == "wrong_credentials"
        assert code_of(log_in(Client(), "rosa")) == "second_factor_needed"
        assert code_of(log_in(Client(), "rosa", code="000000x")) == "wrong_code"
        assert log_in(Client(), "rosa", code=totp.at(utc_now())).status_code == 200

    def test_a_code_opens_once(self) -> None:
        user = make_user()
        totp, _recovery = turn_on(user)
        later = NOW + 10 * STEP
        assert check(user, totp.at(later), later)
        assert not check(user, totp.at(later), later)
        assert not check(user, totp.at(later), later + STEP)

    def test_the_code_that_turned_it_on_does_not_open(self) -> None:
        user = make_user()
        totp, _recovery = turn_on(user)
        assert not check(user, totp.at(NOW), NOW)

    def test_an_older_code_does_not_open_after_a_newer_one(self) -> None:
        user = make_user()
        totp, _recovery = turn_on(user)
        later = NOW + 10 * STEP
        assert check(user, totp.at(later), later)
        assert not check(user, totp.at(later - STEP), later)

    def test_a_clock_may_be_one_step_off_and_no_more(self) -> None:
        user = make_user()
        totp, _recovery = turn_on(user)
        later = NOW + 10 * STEP
        assert not check(user, totp.at(later - 2 * STEP), later)
        assert not check(user, totp.at(later + 2 * STEP), later)
        assert check(user, totp.at(later - STEP), later)
        assert check(user, totp.at(later + STEP), later)

    @pytest.mark.django_db(transaction=True)
    def test_of_two_that_send_a_code_at_once_one_gets_in(self, race: Race) -> None:
        user = make_user()
        totp, _recovery = turn_on(user)
        later = NOW + 10 * STEP
        assert sorted(race(lambda: check(user, totp.at(later), later), 3)) == [False, False, True]

    @pytest.mark.django_db(transaction=True)
    def test_a_recovery_code_opens_once_even_in_a_race(self, race: Race) -> None:
        user = make_user()
        _totp, recovery = turn_on(user)
        assert len(set(recovery)) == 10
        assert sorted(race(lambda: check(user, recovery[0].upper(), NOW), 3)) == [False, False, True]
        assert check(user, recovery[1], NOW)

    def test_a_guesser_is_stopped_and_a_recovery_code_opens_again(self) -> None:
        user = make_user()
        totp, recovery = turn_on(user)
        later = NOW + 10 * STEP
        for _time in range(second_factor.MOST_MISSES):
            assert not check(user, "12", later)
        assert not check(user, totp.at(later), later)
        assert check(user, recovery[0], later)
        assert check(user, totp.at(later), later)

    def test_a_miss_counts_although_the_log_in_is_refused(self) -> None:
        user = make_user(username="rosa")
        turn_on(user)
        log_in(Client(), "rosa", code="000")
        assert SecondFactor.objects.get(user=user).misses == 1

    def test_the_secret_is_kept_encrypted_and_recovery_codes_as_hashes(self) -> None:
        user = make_user()
        totp, recovery = turn_on(user)
        row = SecondFactor.objects.get(user=user)
        assert totp.secret.encode() not in bytes(row.secret)
        assert not set(recovery) & set(row.recovery_hashes)

    def test_a_begun_one_is_not_asked_for_and_may_be_begun_again(self) -> None:
        user = make_user(username="rosa")
        second_factor.begin(user=user, now=NOW)
        second_factor.begin(user=user, now=NOW)
        assert log_in(Client(), "rosa").status_code == 200

    def test_one_that_is_on_cannot_be_replaced(self) -> None:
        user = make_user()
        turn_on(user)
        with pytest.raises(Conflict):
            second_factor.begin(user=user, now=NOW)

    def test_confirming_needs_a_right_code_and_a_beginning(self) -> None:
        user = make_user()
        with pytest.raises(Conflict):
            second_factor.confirm(user=user, code="123456", now=NOW)
        second_factor.begin(user=user, now=NOW)
        with pytest.raises(Invalid):
            second_factor.confirm(user=user, code="12", now=NOW)

    def test_turning_off_needs_password_and_code(self) -> None:
        user = make_user()
        totp, _recovery = turn_on(user)
        later = NOW + 10 * STEP
        with pytest.raises(Invalid):
            second_factor.turn_off(user=user, password="wrong", code=totp.at(later), now=later)
        with pytest.raises(Invalid):
            second_factor.turn_off(user=user, password=PASSWORD, code="12", now=later)
        second_factor.turn_off(user=user, password=PASSWORD, code=totp.at(later), now=later)
        assert not second_factor.is_on(user)

    def test_the_whole_way_through_the_api(self) -> None:
        client = Client()
        client.force_login(make_user(username="rosa"))
        begun = call(client, "POST", owner("account/second-factor")).json()
        assert begun["qr_svg"].startswith("<?xml")
        totp = pyotp.TOTP(parse_qs(urlsplit(begun["uri"]).query)["secret"][0])
        confirmed = call(client, "POST", owner("account/second-factor/confirm"), {"code": totp.at(utc_now())})
        recovery = confirmed.json()["recovery_codes"]
        assert client.get(owner("account")).json()["second_factor"] is True
        assert log_in(Client(), "rosa", code=recovery[0]).status_code == 200
        off = call(client, "POST", owner("account/second-factor/off"), {"password": PASSWORD, "code": recovery[1]})
        assert off.status_code == 204
        assert log_in(Client(), "rosa").status_code == 200


class TestWhatIsStored:
    @time_machine.travel(NOW, tick=False)
    def test_sessions_and_the_names_of_keys_hold_nothing_of_the_request_and_no_secret(self) -> None:
        ip, agent, address = "203.0.113.77", "A browser of rosa", "rosa@example.org"
        client = Client(REMOTE_ADDR=ip, HTTP_USER_AGENT=agent)
        client.post("/owner/sign-up", {"username": "rosa", "password": PASSWORD, "email": address})
        client.post("/owner/account/second-factor/begin")
        uri = second_factor.begun(user=User.objects.get(username="rosa"))
        assert uri
        totp = pyotp.parse_uri(uri)
        assert isinstance(totp, pyotp.TOTP)
        first = totp.at(utc_now())
        client.post("/owner/account/second-factor", {"code": "000000x"})
        assert client.post("/owner/account/second-factor", {"code": first}).status_code == 200
        other = Client(REMOTE_ADDR=ip, HTTP_USER_AGENT=agent)
        other.post("/owner/login", {"username": "rosa", "password": PASSWORD})
        code = totp.at(utc_now() + STEP)
        assert other.post("/owner/login/code", {"code": code}).status_code == 302
        other.post("/owner/account/email", {"email": "new." + address, "password": "a guess"})
        other.post("/owner/forgot", {"email": address})

        sessions = [session.get_decoded() for session in Session.objects.all()]
        assert sum("_auth_user_id" in session for session in sessions) == 2
        names = [bytes(name).decode() for store in (valkey.client(), valkey.limits()) for name in store.scan_iter()]
        assert names
        held = repr(sessions) + repr(names)
        texts = (ip, agent, address, totp.secret, first, code, PASSWORD, "rosa")
        # As a word: six digits may be part of a hash.
        assert not [one for one in texts if re.search(rf"(?<![\w.]){re.escape(one)}(?!\w)", held)]


class TestPassword:
    def test_a_change_ends_other_sessions_and_tokens_and_keeps_this_one(self) -> None:
        user = make_user(username="rosa")
        make_owner_token(user=user, name="till", days=1, now=NOW)
        here, there = Client(), Client()
        for client in (here, there):
            log_in(client, "rosa")
        new = "another long passphrase"
        changed = call(here, "PUT", owner("account/password"), {"old": PASSWORD, "new": new})
        assert changed.status_code == 204
        assert here.get(owner("account")).status_code == 200
        assert there.get(owner("account")).status_code == 401
        assert not OwnerToken.objects.exists()
        assert log_in(Client(), "rosa").status_code == 401
        assert log_in(Client(), "rosa", new).status_code == 200

    def test_a_change_needs_the_old_one_and_a_good_new_one(self) -> None:
        user = make_user()
        for old, new, pointer in (("wrong", "another " + PASSWORD, "/old"), (PASSWORD, "password12", "/new")):
            with pytest.raises(Invalid) as caught:
                change_password(user=user, old=old, new=new, now=NOW)
            assert caught.value.errors[0].pointer == pointer

    def test_the_mailed_link_sets_a_new_one_once(self, settings: Any) -> None:
        settings.PUBLIC_ORIGIN = "https://crowd.example"
        make_user(username="rosa", email="rosa@example.org")
        asked = call(Client(), "POST", owner("reset"), {"email": "Rosa@Example.org"})
        assert (asked.status_code, asked.content) == (202, b"")
        (letter,) = mail.outbox
        assert letter.to == ["rosa@example.org"]
        found = re.search(r"https://crowd\.example/owner/reset#(\S+)", str(letter.body))
        assert found
        body = {"token": found[1], "password": "another long passphrase"}
        assert call(Client(), "POST", owner("reset/confirm"), body).status_code == 204
        assert log_in(Client(), "rosa", "another long passphrase").status_code == 200
        assert call(Client(), "POST", owner("reset/confirm"), body).status_code == 400

    def test_asking_for_an_unknown_address_answers_the_same_and_mails_nobody(self) -> None:
        make_user(email="rosa@example.org")
        known = call(Client(), "POST", owner("reset"), {"email": "rosa@example.org"})
        unknown = call(Client(), "POST", owner("reset"), {"email": "nobody@example.org"})
        assert len(mail.outbox) == 1
        assert (known.status_code, known.content) == (unknown.status_code, unknown.content)
        assert set(known.headers) == set(unknown.headers)

    def test_the_letter_is_in_the_language_of_who_asked(self) -> None:
        make_user(email="rosa@example.org")
        call(Client(), "POST", owner("reset"), {"email": "rosa@example.org"}, Accept_Language="es")
        assert mail.outbox[0].subject == "Su contraseña de CrowdTrace"
        assert "Alguien" in mail.outbox[0].body

    def test_the_request_itself_looks_nobody_up(self, django_assert_num_queries: Any, monkeypatch: Any) -> None:
        from venues import tasks

        monkeypatch.setattr(tasks.mail_password_reset, "apply_async", lambda *args, **kwargs: None)
        with django_assert_num_queries(0):
            answer = call(Client(), "POST", owner("reset"), {"email": "rosa@example.org"})
        assert answer.status_code == 202

    def test_an_account_without_an_address_or_switched_off_gets_no_letter(self) -> None:
        make_user()
        make_user(email="gone@example.org", is_active=False)
        for address in ("", "gone@example.org"):
            mail_password_reset(email=address, origin="https://crowd.example")
        assert not mail.outbox

    @pytest.mark.parametrize("token", ["", ".", "x.y", "MQ.x", "OTk5OTk5.x-y", "99999999999999999999.x", "é.ü"])
    def test_any_other_token_is_refused(self, token: str) -> None:
        make_user()
        with pytest.raises(Invalid) as caught:
            reset_password(token=token, password="another long passphrase", now=NOW)
        assert caught.value.errors[0].code == "unknown"

    def test_a_reset_does_not_go_around_the_second_factor(self) -> None:
        user = make_user(username="rosa", email="rosa@example.org")
        turn_on(user)
        reset_password(token=mailed.token_for(user, mailed.RESET), password="another long passphrase", now=NOW)
        assert code_of(log_in(Client(), "rosa", "another long passphrase")) == "second_factor_needed"


class TestTokens:
    def test_a_token_acts_as_the_account_without_csrf(self) -> None:
        user = make_user()
        _row, token = make_owner_token(user=user, name="till", days=1, now=utc_now())
        client = Client(enforce_csrf_checks=True)
        made = call(
            client,
            "POST",
            owner("organisations"),
            {"name": "New", "kind": "faith"},
            Authorization=f"Owner {token}",
        )
        assert made.status_code == 201
        assert token not in str(AuditEntry.objects.values())

    def test_it_ends_with_its_day_with_its_removal_and_with_the_account(self) -> None:
        user = make_user()
        ended = make_owner_token(user=user, name="a", days=1, now=utc_now() - dt.timedelta(days=1))
        removed = make_owner_token(user=user, name="b", days=1, now=utc_now())
        off = make_owner_token(user=make_user(is_active=False), name="c", days=1, now=utc_now())
        client = Client()
        client.force_login(user)
        assert call(client, "DELETE", owner(f"tokens/{removed[0].public_id}")).status_code == 204
        for _row, token in (ended, removed, off):
            response = call(Client(), "GET", owner("account"), Authorization=f"Owner {token}")
            assert response.status_code == 401
            assert response["WWW-Authenticate"].startswith("Owner")

    def test_nobody_removes_the_token_of_another(self) -> None:
        row, _token = make_owner_token(user=make_user(), name="a", days=1, now=utc_now())
        client = Client()
        client.force_login(make_user())
        assert call(client, "DELETE", owner(f"tokens/{row.public_id}")).status_code == 404

    def test_it_is_shown_once_also_when_the_request_is_repeated(self) -> None:
        client = Client()
        client.force_login(make_user())
        key = {"Idempotency_Key": "0123456789abcdef"}
        first = call(client, "POST", owner("tokens"), {"name": "till"}, **key)
        again = call(client, "POST", owner("tokens"), {"name": "till"}, **key)
        assert first.json() == again.json()
        (listed,) = client.get(owner("tokens")).json()["results"]
        assert listed == {name: value for name, value in first.json().items() if name != "token"}


class TestClosing:
    def test_an_account_goes_with_everything_of_it(self) -> None:
        user = make_user(username="rosa")
        turn_on(user)
        make_owner_token(user=user, name="till", days=1, now=NOW)
        client = Client()
        client.force_login(user)
        assert call(client, "POST", owner("account/close"), {"password": "wrong password"}).status_code == 400
        assert call(client, "POST", owner("account/close"), {"password": PASSWORD}).status_code == 204
        assert client.get(owner("account")).status_code == 401
        assert [model.objects.count() for model in (User, SecondFactor, OwnerToken)] == [0, 0, 0]

    def test_the_last_owner_stays_until_the_organisation_is_closed(self) -> None:
        user = make_user()
        organisation = make_organisation(owner=user)
        with pytest.raises(Conflict):
            close_account(user=user, password=PASSWORD, now=NOW)
        close_organisation(organisation=organisation, actor="owner", now=NOW)
        close_account(user=user, password=PASSWORD, now=NOW)
        assert not User.objects.exists()
