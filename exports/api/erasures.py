"""Views to erase passes, and to read the receipt."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.crypto import b64decode, b64encode
from common.time import utc_now
from common.web.problems import NotFound
from common.web.serializers import Base64Url, UtcTime, read_body, without_body
from exports import tasks
from exports.erasure import requests
from exports.models import Erasure
from passes.api.holders import owner_hashes
from passes.api.serializers import OwnersSerializer

_ID = "3q2-7wAAAAAAAAAAAAAAAA"


class StartedOutput(serializers.Serializer[Any]):
    """An erasure that has begun."""

    id = Base64Url(length=requests.CAPABILITY_BYTES, help_text="opens the receipt; anyone who has it can read it")


class DatabaseOutput(serializers.Serializer[Any]):
    """Rows that left the database."""

    passes = serializers.IntegerField(min_value=0)
    scans = serializers.IntegerField(min_value=0)
    ratings = serializers.IntegerField(min_value=0)


class ObjectOutput(serializers.Serializer[Any]):
    """A data file that was rewritten."""

    name = serializers.CharField(help_text="under the table of the verified tier, as it was")
    before = serializers.IntegerField(min_value=0, help_text="rows it held")
    after = serializers.IntegerField(min_value=0, help_text="rows that were kept")


class LakeOutput(serializers.Serializer[Any]):
    """What was done in the verified tier."""

    rows = serializers.IntegerField(min_value=0, help_text="rows of these owners")
    objects = ObjectOutput(many=True)
    proven = serializers.BooleanField(help_text="every object that remains was read and holds none of the rows")


class ErasureOutput(StartedOutput):
    """The receipt of an erasure: counts and object names, no identifier. It is kept for 90 days."""

    status = serializers.ChoiceField(Erasure.Status.choices)
    database = DatabaseOutput()
    lake = LakeOutput()
    open_tier = serializers.CharField(help_text="what erasing means for the open dataset")
    storage = serializers.CharField(help_text="what stays on disks until it is overwritten")
    finished_at = UtcTime(allow_null=True)


_RECEIPT = OpenApiExample(
    "A receipt",
    value={
        "id": _ID,
        "status": "done",
        "database": {"passes": 3, "scans": 5, "ratings": 1},
        "lake": {
            "rows": 1,
            "objects": [
                {"name": "data/scan_date=2026-05-14/verified-2026-05-14-00000.parquet", "before": 912, "after": 911}
            ],
            "proven": True,
        },
        "open_tier": "No row of the open dataset belongs to anybody ...",
        "storage": "Files and the log of the database keep what was erased ...",
        "finished_at": "2026-05-20T09:30:12Z",
    },
    response_only=True,
)


def receipt(capability: bytes, erasure: Erasure) -> dict[str, Any]:
    """Serialise an erasure as its holder sees it."""
    values = {
        "id": capability,
        "status": erasure.status,
        "database": erasure,
        "lake": {"rows": erasure.rows, "objects": erasure.objects_changed, "proven": erasure.proven},
        "open_tier": _(
            "No row of the open dataset belongs to anybody: it is drawn from counts with noise. Your visits may have "
            "been counted in them, and they stay as they are. Copies of the verified tier that approved "
            "organisations have downloaded cannot be recalled."
        ),
        "storage": _(
            "Files and the log of the database keep what was erased until their space is used again: days on a busy "
            "server, weeks on a quiet one. No query finds it; a copy of the disk may hold it. Backups go after 14 "
            "days, and a restored one is erased again."
        ),
        "finished_at": erasure.finished_at,
    }
    return dict(ErasureOutput(values).data)


class ErasuresView(APIView):
    """Erasing passes."""

    @extend_schema(
        operation_id="erase_passes",
        tags=["passes"],
        summary="Erase passes and everything that belongs to them",
        request=OwnersSerializer,
        responses={202: StartedOutput},
        examples=[OpenApiExample("Begun", value={"id": _ID}, response_only=True)],
    )
    def post(self, request: Request) -> Response:
        """Erase rows in the database immediately and those of the verified tier later; unknown owners are skipped.

        Doors with a network decline an erased pass at once. A door without one may still let it in until it appears in
        the door's list: at a random moment of the next 12 hours, so that the lists of two venues link nobody.
        """
        body = read_body(request, OwnersSerializer)
        capability = requests.request_erasure(owner_hashes=owner_hashes(body), now=utc_now())
        transaction.on_commit(tasks.enqueue_erase)
        address = f"{request.path}/{b64encode(capability)}"
        return Response(StartedOutput({"id": capability}).data, status=202, headers={"Location": address})


class ErasureView(APIView):
    """One erasure; anyone who has its id can see and cancel it."""

    @extend_schema(
        operation_id="erasure",
        tags=["passes"],
        summary="Receipt of an erasure",
        responses=ErasureOutput,
        examples=[_RECEIPT],
    )
    def get(self, request: Request, erasure: str) -> Response:  # noqa: ARG002
        """Return the progress of an erasure, and finally its result."""
        capability = read_capability(erasure)
        return shown(capability, requests.find_erasure(capability=capability))

    @extend_schema(
        operation_id="cancel_erasure",
        tags=["passes"],
        summary="Cancel an erasure",
        responses=ErasureOutput,
        examples=[_RECEIPT],
    )
    @without_body
    def delete(self, request: Request, erasure: str) -> Response:  # noqa: ARG002
        """Cancel the erasure in the verified tier if it has not begun; rows in the database are erased already."""
        capability = read_capability(erasure)
        return shown(capability, requests.cancel_erasure(capability=capability, now=utc_now()))


def read_capability(text: str) -> bytes:
    """Parse the capability in a URL; raise `NotFound` for an impossible one, as for an unknown one."""
    try:
        return b64decode(text, length=requests.CAPABILITY_BYTES)
    except ValueError:
        raise NotFound from None


def shown(capability: bytes, erasure: Erasure | None) -> Response:
    """Return the response with a receipt, which no cache may store."""
    if erasure is None:
        raise NotFound
    return Response(receipt(capability, erasure), headers={"Cache-Control": "no-store"})
