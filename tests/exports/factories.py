"""Small values that tests of the dataset build on."""

import datetime as dt

from exports.dataset.descriptors import DataFile, Publication
from exports.dataset.tables import Table


def a_publication() -> Publication:
    return Publication(
        name="covid-19",
        title="CrowdTrace open dataset",
        description="Synthetic scans under differential privacy.",
        licence_name="other-open",
        licence_title="CrowdTrace Open Data Terms",
        licence_url="https://data.example/licence",
        url="https://data.example",
        citation="CrowdTrace open dataset",
        version="2020-10-15",
        published=dt.date(2020, 10, 18),
    )


def a_data_file(table: Table) -> DataFile:
    return DataFile(
        table=table,
        url=f"open/{table.name}/1.parquet",
        media_type="application/vnd.apache.parquet",
        size=1,
        sha256="0" * 64,
    )
