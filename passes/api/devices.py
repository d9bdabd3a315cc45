"""API views for devices at doors."""

from collections import Counter
from typing import Final

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common import measures
from common.crypto import b64encode
from common.time import utc_now
from common.web import throttles
from common.web.authentication import parse_scheme
from common.web.moments import spread_by
from common.web.renderers import OneForm
from common.web.serializers import read_body
from common.web.throttles import DeviceThrottle
from passes.api import serializers
from passes.api.answers import batch_results, read_batch, read_scan
from passes.api.door import code_at, count_of
from passes.api.parsers import BatchParser
from passes.services.kiosks import make_bundle
from passes.services.scan_reading import look
from passes.services.scans import find_scan
from venues.authentication import DeviceAuthentication, IsDevice, device_of, unknown_device

SMALL_BATCH: Final = 50
"""Items up to which repeats of each code in a batch are counted."""


class DeviceView(APIView):
    """Base of device views: authentication by token, and limits by device, since a stadium has one IP address."""

    authentication_classes = [DeviceAuthentication]
    permission_classes = [IsDevice]
    throttle_classes = [DeviceThrottle]
    content_negotiation_class = OneForm


class BundleView(DeviceView):
    """Everything a device needs to decide without a network."""

    @extend_schema(
        operation_id="device_bundle",
        tags=["devices"],
        summary="Keys, requirements and revocations, signed",
        responses={200: serializers.BundleSerializer},
    )
    def get(self, request: Request) -> Response:
        """Return the bundle of this device's door."""
        bundle = make_bundle(device=device_of(request), now=utc_now())
        return Response({"bundle": b64encode(bundle)})


class ScansView(DeviceView):
    """One scan. Scans in the usual form are handled earlier, by `passes.api.door`."""

    @extend_schema(
        operation_id="scan",
        tags=["devices"],
        summary="Decide a scan",
        request=serializers.ScanSerializer,
        responses={200: serializers.ScanAnswerSerializer},
        examples=[
            OpenApiExample(
                "scan",
                request_only=True,
                value={
                    "scan_id": "q3mT0nQ2pBv8aXw1",
                    "credential": "GO1:RRQ+D9P60CO0HJB5MF8CK",
                    "type": "Checkin",
                    "scanned_at": "2026-05-13T12:00:00Z",
                },
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Decide one scan: Approved or Declined. A known scan_id gets its first result; any text is a credential."""
        scan, now = read_scan(request.data), utc_now()
        token = parse_scheme(request, DeviceAuthentication.scheme)
        found = None if token is None else find_scan(token=token, request=scan, now=now)
        if found is None:  # revoked since it authenticated
            raise unknown_device()
        throttles.check_all(request._request, quietly=[count_of(found.device, found.code)])
        result = found.record(now).value
        measures.count(measures.SCANS, "live", result)
        response = Response({"result": result})
        spread_by(response, code_at(found.device, found.code), now)
        return response


class BatchView(DeviceView):
    """Scans that were queued in a kiosk."""

    parser_classes = [BatchParser]

    @extend_schema(
        operation_id="scan_batch",
        tags=["devices"],
        summary="Decide up to 1,000 scans",
        request=serializers.BatchSerializer,
        responses={200: serializers.BatchAnswerSerializer},
    )
    def post(self, request: Request) -> Response:
        """Decide scans or `{scan_id, sealed}` (docs/protocol.md, section 10); decline an invalid item in its place."""
        items = read_body(request, serializers.BatchSerializer)["scans"]
        device, now = device_of(request), utc_now()
        queued = throttles.Asked("queued", device.public_id, cost=max(1, len(items)))
        uploads = throttles.Asked("batch", device.public_id)
        scans = read_batch(items, now)
        # Repeats in small batches are repeats as well; in a large one, a code is one of many that take their time.
        codes = sorted({look(scan, now).tag for scan in scans if scan}) if len(items) <= SMALL_BATCH else []
        throttles.check_all(request._request, queued, quietly=[uploads, *(count_of(device, code) for code in codes)])
        results = batch_results(device=device, items=items, scans=scans, now=now)
        for result, number in Counter(one["result"] for one in results).items():
            measures.count(measures.SCANS, "queued", result, by=number)
        response = Response({"results": results})
        if codes:
            spread_by(response, b" ".join(code_at(device, code) for code in codes), now)
        return response
