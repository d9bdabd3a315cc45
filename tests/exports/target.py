"""Another deployment, whose commands run in separate processes, to which a backup is restored."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

from exports.dataset.tables import Table
from exports.lake.catalogue import Lake
from exports.lake.storage import Storage


@dataclass(frozen=True)
class Target:
    """An empty database, a lake, and the URL of its catalogue if that is in Glue."""

    database: str
    lake: Storage
    glue: str = ""

    def manage(self, *command: str) -> "subprocess.CompletedProcess[str]":
        """Run a command of the deployment."""
        environment = os.environ | {"DATABASE_URL": self.database, "LAKE_URL": self.lake.url}
        if self.lake.is_s3:
            environment |= {
                "LAKE_S3_ENDPOINT": self.lake.endpoint,
                "AWS_ACCESS_KEY_ID": self.lake.access_key,
                "AWS_SECRET_ACCESS_KEY": self.lake.secret_key,
            }
        if self.glue:
            environment |= {"LAKE_CATALOGUE": "glue", "LAKE_GLUE_ENDPOINT": self.glue}
        run = [sys.executable, "manage.py", *command]
        return subprocess.run(run, env=environment, check=False, capture_output=True, text=True, timeout=240)

    def says(self, *command: str) -> str:
        """Return the output of a command, which must succeed."""
        done = self.manage(*command)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def refuses(self, *command: str) -> str:
        """Return the one line of a command that must fail without a traceback."""
        done = self.manage(*command)
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        return done.stderr.removeprefix("CommandError: ").strip()

    @contextmanager
    def opened(self) -> Iterator[Lake]:
        """Open the lake by the catalogue that was restored."""
        if self.glue:
            with Lake.in_glue(endpoint=self.glue, storage=self.lake, database="covid-19") as lake:
                yield lake
        else:
            with Lake.in_postgres(url=self.database, storage=self.lake, database="covid-19") as lake:
                yield lake

    def rows(self, described: Table) -> list[dict[str, Any]]:
        """Return the rows of a table."""
        with self.opened() as lake:
            found: list[dict[str, Any]] = lake.table(described).scan().to_arrow().to_pylist()
        return found

    def ask(self, query: str, *values: Any) -> list[Any]:
        """Return rows of the database."""
        with psycopg.connect(self.database) as session:
            return session.execute(query, values or None).fetchall()
