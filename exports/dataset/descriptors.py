"""Descriptors for people and catalogues: data dictionary, Frictionless `datapackage.json`, Croissant JSON-LD."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TypedDict

from exports.dataset.tables import Column, Kind, Table

FRICTIONLESS: Final[dict[Kind, str]] = {
    "string": "string",
    "bigint": "integer",
    "double": "number",
    "boolean": "boolean",
    "date": "date",
}
CROISSANT: Final[dict[Kind, str]] = {
    "string": "sc:Text",
    "bigint": "sc:Integer",
    "double": "sc:Float",
    "boolean": "sc:Boolean",
    "date": "sc:Date",
}
# Context of Croissant 1.0 (MLCommons Croissant Format Specification 1.0, "JSON-LD context"), whole: readers compare it.
_CROISSANT_TERMS: Final = (
    "citeAs column equivalentProperty extract field fileObject fileProperty fileSet format includes isLiveDataset "
    "jsonPath key md5 parentField path recordSet references regex repeated replace samplingRate separator source "
    "subField transform"
)
CROISSANT_CONTEXT: Final[dict[str, Any]] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    **{term: f"cr:{term}" for term in _CROISSANT_TERMS.split()},
}

# Croissant's readers expect Parquet's media type from before its registration.
CROISSANT_MEDIA_TYPES: Final = {"application/vnd.apache.parquet": "application/x-parquet"}


class DictionaryEntry(TypedDict):
    """One column of the data dictionary."""

    name: str
    type: str
    meaning: str
    unit: str
    required: bool
    values: list[str]
    minimum: float | None
    maximum: float | None
    sensitivity: str


@dataclass(frozen=True)
class Publication:
    """Metadata shared by every table of a deployment: names, licence, citation."""

    name: str
    title: str
    description: str
    licence_name: str
    licence_title: str
    licence_url: str
    url: str
    citation: str
    version: str
    published: dt.date


@dataclass(frozen=True)
class DataFile:
    """One downloadable file of a table: URL, media type, size in bytes and digest."""

    table: Table
    url: str
    media_type: str
    size: int
    sha256: str


def dictionary(table: Table) -> list[DictionaryEntry]:
    """Return the table's data dictionary, column by column."""
    return [
        {
            "name": column.name,
            "type": column.kind,
            "meaning": column.meaning,
            "unit": column.unit,
            "required": column.required,
            "values": list(column.values),
            "minimum": column.minimum,
            "maximum": column.maximum,
            "sensitivity": column.sensitivity.value,
        }
        for column in table.columns
    ]


def table_schema(table: Table) -> dict[str, Any]:
    """Return the Frictionless Table Schema (Data Package standard 2.0)."""
    return {
        "$schema": "https://datapackage.org/profiles/2.0/tableschema.json",
        "fields": [_frictionless_field(column) for column in table.columns],
    }


def _frictionless_field(column: Column) -> dict[str, Any]:
    constraints: dict[str, Any] = {}
    if column.required:
        constraints["required"] = True
    if column.values:
        constraints["enum"] = list(column.values)
    if column.pattern:
        constraints["pattern"] = column.pattern
    if column.minimum is not None:
        constraints["minimum"] = column.minimum
    if column.maximum is not None:
        constraints["maximum"] = column.maximum
    field: dict[str, Any] = {
        "name": column.name,
        "type": FRICTIONLESS[column.kind],
        "description": column.meaning + (f" ({column.unit})" if column.unit else ""),
    }
    if constraints:
        field["constraints"] = constraints
    return field


def datapackage(publication: Publication, files: Sequence[DataFile]) -> dict[str, Any]:
    """Return the Frictionless `datapackage.json` (Data Package standard 2.0): one resource for each file."""
    return {
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "name": publication.name,
        "title": publication.title,
        "description": publication.description,
        "version": publication.version,
        "created": publication.published.isoformat() + "T00:00:00Z",
        "homepage": publication.url,
        "licenses": [
            {
                "name": publication.licence_name,
                "title": publication.licence_title,
                "path": publication.licence_url,
            }
        ],
        "resources": [
            {
                "name": f"{file.table.name}-{number}".replace("_", "-"),
                "path": file.url,
                "title": file.table.title,
                "description": file.table.meaning,
                "format": _format(file),
                "mediatype": file.media_type,
                "bytes": file.size,
                "hash": f"sha256:{file.sha256}",
                "schema": table_schema(file.table),
            }
            for number, file in enumerate(files, start=1)
        ],
    }


def _format(file: DataFile) -> str:
    return "csv" if file.media_type == "text/csv" else "parquet"


def croissant(publication: Publication, files: Sequence[DataFile]) -> dict[str, Any]:
    """Return Croissant 1.0 JSON-LD: a FileObject for each file, a RecordSet for each table from its first file."""
    first: dict[str, tuple[Table, str]] = {}
    objects = []
    for number, file in enumerate(files, start=1):
        name = f"{file.table.name}-{number}"
        first.setdefault(file.table.name, (file.table, name))
        objects.append(
            {
                "@type": "cr:FileObject",
                "@id": name,
                "name": name,
                "contentUrl": file.url,
                "contentSize": f"{file.size} B",
                "encodingFormat": CROISSANT_MEDIA_TYPES.get(file.media_type, file.media_type),
                "sha256": file.sha256,
            }
        )
    return {
        "@context": CROISSANT_CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": publication.name,
        "description": publication.description,
        "license": publication.licence_url,
        "url": publication.url,
        "citeAs": publication.citation,
        # Croissant requires a version of three numbers (semver.org): year, month and day.
        "version": ".".join(part.lstrip("0") for part in publication.version.split("-")),
        "datePublished": publication.published.isoformat(),
        "isLiveDataset": True,
        "distribution": objects,
        "recordSet": [_record_set(table, file_id) for table, file_id in first.values()],
    }


def _record_set(table: Table, file_id: str) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": table.name,
        "name": table.name,
        "description": table.meaning,
        "field": [
            {
                "@type": "cr:Field",
                "@id": f"{table.name}/{column.name}",
                "name": column.name,
                "description": column.meaning,
                "dataType": CROISSANT[column.kind],
                "source": {"fileObject": {"@id": file_id}, "extract": {"column": column.name}},
            }
            for column in table.columns
        ],
    }
