"""Write `dialect.md` from `dialect.csv`: `python -m docs.dialect_table`.

A row has an expression or a query, the page that documents its result, the documented result, and the result of this
engine. `tests/exports/engine/dialect/test_table.py` runs every row.
"""

import csv
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent
ROWS: Final = FOLDER / "dialect.csv"
PAGE: Final = FOLDER / "dialect.md"
TRINO: Final = "https://trino.io/docs/current/"
PLACES: Final = {
    "select": TRINO + "sql/select.html",
    "values": TRINO + "sql/values.html",
    "athena-names": "https://docs.aws.amazon.com/athena/latest/ug/tables-databases-columns-names.html",
    "types": TRINO + "language/types.html",
}
UNDOCUMENTED: Final = "-"
BEGIN: Final = "<!-- table: written by docs/dialect_table.py -->\n"

Row = Mapping[str, str]


def rows() -> list[Row]:
    """Read the table."""
    with ROWS.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def address(page: str) -> str:
    """Return the address of a page of the documentation."""
    return PLACES.get(page, f"{TRINO}functions/{page}.html")


def _cell(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("*", "\\*").replace("<", "&lt;")


def _code(text: str) -> str:
    return "`" + text.replace("|", "\\|") + "`" if text else "no rows, or an empty text"


def _lines() -> Iterator[str]:
    # Pages in the order of their first rows; undocumented results come last.
    order = list(dict.fromkeys(row["page"] for row in rows()))
    sorted_rows = sorted(rows(), key=lambda row: (row["page"] == UNDOCUMENTED, order.index(row["page"])))
    for page, found in groupby(sorted_rows, key=lambda row: row["page"]):
        title = "Not documented" if page == UNDOCUMENTED else f"[{page}]({address(page)})"
        yield f"\n### {title}\n\n| expression | documentation | here |\n|---|---|---|\n"
        for row in found:
            yield f"| {_code(row['expression'])} | {_cell(row['documentation'])} | {_code(row['ours'])} |\n"


def written() -> str:
    """Return the page: its text, and the table as it is now."""
    text = PAGE.read_text(encoding="utf-8").partition(BEGIN)[0]
    return text + BEGIN + "".join(_lines())


if __name__ == "__main__":
    PAGE.write_text(written(), encoding="utf-8")
