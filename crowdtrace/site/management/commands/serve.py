"""`manage.py serve`: run all of CrowdTrace on this machine until Ctrl-C. `make run` ends with this command."""

import http.client
import io
import json
import os
import secrets
import signal
import ssl
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from types import FrameType
from typing import Any

import psutil
from django.conf import settings
from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection

import embedded
from common.tables import apply_migrations, close_connections
from common.web import server
from embedded.certificate import Certificate, ensure_certificate, network_addresses
from embedded.network import why_not_free
from embedded.serving import note_stopping, served_url, serving
from embedded.supervisor import Program, Supervisor, end_leftovers

DEFAULT_PORT = 8000
READY_SECONDS = 180.0
POLL_SECONDS = 0.1
PAUSE_SECONDS = 10.0
"""Seconds before a service that did not start is retried."""
# Two processes, because Python runs one thread of a process at a time and a small machine has two cores; more would
# only use memory. Their threads are WEB_LANES of the settings.
MAX_WEB_WORKERS = 4


@dataclass(frozen=True)
class Address:
    """The address at which the web server listens, and the URL that people open."""

    host: str
    port: int
    url: str
    certificate: Certificate | None = None


class Command(BaseCommand):
    """The command that runs web server, worker and schedule, and restarts them."""

    help = "Serve CrowdTrace on this machine until Ctrl-C. PORT, HOST and LAN=1 set its address."
    requires_system_checks: list[str] = []

    _signals = 0
    _next_try = 0.0
    _home: Path | None = None

    def handle(self, *args: Any, **options: Any) -> None:
        """Prepare, start, wait until the server responds, then watch until asked to stop."""
        home = embedded.home()
        for name in ("run", "log"):
            (home / name).mkdir(mode=0o700, exist_ok=True)
        address = find_address(home, os.environ, now=datetime.now(UTC))
        with serving(home, address.url) as is_ours:
            if not is_ours:
                raise CommandError(
                    f"This home is already being served at {served_url(home)}. Give a second copy a PORT and a "
                    "CROWDTRACE_HOME of its own."
                )
            end_leftovers(home)  # Programs that a killed run left behind may still use our port.
            if reason := why_not_free(address.port, host=address.host):
                raise CommandError(reason)
            self._home = home
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, self._ask_to_stop)
            try:
                town = self._prepare()
                close_connections()  # From here on, only the programs use the database.
                self._run(home, address, town)
            finally:
                note_stopping(home)

    def _prepare(self) -> dict[str, Any]:
        """Update the tables and, in the embedded mode, create what is missing of the demonstration."""
        self._say("Updating the tables ...")
        try:
            connection.ensure_connection()
        except OperationalError as error:
            raise CommandError(
                "The database does not respond. Check DATABASE_URL, and whether the database is running."
            ) from error
        apply_migrations()
        if not settings.EMBEDDED or "demo" not in get_commands():
            return {}
        self._say("Preparing the demonstration town (the first time takes a few seconds) ...")
        answer = io.StringIO()
        call_command("demo", "--ensure", "--json", stdout=answer)
        town: dict[str, Any] = json.loads(answer.getvalue())
        return town

    def _run(self, home: Path, address: Address, town: dict[str, Any]) -> None:
        supervisor = Supervisor(home=home, environment=child_environment(os.environ, address), report=self._say)
        web, *others = programs(home, address)
        self._say("Starting web server, worker and schedule ...")
        problem = None
        try:
            if not self._signals:
                supervisor.start(web)
                problem = self._wait_until_ready(supervisor, address)
            if not problem and not self._signals:
                # Only now: on a small machine they would slow down the first pages, and their work can wait.
                supervisor.start(*others)
                self._greet(address, town)
                catch_up()
            while not problem and not self._signals:
                time.sleep(POLL_SECONDS)
                self._look_after(home, address, supervisor)
        finally:
            self._say("Stopping ...")
            supervisor.stop(in_a_hurry=lambda: self._signals > 1)
        if problem:
            raise CommandError(problem)
        self._say("Stopped.")

    def _look_after(self, home: Path, address: Address, supervisor: Supervisor) -> None:
        """Restart services and programs that ended; programs also restart if the URL of a service changed."""
        if time.monotonic() < self._next_try:
            return
        try:
            if embedded.revive(home, report=self._say):
                supervisor.renew(child_environment(os.environ, address))
            supervisor.check()
        except (embedded.ServiceError, OSError) as error:
            # A full disk may have space again later; until then, doors get the response that they should retry.
            sentence = error if isinstance(error, embedded.ServiceError) else f"The system reports: {error.strerror}."
            self._say(f"{sentence} Retrying in {PAUSE_SECONDS:.0f} s.")
            self._next_try = time.monotonic() + PAUSE_SECONDS

    def _wait_until_ready(self, supervisor: Supervisor, address: Address) -> str | None:
        """Return `None` when the server responds or we are asked to stop, otherwise a sentence with the problem."""
        deadline = time.monotonic() + READY_SECONDS
        while not self._signals:
            if is_ready(address):
                return None
            if problem := supervisor.check(gives_up=True):
                return problem
            if time.monotonic() > deadline:
                return f"The web server did not respond within {READY_SECONDS:.0f} s; see the logs in the home."
            time.sleep(POLL_SECONDS)
        return None

    def _greet(self, address: Address, town: dict[str, Any]) -> None:
        seconds = time.time() - psutil.Process().create_time()
        self._say(f"\nCrowdTrace is ready after {seconds:.1f} s.\n")
        self._say(f"  Visitors     {address.url}/")
        self._say(f"  API          {address.url}/api/docs/")
        if owner := town.get("owner"):
            self._say(f"  Venue owner  {owner['username']} / {owner['password']} at {address.url}/owner")
        for venue in town.get("venues", [])[:1]:
            # The code is in the fragment, which no server, log or proxy sees.
            self._say(f"  Kiosk        {address.url}/kiosk#{venue['enrolment_code']}")
        if address.certificate:
            self._say("\nOther devices warn that they do not know the certificate. Compare its SHA-256 fingerprint:")
            self._say(f"  {address.certificate.fingerprint}")
            self._say(
                f"To trust this copy, install {address.url}/authority.crt (docs/operators.md), whose fingerprint is:"
            )
            self._say(f"  {address.certificate.authority_fingerprint}")
        self._say("\nPress Ctrl-C to stop.")

    def _say(self, text: str) -> None:
        with suppress(OSError):  # a full disk or a closed terminal is no reason to stop
            self.stdout.write(text)
            self.stdout.flush()

    def _ask_to_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._signals += 1
        if self._home:
            note_stopping(self._home)


def catch_up() -> None:
    """Have the worker release the days that closed while this machine was off; at first, also the demonstration's past.

    Tasks are sent by name, as importing `exports` takes a second. Without a broker, the nightly task does the work.
    """
    # Imported here, so that the first page is ready sooner.
    from celery import Celery
    from kombu.exceptions import OperationalError as BrokerAway

    with suppress(BrokerAway), Celery(set_as_current=False, broker=settings.CELERY_BROKER_URL) as worker:
        worker.send_task("exports.catch_up", ignore_result=True, retry=False)


def find_address(home: Path, environment: Any, *, now: datetime) -> Address:
    """Return the address from `PORT`, `HOST` and `LAN`. Raise `CommandError` for an unsafe one."""
    port = _port(environment.get("PORT") or str(DEFAULT_PORT))
    if environment.get("LAN", "") in {"", "0"}:
        host = environment.get("HOST") or "127.0.0.1"
        if settings.EMBEDDED and not _is_loopback(host):
            raise CommandError(f"HOST={host} is open to the network without TLS. Use LAN=1, which makes a certificate.")
        shown = f"[{host}]" if ":" in host else host
        return Address(host, port, f"http://{shown}:{port}")
    if os.geteuid() == 0:
        raise CommandError(
            "LAN=1 opens the server to the network, which is not allowed as root. Start as an ordinary user."
        )
    addresses = network_addresses()
    if not addresses:
        raise CommandError("LAN=1 requires a network, but this machine has no address on one.")
    certificate = ensure_certificate(home / "tls", addresses=addresses, now=now)
    return Address("0.0.0.0", port, f"https://{addresses[0]}:{port}", certificate)  # noqa: S104 - LAN=1 asks for it


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65_536:
        raise CommandError(f"PORT={text} is not a port; use a number from 1 to 65535.")
    return int(text)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def child_environment(environment: Any, address: Address) -> dict[str, str]:
    """Return the environment of the programs: ours, and the settings that follow from the address unless given."""
    added = {"PUBLIC_ORIGIN": address.url, "DJANGO_SETTINGS_MODULE": "crowdtrace.settings"}
    if address.certificate:
        hosts = ["localhost", "127.0.0.1", *network_addresses()]
        added |= {"ALLOWED_HOSTS": ",".join(hosts), "SECURE_COOKIES": "1"}
        added["CROWDTRACE_AUTHORITY"] = str(address.certificate.authority)
    # Django's checks are for developers; in worker and schedule they would import every page and its libraries.
    return {**added, "CELERY_SKIP_CHECKS": "1", **environment, "PYTHONUNBUFFERED": "1"}


def programs(home: Path, address: Address) -> list[Program]:
    """Return the three programs: web server, worker and schedule."""
    workers = max(2, min(MAX_WEB_WORKERS, _cores()))
    web = server.command("crowdtrace.asgi:application", host=address.host, port=address.port, workers=workers)
    if address.certificate:
        files = address.certificate
        web += ["--ssl-certificate", str(files.certificate), "--ssl-keyfile", str(files.key)]
    celery = [sys.executable, "-m", "celery", "--quiet", "--app", "crowdtrace.celery"]
    # One task at a time: the nightly ones use all cores by themselves, and requests come first.
    worker = [*celery, "worker", "--concurrency", "1", "--loglevel", "warning", "--without-gossip", "--without-mingle"]
    # The name is random, so that two workers on one broker are never confused.
    worker += ["--hostname", f"crowdtrace-{secrets.token_hex(4)}@%h"]
    beat = [*celery, "beat", "--schedule", str(home / "run" / "schedule"), "--loglevel", "warning", "--pidfile="]
    return [
        Program("web server", web, output=sys.__stdout__),
        Program("worker", worker),
        Program("schedule", beat),
    ]


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def is_ready(address: Address) -> bool:
    """Return whether `/healthz` responds with 200; behind a proxy's settings, anything but a server error counts."""
    host = "127.0.0.1" if address.host in {"0.0.0.0", "localhost"} else address.host  # noqa: S104 - compared only
    connection: http.client.HTTPConnection
    if address.certificate:
        context = ssl.create_default_context(cafile=str(address.certificate.certificate))
        connection = http.client.HTTPSConnection(host, address.port, timeout=5, context=context)
    else:
        connection = http.client.HTTPConnection(host, address.port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return status == 200 or (not settings.EMBEDDED and status < 500)
