"""The same backfill on Spark: `python -m risk.backfill.spark --from FOLDER --to FOLDER [--master local[2]]`.

It runs in an environment of its own (locks/spark.txt), because PySpark asks for other versions of pandas than the
project. Files are read and written by pyarrow, on the workers, so Spark needs no connector for S3. A task that is
repeated writes its file again under the same name.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

import pyarrow as pa
from pyspark import TaskContext
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession

from risk.backfill.folders import Folder, FolderError
from risk.backfill.kernel import DOSES, ROOMS, VISITS, checked, doses_of_venue

_SQL_TYPES = {"string": "string", "int64": "bigint", "int8": "tinyint", "int32": "int", "double": "double"}


def backfill(spark: SparkSession, source: Folder, target: Folder) -> int:
    """Write the doses of all visits, and return how many there are; as `local.backfill`."""
    visits = _read(spark, source, "visits", VISITS)
    rooms = _read(spark, source, "rooms", ROOMS)
    target.prepare()
    by_venue = visits.groupBy("venue").cogroup(rooms.groupBy("venue"))
    doses = by_venue.applyInArrow(doses_of_venue, _ddl(DOSES))
    written = doses.mapInArrow(partial(_write, target), "rows bigint")
    total = sum(row["rows"] for row in written.collect())
    target.finish()
    return int(total)


def _read(spark: SparkSession, source: Folder, part: str, schema: pa.Schema) -> DataFrame:
    files = source.files(part)
    named = spark.createDataFrame([(file,) for file in files], "path string").repartition(len(files))
    return named.mapInArrow(partial(_read_files, source, part, schema), _ddl(schema))


def _read_files(
    source: Folder, part: str, schema: pa.Schema, named: Iterable[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    for batch in named:
        for path in batch.column(0).to_pylist():
            table = checked(source.read(path), schema, f"{part}/{path.rpartition('/')[2]}")
            yield from table.to_batches(max_chunksize=100_000)


def _write(target: Folder, parts: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    context: Any = TaskContext.get()
    batches = [batch for batch in parts if batch.num_rows]
    if batches:
        table = checked(pa.Table.from_batches(batches), DOSES, "a result")
        target.write(f"part-{context.partitionId():05d}.parquet", table)
    yield pa.record_batch([[sum(batch.num_rows for batch in batches)]], names=["rows"])


def _ddl(schema: pa.Schema) -> str:
    """Return the columns in Spark's words."""
    return ", ".join(f"{field.name} {_SQL_TYPES[str(field.type)]}" for field in schema)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="risk.backfill.spark", description="Doses of visits on Spark.")
    parser.add_argument("--from", dest="source", required=True)
    parser.add_argument("--to", dest="target", required=True)
    parser.add_argument("--master", default="local[*]")
    options = parser.parse_args()
    spark = (
        SparkSession.builder.master(options.master)
        .appName("crowdtrace backfill")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "8" if options.master.startswith("local") else "200")
        .config("spark.driver.bindAddress", "127.0.0.1" if options.master.startswith("local") else "0.0.0.0")  # noqa: S104
        .getOrCreate()
    )
    spark.sparkContext.setLogLevel("OFF")
    try:
        sys.stdout.write(f"{backfill(spark, Folder(options.source), Folder(options.target))}\n")
    except (FolderError, PySparkException) as error:
        # What a worker refused comes inside the trace of the driver.
        found = re.findall(r"(?:InvalidInputError|FolderError): (.+)", str(error))
        sys.exit(found[-1].strip() if found else f"Spark failed: {type(error).__name__}. {str(error)[:2000]}")
    finally:
        spark.stop()


if __name__ == "__main__":
    main()
