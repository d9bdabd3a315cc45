"""The fast path of a live scan, the most frequent request: it skips what an API view does for every URL.

A scan in the usual form gets the same response here as from `passes.api.devices.ScansView`. A request that is not a
scan, has no known token or comes in another form is passed on to that view. A test compares the bytes of both.
"""

from typing import Final

from django.http import HttpRequest, HttpResponse
from rest_framework.exceptions import ValidationError

from common import measures
from common.time import utc_now
from common.web import throttles
from common.web.authentication import parse_scheme
from common.web.moments import spread_by
from common.web.parsers import parse_json
from common.web.problems import Problem
from common.web.throttles import DeviceThrottle
from passes.admission import Result
from passes.api.answers import read_scan
from passes.services.scans import ScanRequest, find_scan
from venues import presence
from venues.authentication import ALLOWED, DeviceAuthentication
from venues.selectors import DeviceContext

_BODIES: Final = {result: b'{"result":"%s"}' % result.value.encode() for result in Result}
CODE_SCOPE: Final = "code"


def answer_scan(request: HttpRequest) -> HttpResponse | None:
    """Return the response to a scan; `None` if the view must handle it. Raise `TooMany`."""
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
    throttles.check_all(request, by_device, quietly=[count_of(device, found.code)])
    result = found.record(now)
    measures.count(measures.SCANS, "live", result.value)
    response = HttpResponse(_BODIES[result], content_type="application/json")
    spread_by(response, code_at(device, found.code), now)
    return response


def code_at(device: DeviceContext, code: bytes) -> bytes:
    """Return the name under which repeats of one code at one venue are counted, and wait for their moment."""
    return f"{device.venue} {code.hex()}".encode()


def count_of(device: DeviceContext, code: bytes) -> throttles.Asked:
    """Return how repeats of one code at one venue are counted.

    If a busy server misses its moment, the response time may reveal a little about a pass, so repeats must be limited.
    """
    return throttles.Asked(CODE_SCOPE, code_at(device, code))


def _read(request: HttpRequest) -> tuple[str, ScanRequest] | None:
    """Return token and scan of a request in the usual form."""
    if request.method != "POST" or request.META.get("CONTENT_TYPE") != "application/json":
        return None
    try:
        token = parse_scheme(request, DeviceAuthentication.scheme)
        return None if token is None else (token, read_scan(parse_json(request.body)))
    except (Problem, ValidationError):
        return None
