"""`serve` starts everything, keeps it running, and leaves nothing behind."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest
from celery.signals import beat_init
from django.core.management.base import CommandError
from django.test import override_settings

import embedded
from crowdtrace.celery import app
from crowdtrace.site.management.commands.serve import Address, child_environment, find_address, programs
from embedded.home import CHECKOUT
from embedded.network import free_port, is_free
from embedded.processes import Identity, wait_until
from tests.live import PATIENCE_S, READY, Copy, environment, running

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Path]]:
    folder = tmp_path_factory.mktemp("serve")
    made = [folder / "one", folder / "two"]
    yield made
    for home in made:
        embedded.destroy(home)


def alive(members: list[Identity]) -> list[str]:
    return [" ".join(psutil.Process(identity.pid).cmdline()) for identity in members if identity.is_alive]


def test_a_copy_starts_runs_recovers_and_stops(homes: list[Path]) -> None:
    """One long test, because each start takes seconds: ready, shared, refused, killed, and restarted."""
    home, port = homes[0], free_port()
    with running(home, port) as copy:
        assert copy.healthz() == 200
        assert embedded.served_url(home) == f"http://127.0.0.1:{port}"

        # The town is up to date soon, not only at the next scheduled task.
        assert wait_until(lambda: b'"quiet"' in copy.answer("/api/v1/venues?limit=50")[1], seconds=PATIENCE_S)

        # A command at the same time shares the services and leaves them running.
        beside = subprocess.run(
            [sys.executable, "manage.py", "migrate", "--check"], cwd=CHECKOUT, env=environment(home), check=False
        )
        assert beside.returncode == 0
        assert copy.healthz() == 200

        # The same home is not served twice, and a port is not shared.
        again = Copy(home, free_port())
        assert again.process.wait(PATIENCE_S) == 1
        assert f"This home is already being served at http://127.0.0.1:{port}." in again.said
        elsewhere = Copy(homes[1], port)
        assert elsewhere.process.wait(PATIENCE_S) == 1
        assert f"Port {port} is in use by another program" in elsewhere.said

        # Its programs die with it, even without time to stop them; the services stay for the next start.
        members = copy.members()
        assert len(members) > 6
        copy.process.kill()
        copy.process.wait()

    with running(home, port) as copy:
        assert copy.healthz() == 200
        assert re.search(rf"{READY}[\d.]+ s", copy.said)
        members += copy.members()
        # Stopped in the same way as by Ctrl-C.
        assert copy.stop(signal.SIGINT) == 0
        assert copy.said.rstrip().endswith("Stopped.")
    assert wait_until(lambda: not alive(members), seconds=PATIENCE_S), alive(members)
    assert embedded.served_url(home) is None
    assert is_free(port)

    logs = "".join(path.read_text() for path in (home / "log").iterdir())
    secrets = [path.read_text() for path in (home / "secrets").iterdir()]
    assert not [secret for secret in secrets if secret in logs + copy.said]


@pytest.mark.long
def test_two_copies_with_separate_homes_and_ports_do_not_affect_each_other(homes: list[Path]) -> None:
    with running(homes[0], free_port()) as first, running(homes[1], free_port()) as second:
        assert first.healthz() == second.healthz() == 200
        assert second.stop() == 0
        assert first.healthz() == 200


def test_the_schedule_begins_with_the_crowd(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    monkeypatch.setattr(app, "send_task", lambda name, **_more: sent.append(name))
    beat_init.send(sender=None)
    assert sent == ["risk.crowd.refresh"]


def test_a_stop_in_the_middle_of_a_start_leaves_nothing(homes: list[Path]) -> None:
    copy = Copy(homes[1], free_port())
    record = homes[1] / "run" / "postgres.json"
    assert wait_until(record.exists, seconds=PATIENCE_S)
    members = copy.members()
    copy.stop()
    assert READY not in copy.said
    assert wait_until(lambda: not alive(members), seconds=PATIENCE_S), alive(members)


def test_a_database_that_does_not_respond_gives_a_message(tmp_path: Path) -> None:
    servers = {
        "DATABASE_URL": f"postgresql://someone:canary@127.0.0.1:{free_port()}/crowd",
        "REDIS_URL": f"redis://127.0.0.1:{free_port()}/0",
        "SECRET_KEY": "canary" * 9,
        "PEPPER": "A" * 43,
        "MASTER_KEY": "A" * 43,
    }
    settings = environment(tmp_path, PORT=str(free_port()), **servers)
    done = subprocess.run(
        [sys.executable, "manage.py", "serve"], cwd=CHECKOUT, env=settings, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith("Check DATABASE_URL, and whether the database is running.")
    assert "Traceback" not in done.stderr
    assert "canary" not in done.stdout + done.stderr


def found(settings: Mapping[str, str], home: Path) -> Address:
    return find_address(home, settings, now=NOW)


def test_without_settings_it_listens_on_loopback_at_8000(tmp_path: Path) -> None:
    address = found({}, tmp_path)
    assert (address.host, address.port, address.url) == ("127.0.0.1", 8000, "http://127.0.0.1:8000")


def test_the_address_of_an_ipv6_host_has_brackets(tmp_path: Path) -> None:
    assert found({"HOST": "::1", "PORT": "81"}, tmp_path).url == "http://[::1]:81"


@pytest.mark.parametrize("port", ["0", "65536", "-1", "http", "8000 ", "８０００", "1e3"])
def test_an_invalid_port_is_refused(tmp_path: Path, port: str) -> None:
    with pytest.raises(CommandError, match="is not a port"):
        found({"PORT": port}, tmp_path)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])
def test_the_embedded_mode_is_not_opened_to_the_network_without_tls(tmp_path: Path, host: str) -> None:
    with pytest.raises(CommandError, match="Use LAN=1"):
        found({"HOST": host}, tmp_path)


@override_settings(EMBEDDED=False)
def test_outside_the_embedded_mode_the_host_is_the_operators_choice(tmp_path: Path) -> None:
    assert found({"HOST": "0.0.0.0"}, tmp_path).host == "0.0.0.0"


def test_root_does_not_open_the_server_to_the_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(CommandError, match="which is not allowed as root"):
        found({"LAN": "1"}, tmp_path)


class TestOnTheNetwork:
    """`LAN=1`, as an ordinary user on a machine with one address."""

    @pytest.fixture
    def address(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Address:
        monkeypatch.setattr(os, "geteuid", lambda: 1000)
        module = sys.modules[find_address.__module__]
        monkeypatch.setattr(module, "network_addresses", lambda: ["192.0.2.7"])
        return found({"LAN": "1", "PORT": "8443"}, tmp_path)

    def test_it_listens_everywhere_with_tls(self, address: Address, tmp_path: Path) -> None:
        assert (address.host, address.url) == ("0.0.0.0", "https://192.0.2.7:8443")
        web = list(programs(tmp_path, address)[0].command)
        assert web[web.index("--ssl-certificate") + 1] == str(tmp_path / "tls" / "certificate.pem")

    def test_the_programs_answer_to_the_address_and_send_cookies_over_tls_only(self, address: Address) -> None:
        added = child_environment({}, address)
        assert added["ALLOWED_HOSTS"] == "localhost,127.0.0.1,192.0.2.7"
        assert added["SECURE_COOKIES"] == "1"
        assert Path(added["CROWDTRACE_AUTHORITY"]).read_text().startswith("-----BEGIN CERTIFICATE-----")
        assert added["PUBLIC_ORIGIN"] == address.url

    def test_without_a_network_it_says_so(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "geteuid", lambda: 1000)
        monkeypatch.setattr(sys.modules[find_address.__module__], "network_addresses", list)
        with pytest.raises(CommandError, match="no address on one"):
            found({"LAN": "1"}, tmp_path)


def test_variables_in_the_environment_take_precedence(tmp_path: Path) -> None:
    given = {"PUBLIC_ORIGIN": "https://crowd.example"}
    assert child_environment(given, found({}, tmp_path))["PUBLIC_ORIGIN"] == "https://crowd.example"


def test_no_access_log_is_kept(tmp_path: Path) -> None:
    web = programs(tmp_path, found({}, tmp_path))[0]
    assert "--no-access-log" in web.command


@pytest.mark.parametrize("command", [["serve"], ["migrate"]])
def test_with_a_real_database_a_missing_secret_stops_the_start_with_its_name(
    tmp_path: Path, command: list[str]
) -> None:
    given = environment(tmp_path / "home", DATABASE_URL="postgresql://nobody@127.0.0.1:1/none", SECRET_KEY="s")
    done = subprocess.run(
        [sys.executable, "manage.py", *command], cwd=CHECKOUT, env=given, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert re.fullmatch(r"Set PEPPER \(or PEPPER_FILE\): [^\n]+\n", done.stderr)
    assert not (tmp_path / "home" / "run").exists()


def test_a_privileged_port_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    from embedded.network import why_not_free

    def refuse(_self: socket.socket, _address: object) -> None:
        raise PermissionError

    monkeypatch.setattr(socket.socket, "bind", refuse)
    assert why_not_free(80) == "Port 80 is reserved for root; choose a PORT above 1023."


def test_a_host_of_another_machine_is_explained() -> None:
    from embedded.network import why_not_free

    assert why_not_free(8000, host="192.0.2.1") == "192.0.2.1 is not an address of this machine; choose another HOST."


def test_the_record_of_who_serves_is_not_believed_after_its_end(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "serve.lock").touch()
    (tmp_path / "run" / "serve.json").write_text(json.dumps({"url": "http://127.0.0.1:1"}))
    assert embedded.served_url(tmp_path) is None
