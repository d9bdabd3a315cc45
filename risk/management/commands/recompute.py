"""Compute crowd state again from all visits, or the doses of visits in folders of Parquet."""

import dataclasses
import json
import os
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from common.time import utc_now
from risk.backfill.folders import Folder, FolderError
from risk.crowd.refresh import recompute_crowd
from risk.model.far import InvalidInputError
from venues.models import Venue

NOT_INSTALLED: Final = (
    "PySpark is not installed. Make an environment for it, python3 -m venv .venv-spark && .venv-spark/bin/pip install "
    "-r locks/spark.txt, and name its interpreter: --python .venv-spark/bin/python."
)


class Command(BaseCommand):
    """Print the result as JSON."""

    help = (
        "Compute the crowd state of every venue in the database again, from its first stored visit. With --from and "
        "--to, compute the doses of visits in a folder of Parquet instead (docs/model.md, Backfills)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the engine and the folders."""
        parser.add_argument("--engine", choices=["local", "spark"], default="local")
        parser.add_argument(
            "--from", dest="source", metavar="FOLDER", help="path, file:// or s3:// with visits/ and rooms/"
        )
        parser.add_argument("--to", dest="target", metavar="FOLDER", help="a new or empty folder for the doses")
        parser.add_argument("--cores", type=int, default=len(os.sched_getaffinity(0)), help="of the local engine")
        parser.add_argument("--master", default="local[*]", help="of Spark")
        parser.add_argument("--python", default=sys.executable, help="interpreter of the environment that has PySpark")

    def handle(self, *args: Any, **options: Any) -> None:
        """Compute."""
        source, target = options["source"], options["target"]
        if bool(source) != bool(target):
            raise CommandError("Give both --from and --to, or neither.")
        if source and target:
            done: dict[str, Any] = {"visits": self._backfill(source, target, options)}
        elif options["engine"] == "spark":
            raise CommandError("Spark works on folders of Parquet: give --from and --to.")
        else:
            venues = list(Venue.objects.order_by("pk").values_list("pk", flat=True))
            done = dataclasses.asdict(recompute_crowd(venues=venues, now=utc_now()))
        self.stdout.write(json.dumps(done))

    def _backfill(self, source: str, target: str, options: dict[str, Any]) -> int:
        if options["engine"] == "spark":
            return _on_spark(source, target, master=options["master"], python=options["python"])
        if options["cores"] < 1:
            raise CommandError("--cores is a number from 1 on.")
        from risk.backfill.local import backfill

        try:
            return backfill(Folder(source), Folder(target), cores=options["cores"])
        except (FolderError, InvalidInputError) as error:
            raise CommandError(str(error)) from None


def _on_spark(source: str, target: str, *, master: str, python: str) -> int:
    """Run the job in the environment that has PySpark, which needs neither Django nor the database."""
    try:
        there = subprocess.run([python, "-c", "import pyspark"], capture_output=True, check=False).returncode == 0
    except OSError:
        raise CommandError(f"{python} cannot be run.") from None
    if not there:
        raise CommandError(NOT_INSTALLED)
    job = [python, "-m", "risk.backfill.spark", "--from", source, "--to", target, "--master", master]
    # The workers of Spark are started by the driver and import the same code with the same interpreter.
    path = os.pathsep.join(filter(None, [str(settings.BASE_DIR), os.environ.get("PYTHONPATH", "")]))
    own = {"PYTHONPATH": path, "PYSPARK_PYTHON": str(Path(python)), "PYSPARK_DRIVER_PYTHON": str(Path(python))}
    done = subprocess.run(job, env=os.environ | own, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CommandError(
            done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "Spark ended without a word."
        )
    return int(done.stdout.split()[-1])
