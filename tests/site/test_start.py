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


@pytest.mark.parametrize(
    ("program", "later"),
    [(WEB, DATASET), (TASKS, DATASET | MODEL), (QUERY, OTHERS | MODEL)],
    ids=["web server", "worker and schedule", "manage.py query"],
)
def test_a_program_starts_without_what_only_some_of_its_work_needs(program: str, later: set[str]) -> None:
    code = f"import django; django.setup(); {program}; import sys; print(*sorted({later!r} & set(sys.modules)))"
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "crowdtrace.settings", "CELERY_SKIP_CHECKS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []
