"""Run SQL texts of Athena on Spark, unchanged, over the files of a deployment's open releases.

    pip install pyspark            # and a Java of version 17 or newer
    python docs/spark_queries.py http://localhost:8000 exports/queries/daily_counts.sql

Nothing else from CrowdTrace is required. Files are downloaded once into a folder and verified by their SHA-256; each
result is printed as CSV. Spark 4 accepts the texts unchanged with ANSI SQL, double-quoted identifiers, global temporary
views under the database's name, and SQL functions for Athena's. It has no Iceberg reader here, so it reads the data
files.
"""

import argparse
import csv
import hashlib
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin
from urllib.request import urlopen

DATABASE = "covid-19"
FUNCTIONS = (
    "CREATE TEMPORARY FUNCTION from_iso8601_timestamp(moment STRING) RETURNS TIMESTAMP RETURN to_timestamp(moment)",
    "CREATE TEMPORARY FUNCTION parse_datetime(moment STRING, pattern STRING) RETURNS TIMESTAMP "
    "RETURN to_timestamp(moment, pattern)",
)
SETTINGS = {
    "spark.sql.ansi.enabled": "true",
    "spark.sql.ansi.doubleQuotedIdentifiers": "true",
    "spark.sql.globalTempDatabase": DATABASE,
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.shuffle.partitions": "2",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.memory": "1g",
    "spark.ui.enabled": "false",
}


def releases(dataset: str) -> Iterator[dict[str, Any]]:
    """Yield every release, newest day first, page by page."""
    page: str | None = f"{dataset}/releases"
    while page:
        with urlopen(page) as answer:
            found = json.load(answer)
        yield from found["results"]
        page = found["next"] and urljoin(dataset, found["next"])


def fetched(file: dict[str, Any], folder: Path) -> Path:
    """Return the local copy of a file of a release, verified against the list of files."""
    path = folder / file["table"] / file["name"]
    if not path.exists() or hashlib.sha256(path.read_bytes()).hexdigest() != file["sha256"]:
        path.parent.mkdir(parents=True, exist_ok=True)
        with urlopen(file["url"]) as answer:
            data = answer.read()
        if hashlib.sha256(data).hexdigest() != file["sha256"]:
            raise SystemExit(f"{file['name']} is damaged: its SHA-256 differs from the list of files")
        path.write_bytes(data)
    return path


def session(dataset: str, folder: Path, warehouse: str) -> Any:
    """Return a local session whose views are the dataset's open tables."""
    from pyspark.sql import SparkSession

    with urlopen(dataset) as answer:
        described = json.load(answer)["tables"]
    # Each release writes the table of ZIP codes again, with the same name.
    files = {(file["table"], file["name"]): file for release in releases(dataset) for file in release["files"]}
    builder = SparkSession.builder.master("local[1]").appName("open-dataset")
    for name, value in (SETTINGS | {"spark.sql.warehouse.dir": warehouse}).items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    for table in described:
        paths = [str(fetched(file, folder)) for (name, _), file in files.items() if name == table["name"]]
        if paths:
            columns = ", ".join(f"`{column['name']}` {column['type']}" for column in table["columns"])
            spark.read.schema(columns).parquet(*paths).createOrReplaceGlobalTempView(table["name"])
    for function in FUNCTIONS:
        spark.sql(function)
    return spark


def main() -> None:
    """Run each text and print its result."""
    parser = argparse.ArgumentParser(description="Run SQL of Athena on Spark over a deployment's open releases.")
    parser.add_argument("url", help="URL of a deployment, such as http://localhost:8000")
    parser.add_argument("sql", nargs="+", type=Path, help="files with one query each")
    parser.add_argument("--folder", type=Path, default=Path("open-dataset"), help="where the files are kept")
    given = parser.parse_args()
    dataset = f"{given.url.rstrip('/')}/api/v1/datasets/{DATABASE}"
    out = csv.writer(sys.stdout, lineterminator="\n")
    with tempfile.TemporaryDirectory(prefix="open-dataset-") as warehouse:
        spark = session(dataset, given.folder, warehouse)
        for path in given.sql:
            frame = spark.sql(path.read_text(encoding="utf-8"))
            out.writerow(frame.columns)
            out.writerows(frame.collect())
        spark.stop()


if __name__ == "__main__":
    main()
