"""What a process loads when it starts: no library of the dataset or of the model before it is needed."""

import os
import subprocess
import sys

import pytest

from embedded.home import CHECKOUT

WEB = "import crowdtrace.wsgi; from django.urls import get_resolver; get_resolver().url_patterns"
TASKS = "from crowdtrace.celery import app; app.loader.import_default_modules(); app.finalize()"
QUERY = "import exports.management.commands.query, exports.engine.sources"
OTHERS = {"boto3", "celery", "limits", "opendp", "redis"}
DATASET = {"boto3", "duckdb", "opendp", "pandas", "pyiceberg", "sqlalchemy", "sqlglot"}
MODEL = {"numba", "scipy"}
PAGES = DATASET | MODEL | {"icalendar", "markdown_it", "ndef", "numpy", "PIL", "prometheus_client", "pyarrow", "qrcode"}
OURS = ("crowdtrace", "exports", "risk", "passes", "venues", "common", "embedded")
FIRST = "from crowdtrace.webserver import preload; preload()"


@pytest.mark.parametrize(
    ("program", "later"),
    [
        (f"{FIRST}; import crowdtrace.asgi", PAGES),
        (WEB, DATASET | {"scipy.stats"}),
        (TASKS, DATASET | MODEL),
        (QUERY, OTHERS | MODEL),
    ],
    ids=["doors and check-ins", "web server", "worker and schedule", "manage.py query"],
)
def test_a_program_starts_without_what_only_some_of_its_work_needs(program: str, later: set[str]) -> None:
    printed = run(f"import django; django.setup(); {program}; import sys; print(*sorted({later!r} & set(sys.modules)))")
    assert printed.split() == []


def test_a_worker_of_the_web_server_loads_only_its_entry_points_and_copies_a_process_of_one_thread() -> None:
    look = (
        "import sys, threading; known = set(sys.modules); print(threading.active_count());"
        "from crowdtrace.asgi import application; from django.conf import settings;"
        "from django.urls import resolve; from django.utils.module_loading import import_string;"
        "[resolve(address, settings.DOORS_URLCONF) for address in settings.DOORS_URLS];"
        "[import_string(way) for way in settings.SHORT_WAYS.values()];"
        "from django.test import RequestFactory;"
        "from django.core.handlers.wsgi import WSGIHandler; handler = WSGIHandler();"
        "requests = RequestFactory(headers={'host': 'localhost'});"
        "[handler.get_response(requests.put(address)) for address in settings.DOORS_URLS];"
        "print(*sorted(name for name in set(sys.modules) - known if name.startswith(OURS)))"
    )
    assert run(f"OURS = {OURS!r}; {FIRST}; {look}").split() == ["1", "crowdtrace.asgi", "crowdtrace.wsgi"]


def run(code: str) -> str:
    """Return what a program prints."""
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "crowdtrace.settings", "CELERY_SKIP_CHECKS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout
