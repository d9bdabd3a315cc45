"""Responses that need assembling: the padded one of a check-in, and those to the items of a batch."""

import datetime as dt
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from django.utils.translation import gettext
from rest_framework.exceptions import ValidationError

from common.time import z
from common.web.padding import padded
from common.web.parsers import parse_json
from common.web.problems import BadRequest
from common.web.renderers import JSONRenderer
from passes import keys
from passes.admission import Result, ScanType
from passes.api.serializers import SCAN_ID, ScanBodySerializer, ScanSerializer
from passes.clock import moment
from passes.codec import open_scan
from passes.services.batches import record_batch
from passes.services.checkins import CheckinAnswer
from passes.services.scans import ScanRequest
from venues.selectors import DeviceContext

PADDED_BYTES: Final = 2048
# One serializer for all requests: validation does not change it, and creating one is slower than using it.
_BODY: Final = ScanBodySerializer()
_SCAN: Final = ScanSerializer()
_TYPES: Final = {kind.value: kind for kind in ScanType}
_RESULTS: Final = {result.value: result for result in Result}
_USUAL_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
LONGEST_ECHO: Final = 64


def checkin_answer(answer: CheckinAnswer) -> dict[str, Any]:
    """Return the body of the response to a check-in, padded so that its JSON has 2,048 bytes."""
    body: dict[str, Any] = {
        "go": answer.go,
        "credential": answer.credential,
        "valid_from": z(moment(answer.epoch.start)),
        "valid_until": z(moment(answer.epoch.end)),
        "advice": [{"code": advice.code.value, "text": gettext(advice.text)} for advice in answer.advice],
    }
    if len(JSONRenderer().render(body | {"pad": ""})) > PADDED_BYTES:
        raise ValueError("the advice does not fit into the padded answer")
    return padded(body, step=PADDED_BYTES)


def read_scan(body: Any) -> ScanRequest:
    """Parse the scan in the body of a request.

    The usual form of doors is parsed by hand; everything else goes through the serializer, which knows all forms and
    explains errors. Raise `ValidationError`.
    """
    if isinstance(body, dict) and isinstance(scan_id := body.get("scan_id"), str) and SCAN_ID.fullmatch(scan_id):
        scan = _read_plain({name: value for name, value in body.items() if name != "scan_id"}, scan_id)
        if scan is not None:
            return scan
    values = _SCAN.run_validation(body)
    return scan_request(values, values["scan_id"])


def _read_plain(body: Mapping[Any, Any], scan_id: str) -> ScanRequest | None:
    """Parse a scan without its id in the usual form of devices; return `None` for any other form."""
    match body:
        case {"credential": str(credential), "type": str(kind), "scanned_at": str(at)} if (
            len(body) == 3 + ("kiosk_result" in body)
            and credential.isascii()
            and credential.isprintable()
            and kind in _TYPES
            and _USUAL_TIME.fullmatch(at)
            and isinstance(verdict := body.get("kiosk_result", ""), str)
            and (verdict in _RESULTS or "kiosk_result" not in body)
        ):
            with suppress(ValueError):  # an hour of 25, for example
                return ScanRequest(
                    scan_id=scan_id,
                    credential=credential,
                    type=_TYPES[kind],
                    scanned_at=dt.datetime.fromisoformat(at),
                    kiosk_result=_RESULTS.get(verdict),
                )
    return None


def scan_request(values: dict[str, Any], scan_id: str) -> ScanRequest:
    """Return a validated scan."""
    kiosk_result = values.get("kiosk_result")
    return ScanRequest(
        scan_id=scan_id,
        credential=values["credential"],
        type=ScanType(values["type"]),
        scanned_at=values["scanned_at"],
        kiosk_result=None if kiosk_result is None else Result(kiosk_result),
        temperature_f=values.get("temperature_f"),
        o2=values.get("o2"),
    )


def read_batch(items: list[Any], now: dt.datetime) -> list[ScanRequest | None]:
    """Return the scan in each item of a batch; `None` for an item that is not a scan, or that cannot be opened."""
    return [_read(item, now) for item in items]


def batch_results(
    *, device: DeviceContext, items: list[Any], scans: list[ScanRequest | None], now: dt.datetime
) -> list[dict[str, Any]]:
    """Decide the items of a batch, read by `read_batch`, oldest scan first; return results in the order of the items.

    An item without a scan is declined in its place. Of two items with one scan_id, the earlier scan counts and both get
    its result.
    """
    malformed = [_scan_id(item) for item, one in zip(items, scans, strict=True) if one is None]
    answers = record_batch(
        device=device,
        requests=[one for one in scans if one is not None],
        malformed=[scan_id for scan_id in malformed if scan_id is not None],
        now=now,
    )
    return [_result(item, answers) for item in items]


def _result(item: Any, answers: dict[str, Result]) -> dict[str, Any]:
    scan_id = _scan_id(item)
    if scan_id is not None:
        return {"scan_id": scan_id, "result": answers[scan_id].value}
    echo = item.get("scan_id") if isinstance(item, dict) else None
    known = isinstance(echo, str) and len(echo) <= LONGEST_ECHO
    return {"scan_id": echo if known else None, "result": Result.DECLINED.value}


def _read(item: Any, now: dt.datetime) -> ScanRequest | None:
    """Return the scan in an item, or `None` if there is none."""
    scan_id = _scan_id(item)
    if scan_id is None:
        return None
    body = {name: value for name, value in item.items() if name != "scan_id"}
    if "sealed" in body:
        body = _opened(body, scan_id, now)
    plain = _read_plain(body, scan_id) if isinstance(body, dict) else None
    if plain is not None:
        return plain
    try:
        return scan_request(_BODY.run_validation(body), scan_id)
    except ValidationError:
        return None


def _scan_id(item: Any) -> str | None:
    scan_id = item.get("scan_id") if isinstance(item, dict) else None
    return scan_id if isinstance(scan_id, str) and SCAN_ID.fullmatch(scan_id) else None


def _opened(body: dict[str, Any], scan_id: str, now: dt.datetime) -> Any:
    sealed = body["sealed"]
    if len(body) != 1 or not isinstance(sealed, str):
        return None
    plain = open_scan(sealed, scan_id=scan_id, keys=keys.opening_keys(now))
    try:
        return None if plain is None else parse_json(plain)
    except BadRequest:
        return None
