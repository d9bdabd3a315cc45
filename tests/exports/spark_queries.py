"""Runs SQL texts on Spark over data files, unchanged; started with the second environment's Python.

Reads from standard input `{database, tables: {name: {files, columns: [[name, type]]}}, queries: [sql]}` and writes
`[{columns, rows}]` as JSON to the file named by the first argument. Spark 4 takes the texts as they are with ANSI SQL,
double-quoted identifiers, global temporary views under the database's name, and SQL functions for Athena's.
"""

import json
import sys
import tempfile
from pathlib import Path

from pyspark.sql import SparkSession

FUNCTIONS = (
    "CREATE TEMPORARY FUNCTION from_iso8601_timestamp(moment STRING) RETURNS TIMESTAMP RETURN to_timestamp(moment)",
    "CREATE TEMPORARY FUNCTION parse_datetime(moment STRING, pattern STRING) RETURNS TIMESTAMP "
    "RETURN to_timestamp(moment, pattern)",
)


def session(database: str, folder: str) -> SparkSession:
    """A local session of one core that listens on loopback only."""
    settings = {
        "spark.sql.ansi.enabled": "true",
        "spark.sql.ansi.doubleQuotedIdentifiers": "true",
        "spark.sql.globalTempDatabase": database,
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.warehouse.dir": folder,
        "spark.sql.shuffle.partitions": "2",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.memory": "1g",
        "spark.ui.enabled": "false",
    }
    builder = SparkSession.builder.master("local[1]").appName("crowdtrace-agreement")
    for name, value in settings.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def main() -> None:
    """Answer the job."""
    job = json.load(sys.stdin)
    with tempfile.TemporaryDirectory(prefix="crowdtrace-spark-") as folder:
        spark = session(job["database"], folder)
        spark.sparkContext.setLogLevel("ERROR")
        for name, table in job["tables"].items():
            schema = ", ".join(f"`{column}` {kind}" for column, kind in table["columns"])
            reader = spark.read.schema(schema)
            frame = reader.parquet(*table["files"]) if table["files"] else spark.createDataFrame([], schema)
            frame.createOrReplaceGlobalTempView(name)
        for function in FUNCTIONS:
            spark.sql(function)
        answers = []
        for sql in job["queries"]:
            frame = spark.sql(sql)
            rows = [[str(value) if hasattr(value, "isoformat") else value for value in row] for row in frame.collect()]
            answers.append({"columns": frame.columns, "rows": rows})
        Path(sys.argv[1]).write_text(json.dumps(answers))
        spark.stop()


if __name__ == "__main__":
    main()
