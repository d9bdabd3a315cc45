"""Parse a batch so that one invalid item does not block a kiosk's queue."""

import json
import re
from collections.abc import Mapping
from typing import IO, Any, Final

from common.web.parsers import StrictJSONParser, parse_json
from common.web.problems import BadRequest

_ITEM: Final = re.compile(r"/scans/(\d{1,6})(/|$)", re.ASCII)


class BatchParser(StrictJSONParser):
    """Strict JSON, except that an error inside an item affects that item only: its scan_id remains."""

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,  # noqa: ARG002
        parser_context: Mapping[str, Any] | None = None,  # noqa: ARG002
    ) -> Any:
        """Return the value in the body. Raise `BadRequest` for errors outside of items."""
        data = stream.read()
        try:
            return parse_json(data)
        except BadRequest as refusal:
            spoilt = _ITEM.match(refusal.errors[0].pointer) if refusal.errors else None
            if spoilt is None:
                raise
            value = json.loads(data)  # well-formed, otherwise the error has no location
        value["scans"] = [
            _scan_id_alone(item) if at == int(spoilt[1]) or _is_refused(item) else item
            for at, item in enumerate(value["scans"])
        ]
        return parse_json(json.dumps(value).encode())  # everything outside of items is still strict


def _is_refused(item: Any) -> bool:
    try:
        parse_json(json.dumps(item).encode())
    except BadRequest:
        return True
    return False


def _scan_id_alone(item: Any) -> Any:
    scan_id = item.get("scan_id") if isinstance(item, dict) else None
    return {"scan_id": scan_id} if isinstance(scan_id, str) and not _is_refused(scan_id) else {}
