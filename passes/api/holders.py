"""API views for holders of passes, who prove a pass by its owner and are otherwise anonymous."""

import datetime as dt
from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.time import utc_now
from common.web import problems
from common.web.problems import Invalid
from common.web.serializers import read_body
from passes.api import serializers
from passes.clock import calendar
from passes.codec.identity import hash_owner
from passes.formats import Format
from passes.limits import OLDEST_TEST
from passes.services.holders import hide_name, rate_visit, revoke_passes, show_name
from passes.services.rendering import render_credential


def owner_hashes(body: dict[str, Any]) -> list[bytes]:
    """Return the hashes by which the server knows the owners in a body."""
    return [hash_owner(owner) for owner in body["owners"]]


class RenderView(APIView):
    """Images and files of a credential."""

    problems = (problems.NotOffered,)

    @extend_schema(
        operation_id="render_pass",
        tags=["passes"],
        summary="Render a credential as SVG, PNG, NFC message or wallet file",
        request=serializers.RenderSerializer,
        responses={(200, form.content_type): OpenApiTypes.BINARY for form in Format},
    )
    def post(self, request: Request) -> HttpResponse:
        """Return the bytes; nothing is stored. A wallet file is made only for a pass with a valid signature."""
        body = read_body(request, serializers.RenderSerializer)
        form = Format(body["format"])
        data = render_credential(credential=body["credential"], form=form, now=utc_now())
        return HttpResponse(data, content_type=form.content_type)


class RevokeView(APIView):
    """Revocation of passes."""

    @extend_schema(
        operation_id="revoke_passes",
        tags=["passes"],
        summary="Revoke passes",
        request=serializers.OwnersSerializer,
        responses={204: None},
    )
    def post(self, request: Request) -> Response:
        """Revoke the passes of these owners; skip unknown ones.

        Online doors decline at once. An offline door may still admit a pass until it appears in its list, at a random
        time within the next 12 hours, so that the lists of two venues do not reveal that one person revoked both.
        """
        revoke_passes(owner_hashes=owner_hashes(read_body(request, serializers.OwnersSerializer)), now=utc_now())
        return Response(status=204)


class RatingsView(APIView):
    """Visitors' ratings of masks and distancing."""

    @extend_schema(
        operation_id="rate_visit",
        tags=["passes"],
        summary="Rate a visit",
        request=serializers.RatingSerializer,
        responses={204: None},
    )
    def post(self, request: Request) -> Response:
        """Store or change the rating of a pass that was admitted, up to 14 days after; otherwise do nothing."""
        body = read_body(request, serializers.RatingSerializer)
        rate_visit(
            owner_hash=hash_owner(body["owner"]), masks=body["masks"], distancing=body["distancing"], now=utc_now()
        )
        return Response(status=204)


class NamesView(APIView):
    """Names that visitors choose to show to one venue."""

    @extend_schema(
        operation_id="show_name",
        tags=["passes"],
        summary="Show a name to the venue of a pass",
        request=serializers.NameSerializer,
        responses={204: None},
    )
    def post(self, request: Request) -> Response:
        """Show a name until the epoch ends.

        It is encrypted, visible to that venue only and has no effect on a light.
        """
        body = read_body(request, serializers.NameSerializer)
        show_name(owner_hash=hash_owner(body["owner"]), name=body["name"], now=utc_now())
        return Response(status=204)

    @extend_schema(
        operation_id="hide_name",
        tags=["passes"],
        summary="Take a name back",
        request=serializers.OwnerSerializer,
        responses={204: None},
    )
    def delete(self, request: Request) -> Response:
        """Withdraw the name."""
        body = read_body(request, serializers.OwnerSerializer)
        hide_name(owner_hash=hash_owner(body["owner"]))
        return Response(status=204)


def check_test_day(tested_on: dt.date, now: dt.datetime) -> None:
    """Refuse a future day, allowing for time zones that are ahead, and a day of which no visit is known any more."""
    today = calendar().current(now.timestamp()).date
    if not today - OLDEST_TEST <= tested_on <= today + dt.timedelta(days=1):
        raise Invalid.field("/tested_on", _("A day of the last four weeks."), "range")
