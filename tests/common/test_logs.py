"""Logs and error reports contain no personal data."""

import io
import json
import logging
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError, connection, transaction
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.utils.log import AdminEmailHandler
from django.views.debug import technical_500_response
from pytest_django.fixtures import Settings
from rest_framework.test import APIClient

from common.logs import REQUEST_ID, JsonFormatter, PrivateFilter, PrivateFormatter, PrivateReporter, describe, scrub
from common.web.gateway import call

pytestmark = pytest.mark.urls("tests.common.views")

ADDRESS = "203.0.113.77"
AGENT = "CanaryBrowser/7"
QUERY = "canary-query"
SECRET = "canary-secret"
CAPABILITY = "canary-capability"
CANARIES = (ADDRESS, AGENT, QUERY, SECRET, CAPABILITY)


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """Yield what the handler of the settings would write for everything that is logged."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(PrivateFormatter())
    handler.addFilter(PrivateFilter())
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.setLevel(level)
    root.removeHandler(handler)


def assert_private(text: str) -> None:
    """Assert that no canary is in the text."""
    for canary in CANARIES:
        assert canary not in text


def attack(path: str, how: str = "row") -> Any:
    """Send a request full of canaries."""
    client = APIClient(raise_request_exception=False)
    return client.post(
        f"{path}?{QUERY}={QUERY}",
        {"how": how, "secret": SECRET},
        format="json",
        REMOTE_ADDR=ADDRESS,
        headers={"User-Agent": AGENT, "Authorization": SECRET, "X-Forwarded-For": ADDRESS, "Cookie": f"a={SECRET}"},
    )


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("how", ["row", "chain", "database"])
def test_an_error_of_the_api_is_logged_without_its_values(
    lines: io.StringIO, settings: Settings, debug: bool, how: str
) -> None:
    settings.DEBUG = debug
    response = attack("/api/v1/crash", how)
    written = lines.getvalue()
    assert_private(written + response.content.decode())
    assert written.count("django.request") == 1
    assert f"POST /api/v1/crash {response.status_code}" in written
    assert "tests/common/views.py:" in written
    assert {"row": "RuntimeError", "chain": "ValueError", "database": "OperationalError"}[how] in written


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("kind", ["api/v1", "pages"])
def test_an_error_of_a_page_is_logged_with_its_route_and_not_its_path(
    lines: io.StringIO, settings: Settings, debug: bool, kind: str
) -> None:
    settings.DEBUG = debug
    response = attack(f"/{kind}/plain/{CAPABILITY}")
    written = lines.getvalue()
    assert_private(written + response.content.decode())
    assert f"/{kind}/plain/<str:capability>" in written
    assert "plain_crash" in written


def test_refusals_leave_no_line(lines: io.StringIO) -> None:
    for path in ("/api/v1/nothing", "/api/v1/door", f"/nowhere/{CAPABILITY}", "/api/v1/things", "/problems/nonsense"):
        assert attack(path).status_code < 500
    assert "django.request" not in lines.getvalue()
    assert_private(lines.getvalue())


def test_a_wrong_host_leaves_no_line(lines: io.StringIO) -> None:
    response = Client().get("/problems/gone", headers={"Host": "canary-secret.example"})
    assert response.status_code == 400
    assert lines.getvalue() == ""


def test_a_form_without_its_token_leaves_no_line(lines: io.StringIO) -> None:
    response = Client(enforce_csrf_checks=True).post("/pages/plain/form", {"secret": SECRET})
    assert response.status_code == 403
    assert lines.getvalue() == ""


def test_a_message_of_a_library_loses_its_values(lines: io.StringIO) -> None:
    log = logging.getLogger("somelibrary.module")
    log.warning("user %s sent %r from %s, %d times in %.1f s", SECRET, {"a": SECRET}, ADDRESS, 3, 1.5)
    log.warning("task %(name)s of %(who)s", {"name": "risk.crowd.refresh", "who": SECRET})
    log.warning(ValueError(SECRET))
    log.warning("broken %d %s", SECRET)  # noqa: PLE1206
    log.warning("with extras", extra={"body": SECRET, "request": SECRET}, stack_info=True)
    written = lines.getvalue()
    assert_private(written)
    assert "user … sent … from …, 3 times in 1.5 s" in written
    assert "task risk.crowd.refresh of …" in written
    assert "ValueError" in written
    assert "Stack" not in written
    assert len(written.splitlines()) == 5


def test_our_own_words_are_kept(lines: io.StringIO) -> None:
    log = logging.getLogger("risk.tasks")
    log.info("refreshed %d venues of %s", 12, "2026-08-14")
    log.info("not done: %s", RuntimeError(SECRET))
    log.info("line one\nline two")
    written = lines.getvalue()
    assert "INFO risk.tasks: refreshed 12 venues of 2026-08-14\n" in written
    assert "not done: RuntimeError\n" in written
    assert "line one line two\n" in written
    assert_private(written)


@pytest.mark.parametrize(
    "text",
    [
        f"from {ADDRESS}",
        f"from {ADDRESS}:4711 again",
        "from 2001:db8:1:2::9",
        "from ::1",
        "GET /x?canary-query=1",
        "pass GO1:6BF590B20FFWJWG.FKJ05H7B0XKA8FA9DIWENPEJ/5P",
        "Authorization: Visitor canary-secret",
        "Device canary-secret refused",
        "mail to canary-secret@example.org",
        "key AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
        "hash 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b",
        "value 'canary-secret' and \"canary-secret\"",
        "Key (owner_hash)=(canary-secret) already exists",
    ],
)
def test_what_looks_like_data_is_cut_out_of_glued_messages(text: str) -> None:
    cut = scrub(text)
    assert "…" in cut
    for word in ("canary", ADDRESS, "2001:db8", "::1", "GO1", "AAECAw", "9f86d0"):
        assert word not in cut


@pytest.mark.parametrize(
    "text",
    [
        "purged 12 rows of 3 kinds",
        "at 2026-08-14T12:30:00Z took 12:30:45",
        "listening on port 8000",
        "version 9.0.1 of valkey",
        "common.purge finished",
        "passes/services.py:120 issue_pass",
    ],
)
def test_ordinary_words_stay(text: str) -> None:
    assert scrub(text) == text


@pytest.mark.django_db
def test_a_database_error_is_logged_by_its_code_and_constraint() -> None:
    with pytest.raises(IntegrityError) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO common_rememberedanswer (key_hash, request_hash, at) "
            "SELECT 'canary-secret'::bytea, '', now() FROM generate_series(1, 2)"
        )
    told = describe(caught.value)
    assert "SQLSTATE 23505 common_rememberedanswer_pkey" in told
    assert "tests/common/test_logs.py" in told
    assert_private(told)
    assert b"canary-secret".hex() not in told


def test_causes_are_logged_in_order_and_cycles_end() -> None:
    first, second = ValueError(SECRET), KeyError(SECRET)
    first.__cause__, second.__cause__ = second, first
    assert describe(first) == "ValueError from KeyError"
    assert describe(FileNotFoundError(2, SECRET)) == "FileNotFoundError errno 2"
    assert describe(None) == ""


def test_mail_to_administrators_holds_no_values(settings: Settings) -> None:
    settings.ADMINS = [("Operator", "operator@example.org")]
    handler = AdminEmailHandler(include_html=True)
    handler.addFilter(PrivateFilter())
    handler.setFormatter(PrivateFormatter())
    log = logging.getLogger("django.request")
    log.addHandler(handler)
    try:
        attack(f"/pages/plain/{CAPABILITY}")
        attack("/api/v1/crash")
    finally:
        log.removeHandler(handler)
    assert len(mail.outbox) == 2
    for message in mail.outbox:
        sent = message.message().as_string()
        assert "RuntimeError" in sent
        assert_private(sent)


def test_the_report_of_an_error_contains_no_values() -> None:
    request = RequestFactory().get(f"/{CAPABILITY}?{QUERY}", headers={"User-Agent": AGENT}, REMOTE_ADDR=ADDRESS)
    try:
        local = SECRET
        raise ValueError(local)
    except ValueError:
        page = technical_500_response(request, *sys.exc_info())
        reporter = PrivateReporter(request, *sys.exc_info())
    for text in (page.content.decode(), reporter.get_traceback_text(), reporter.get_traceback_html()):
        assert_private(text)
        assert "ValueError at tests/common/test_logs.py:" in text.replace("&lt;", "<")


def test_the_settings_send_every_logger_through_the_filter() -> None:
    handlers = 0
    for name in ("", "django", "django.request", "django.security.DisallowedHost", "celery.app.trace", "_granian"):
        logger: logging.Logger | None = logging.getLogger(name)
        while logger is not None:
            for handler in logger.handlers:
                if isinstance(handler, logging.NullHandler) or type(handler).__module__.startswith("_pytest"):
                    continue
                assert any(isinstance(each, PrivateFilter) for each in handler.filters), name
                handlers += 1
            logger = logger.parent if logger.propagate else None
    assert handlers > 0


def test_a_worker_reports_a_failed_task_without_its_values() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.common.worker", f"tests-{uuid.uuid4()}"],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        env=os.environ | {"LOG_LEVEL": "DEBUG"},
    )
    written = done.stdout + done.stderr
    assert "tests.fail" in written
    assert "ValueError at tests/common/worker.py" in written
    assert "canary" not in written


# Requests -------------------------------------------------------------------------------------------------------------
def record_of(text: str, *args: object) -> logging.LogRecord:
    return logging.LogRecord("passes.test", logging.WARNING, __file__, 1, text, args, None)


def test_lines_of_one_request_share_its_id() -> None:
    token = REQUEST_ID.set("0123456789abcdef")
    try:
        assert PrivateFormatter().format(record_of("too late by %d s", 3)).endswith(" request=0123456789abcdef")
        assert json.loads(JsonFormatter().format(record_of("too late by %d s", 3)))["request"] == "0123456789abcdef"
    finally:
        REQUEST_ID.reset(token)
    assert "request" not in PrivateFormatter().format(record_of("too late"))


def test_a_line_of_json_has_the_parts_of_a_line_of_text_and_is_as_private() -> None:
    line = json.loads(JsonFormatter().format(record_of("mail to %s", "ada@example.org")))
    assert set(line) == {"time", "level", "logger", "message"}
    assert (line["level"], line["logger"]) == ("WARNING", "passes.test")
    try:
        raise ValueError(SECRET)
    except ValueError:
        failed = logging.LogRecord("celery", logging.ERROR, __file__, 1, "failed", (SECRET,), sys.exc_info())
    line = json.loads(JsonFormatter().format(failed))
    assert line["error"].startswith("ValueError at")
    assert SECRET not in str(line)


@pytest.mark.django_db
def test_a_response_names_its_request_only_where_the_server_failed(lines: io.StringIO) -> None:
    def application(environ: dict[str, Any], _start: Any) -> HttpResponse:
        logging.getLogger("passes.test").warning("something")
        return HttpResponse(status=int(environ["PATH_INFO"]))

    def ask(status: int) -> dict[bytes, bytes]:
        environ = {"PATH_INFO": str(status), "REQUEST_METHOD": "GET", "HTTP_X_REQUEST_ID": SECRET}
        return dict(call(application, environ).headers)

    assert b"x-request-id" not in ask(200) | ask(404)
    failed = ask(500)[b"x-request-id"].decode()
    written = lines.getvalue().splitlines()
    ids = [line.rpartition("request=")[2] for line in written]
    assert len(set(ids)) == 3, "an id for each request"
    assert ids[-1] == failed
    assert_private(lines.getvalue())
