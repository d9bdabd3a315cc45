"""`manage.py query "SQL"`: run one query on the open tables."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from common.files import UnreadableFileError, read_text
from exports.engine.cursor import CursorError
from exports.engine.deployment import whole_limits
from exports.engine.errors import QueryBusyError, QueryError
from exports.engine.results import columns_of, json_rows
from exports.engine.run import answer, csv_of, missing, run_query
from exports.lake.errors import LakeAwayError
from exports.selectors import UnknownReleaseError


class Command(BaseCommand):
    """Print all rows of a query, up to a million, as a table, as CSV, or as the API's JSON.

    If there are more rows, the last line and standard error say so, and give the cursor of the rest. Standard error
    also says when nothing has been released.
    """

    help = "Run one SQL query on the open dataset; @FILE reads it from a file."
    requires_system_checks = ()  # they load every page, which takes longer than the query

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the text, the format, and the release to read."""
        parser.add_argument("sql")
        parser.add_argument("--as-of", type=dt.date.fromisoformat, help="read the tables as of the release of this day")
        parser.add_argument("--format", choices=("table", "csv", "json"), default="table", dest="form")
        parser.add_argument("--cursor", default="", help="continue a truncated result with its cursor")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the query and print its rows."""
        text: str = options["sql"]
        try:
            sql = read_text(Path(text[1:])) if text.startswith("@") else text
            done = run_query(sql=sql, as_of=options["as_of"], limits=whole_limits(), cursor=options["cursor"])
        except QueryError as error:
            where = f" (line {error.line}, column {error.column})" if error.line else ""
            raise CommandError(f"{error}{where}") from error
        except (QueryBusyError, LakeAwayError, UnknownReleaseError, UnreadableFileError, CursorError) as error:
            raise CommandError(str(error)) from error
        if options["form"] == "json":
            self.stdout.write(json.dumps(answer(done)))
        elif options["form"] == "csv":
            for part in csv_of(done):
                self.stdout.write(part.decode(), ending="")
        else:
            self.stdout.write(_aligned([column["name"] for column in columns_of(done.result.table)], done.result.table))
            if lacks := missing(done):
                self.stdout.write(f"# {lacks}")
        if lacks := missing(done):
            self.stderr.write(lacks)
        if done.as_of is None:
            self.stderr.write(
                "Nothing has been released yet, so the tables of releases have no rows. `manage.py release` releases "
                "all closed days; the schedule does so every night."
            )


def _aligned(names: list[str], table: Any) -> str:
    rows = [names, *([("" if value is None else str(value)) for value in row] for row in json_rows(table))]
    widths = [max(len(row[place]) for row in rows) for place in range(len(names))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])
