"""The operator: created by command, reads tables behind the owners' log-in."""

import io
import sys
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from common.models import AuditEntry
from tests.factories import PASSWORD, make_user
from tests.venues.conftest import World
from venues.admin import operator_site

pytestmark = pytest.mark.django_db


def create(monkeypatch: pytest.MonkeyPatch, text: str, username: str = "op") -> str:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))
    err = io.StringIO()
    call_command("create_operator", username=username, stderr=err)
    return err.getvalue()


class TestCommand:
    def test_the_password_comes_from_standard_input(self, monkeypatch: pytest.MonkeyPatch) -> None:
        said = create(monkeypatch, f"{PASSWORD}\n")
        user = User.objects.get(username="op")
        assert user.is_staff
        assert user.check_password(PASSWORD)
        assert "op" in said
        assert PASSWORD not in said
        assert AuditEntry.objects.filter(verb="operator.created").exists()

    @pytest.mark.parametrize("text", ["", "\n", "short\n"])
    def test_a_bad_password_makes_nobody(self, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
        with pytest.raises(CommandError):
            create(monkeypatch, text)
        assert not User.objects.exists()

    def test_a_name_that_is_taken_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        make_user(username="op")
        with pytest.raises(CommandError):
            create(monkeypatch, f"{PASSWORD}\n")
        assert not User.objects.get().is_staff

    def test_at_a_terminal_it_is_asked_for_twice(self, monkeypatch: pytest.MonkeyPatch) -> None:
        answers = [PASSWORD, "something else"]
        monkeypatch.setattr("getpass.getpass", lambda _prompt: answers.pop(0))
        monkeypatch.setattr(sys, "stdin", Terminal())
        with pytest.raises(CommandError):
            call_command("create_operator", username="op")
        answers[:] = [PASSWORD, PASSWORD]
        call_command("create_operator", username="op", stderr=io.StringIO())
        assert User.objects.get().check_password(PASSWORD)


class Terminal(io.StringIO):
    """Standard input of a person at a terminal."""

    def isatty(self) -> bool:
        return True


TABLES = [f"{model._meta.app_label}/{model._meta.model_name}" for model in operator_site._registry]


@pytest.fixture
def operator(world: World) -> Client:
    client = Client()
    client.force_login(world.people["operator"])
    return client


class TestTables:
    def test_there_is_no_table_of_a_visit_or_a_secret(self) -> None:
        apps = {table.partition("/")[0] for table in TABLES}
        assert apps == {"venues", "auth", "common"}
        assert not set(TABLES) & {
            "venues/secondfactor",
            "venues/ownertoken",
            "venues/invitation",
            "venues/enrolmentcode",
            "venues/membercode",
            "common/rememberedanswer",
        }

    @pytest.mark.parametrize("table", TABLES)
    def test_operators_read_them(self, operator: Client, world: World, table: str) -> None:
        response = operator.get(f"/admin/{table}/")
        assert response.status_code == 200
        assert world.people["owner"].password not in response.content.decode()
        assert bytes(world.device.device.token_hash).hex() not in response.content.decode()

    @pytest.mark.parametrize("table", TABLES)
    def test_one_row_shows_no_hash(self, operator: Client, world: World, table: str) -> None:
        (model,) = [one for one in operator_site._registry if f"{one._meta.app_label}/{one._meta.model_name}" == table]
        row: Any = model._default_manager.first()
        assert row is not None
        response = operator.get(f"/admin/{table}/{row.pk}/change/")
        assert response.status_code == 200
        assert b"hash" not in response.content.lower().replace(b"#", b"")

    @pytest.mark.parametrize("table", TABLES)
    def test_nothing_is_added_or_deleted_there(self, operator: Client, world: World, table: str) -> None:
        assert operator.get(f"/admin/{table}/add/").status_code == 403

    def test_an_account_can_be_switched_off_and_that_is_in_the_audit(self, operator: Client, world: World) -> None:
        user = world.people["other"]
        response = operator.post(f"/admin/auth/user/{user.pk}/change/", {"is_staff": "on"})
        assert response.status_code == 302
        user.refresh_from_db()
        assert (user.is_active, user.is_staff) == (False, False)
        assert AuditEntry.objects.get(verb="account.switched_off").subject == user.username

    def test_a_password_is_changed_where_the_audit_is_written(self, operator: Client, settings: Any) -> None:
        response = operator.get("/admin/password_change/")
        assert response["Location"] == settings.LOGIN_REDIRECT_URL

    def test_a_stranger_is_sent_to_the_log_in_of_owners(self, settings: Any) -> None:
        response = Client().get("/admin/")
        assert response.status_code == 302
        there = Client().get(response["Location"])
        assert there["Location"].startswith(settings.LOGIN_URL)

    def test_an_owner_is_refused(self, world: World) -> None:
        client = Client()
        client.force_login(world.people["owner"])
        assert client.get("/admin/", follow=True).status_code == 403
