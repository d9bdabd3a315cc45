"""The short way of a live scan, the busiest request of all: past what a view of the API does for every address.

A scan in the usual form is answered here as `passes.api.devices.ScansView` would answer it. What is no scan, has no
known token or comes in another form goes on to that view. A test holds the two to the same bytes.
"""

from typing import Final

from django.http import HttpRequest, HttpResponse
from rest_framework.exceptions import ValidationError

from common import measures
from common.time import utc_now
from common.web import throttles
from common.web.authentication import parse_scheme
from common.web.parsers import parse_json
from common.web.problems import Problem
from common.web.throttles import DeviceThrottle
from passes.admission import Result
from passes.api.answers import read_scan
from passes.services.scans import FoundScan, ScanRequest, find_scan
from venues import presence
from venues.authentication import ALLOWED, DeviceAuthentication

_BODIES: Final = {result: b'{"result":"%s"}' % result.value.encode() for result in Result}
CODE_SCOPE: Final = "code"


def answer_scan(request: HttpRequest) -> HttpResponse | None:
    """The answer to a scan; `None` where the long way must see it. Raises `TooMany`."""
    asked = _read(request)
    if asked is None:
        return None
    token, scan = asked
    now = utc_now()
    found = find_scan(token=token, request=scan, now=now)
    if found is None or ("POST", "scans") not in ALLOWED[found.device.kind]:
        return None
    device = found.device
    presence.note(device_id=device.device_id, last_seen=device.last_seen, now=now)
    by_device = throttles.Asked(DeviceThrottle.scope, device.public_id)
    throttles.check_all(request, by_device, quietly=[count_of(found)])
    result = found.record(now)
    measures.count(measures.SCANS, "live", result.value)
    return HttpResponse(_BODIES[result], content_type="application/json")


def count_of(found: FoundScan) -> throttles.Asked:
    """How repeats of one code at one venue are counted.

    Time may tell a little about a pass where a busy server misses its moment; nobody may add up many repeats of it.
    """
    return throttles.Asked(CODE_SCOPE, f"{found.device.venue} {found.code.hex()}")


def _read(request: HttpRequest) -> tuple[str, ScanRequest] | None:
    """Token and scan of a request in the usual form."""
    if request.method != "POST" or request.META.get("CONTENT_TYPE") != "application/json":
        return None
    try:
        token = parse_scheme(request, DeviceAuthentication.scheme)
        return None if token is None else (token, read_scan(parse_json(request.body)))
    except (Problem, ValidationError):
        return None
