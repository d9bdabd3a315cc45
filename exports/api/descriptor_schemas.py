"""JSON Schemas of the dataset's descriptors, for the OpenAPI schema, so that generated clients have types."""

from typing import Any, Final

_TEXT: Final = {"type": "string"}
_NUMBER: Final = {"type": "number"}


def _object(needed: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"type": "object", "properties": needed | (optional or {}), "required": list(needed)}


def _list(of: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": of}


_CONSTRAINTS: Final = _object(
    {},
    {"required": {"type": "boolean"}, "enum": _list(_TEXT), "pattern": _TEXT, "minimum": _NUMBER, "maximum": _NUMBER},
)
_FIELD: Final = _object({"name": _TEXT, "type": _TEXT, "description": _TEXT}, {"constraints": _CONSTRAINTS})
_RESOURCE: Final = _object(
    {
        "name": _TEXT,
        "path": _TEXT,
        "title": _TEXT,
        "description": _TEXT,
        "format": _TEXT,
        "mediatype": _TEXT,
        "bytes": {"type": "integer"},
        "hash": _TEXT,
        "schema": _object({"$schema": _TEXT, "fields": _list(_FIELD)}),
    }
)
DATA_PACKAGE: Final = _object(
    {
        "$schema": _TEXT,
        "name": _TEXT,
        "title": _TEXT,
        "description": _TEXT,
        "version": _TEXT,
        "created": {"type": "string", "format": "date-time"},
        "homepage": _TEXT,
        "licenses": _list(_object({"name": _TEXT, "title": _TEXT, "path": _TEXT})),
        "resources": _list(_RESOURCE),
    }
)
_SOURCE: Final = _object({"fileObject": _object({"@id": _TEXT}), "extract": _object({"column": _TEXT})})
_CROISSANT_FIELD: Final = _object(
    {"@type": _TEXT, "@id": _TEXT, "name": _TEXT, "description": _TEXT, "dataType": _TEXT, "source": _SOURCE}
)
CROISSANT: Final = _object(
    {
        "@context": {"type": "object", "additionalProperties": {"oneOf": [_TEXT, _object({"@id": _TEXT})]}},
        "@type": _TEXT,
        "conformsTo": _TEXT,
        "name": _TEXT,
        "description": _TEXT,
        "license": _TEXT,
        "url": _TEXT,
        "citeAs": _TEXT,
        "version": _TEXT,
        "datePublished": {"type": "string", "format": "date"},
        "isLiveDataset": {"type": "boolean"},
        "distribution": _list(
            _object(
                {
                    "@type": _TEXT,
                    "@id": _TEXT,
                    "name": _TEXT,
                    "contentUrl": _TEXT,
                    "contentSize": _TEXT,
                    "encodingFormat": _TEXT,
                    "sha256": _TEXT,
                }
            )
        ),
        "recordSet": _list(
            _object(
                {"@type": _TEXT, "@id": _TEXT, "name": _TEXT, "description": _TEXT, "field": _list(_CROISSANT_FIELD)}
            )
        ),
    }
)
