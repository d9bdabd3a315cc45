"""The verified tier: the operator approves organisations, and they read its files."""

import datetime as dt
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.time import utc_now
from common.web import problems
from common.web.authentication import Authenticated, SchemeAuthentication
from common.web.pagination import CursorPagination
from common.web.serializers import Day, StrictSerializer, Text, UtcTime, Whole, read_body, read_query, without_body
from exports.api.kinds import documented, kind_for
from exports.api.queries import FormatIsAsked
from exports.lake.files import PARQUET
from exports.models import Credential, Recipient, VerifiedDay, VerifiedFile
from exports.release import recipients
from venues.api.base import PAGED, OperatorView, no_content


# The operator ---------------------------------------------------------------------------------------------------------
class RecipientInput(StrictSerializer):
    """An organisation to approve."""

    name = Text(max_length=120)


class RecipientOutput(serializers.ModelSerializer[Recipient]):
    """An approved organisation."""

    id = serializers.CharField(source="public_id")
    approved_at = UtcTime()
    withdrawn_at = UtcTime(allow_null=True)

    class Meta:
        model = Recipient
        fields = ("id", "name", "approved_at", "withdrawn_at")


class CredentialInput(StrictSerializer):
    """What a credential gives access to, and for how long."""

    days = Whole(min_value=1, max_value=recipients.LONGEST_DAYS, help_text="that it lives")
    first_day = Day(help_text="of the data")
    last_day = Day(help_text="of the data")


class CredentialOutput(serializers.ModelSerializer[Credential]):
    """A credential; `token` is shown only once."""

    id = serializers.CharField(source="public_id")
    token = serializers.CharField(source="shown_token", help_text="send it as `Authorization: Recipient <token>`")
    expires_at = UtcTime()
    first_day = serializers.DateField()
    last_day = serializers.DateField()

    class Meta:
        model = Credential
        fields = ("id", "token", "expires_at", "first_day", "last_day")


class RecipientsView(OperatorView):
    """Organisations that may read the verified tier."""

    query_serializer = serializers.Serializer

    @extend_schema(operation_id="recipients", tags=["operator"], responses=RecipientOutput(many=True))
    def get(self, request: Request) -> Response:  # noqa: ARG002
        """List all organisations that were ever approved, newest first."""
        return self.page(RecipientOutput, Recipient.objects.all())

    @extend_schema(
        operation_id="approve_recipient",
        tags=["operator"],
        request=RecipientInput,
        responses={201: RecipientOutput},
        examples=[OpenApiExample("An institute", value={"name": "Institute of Public Health"}, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        """Approve an organisation. The operator keeps what it signed; it is not stored here."""
        body = read_body(request, RecipientInput)
        row = recipients.approve_recipient(name=body["name"], actor=self.actor, now=utc_now())
        return self.show(RecipientOutput, row, status=201)


class RecipientView(OperatorView):
    """One of them."""

    @extend_schema(operation_id="withdraw_recipient", tags=["operator"], responses={204: None})
    @without_body
    def delete(self, request: Request, recipient: str) -> Response:  # noqa: ARG002
        """Revoke the approval; the organisation's credentials stop working immediately."""
        row = get_object_or_404(Recipient, public_id=recipient)
        recipients.withdraw_recipient(recipient=row, actor=self.actor, now=utc_now())
        return no_content()


class CredentialsView(OperatorView):
    """Credentials of an approved organisation."""

    problems = (problems.Gone,)

    @extend_schema(
        operation_id="make_recipient_credential",
        tags=["operator"],
        request=CredentialInput,
        responses={201: CredentialOutput},
        examples=[
            OpenApiExample(
                "A fortnight",
                value={"days": 14, "first_day": "2026-05-01", "last_day": "2026-05-31"},
                request_only=True,
            )
        ],
    )
    def post(self, request: Request, recipient: str) -> Response:
        """Create a credential; its token is shown only once."""
        body = read_body(request, CredentialInput)
        row = get_object_or_404(Recipient, public_id=recipient)
        made, token = recipients.make_credential(recipient=row, actor=self.actor, now=utc_now(), **body)
        made.shown_token = token  # type: ignore[attr-defined]
        answer = self.show(CredentialOutput, made, status=201)
        answer.headers["Cache-Control"] = "no-store"
        return answer


# Recipients -----------------------------------------------------------------------------------------------------------
class RecipientAuthentication(SchemeAuthentication):
    """`Authorization: Recipient <token>`."""

    scheme = "Recipient"
    description = "The credential an approved organisation got from the operator."

    def identify(self, credential: str, request: Request) -> tuple[None, Credential] | None:  # noqa: ARG002
        """Return the credential if it is valid."""
        found = recipients.credential_of(token=credential, now=utc_now())
        return None if found is None else (None, found)


class VerifiedDayOutput(serializers.ModelSerializer[VerifiedDay]):
    """One day of rows."""

    day = serializers.DateField()
    rows = serializers.IntegerField(help_text="as published; later erasures may have removed some")
    dropped = serializers.IntegerField(help_text="marked passes that were in no valid class")
    files = serializers.SerializerMethodField(help_text="numbered from 0")

    class Meta:
        model = VerifiedDay
        fields = ("day", "rows", "dropped", "files")

    def get_files(self, row: VerifiedDay) -> int:
        """Return the current number of files of the day."""
        files: dict[dt.date, int] = self.context["files"]
        return files.get(row.day, 0)


class VerifiedDaysOutput(serializers.Serializer[Any]):
    """Days that a credential gives access to, newest first."""

    guarantee = serializers.CharField(help_text="what is guaranteed towards a reader, and what is not")
    results = VerifiedDayOutput(many=True)
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)


class _RecipientView(APIView):
    authentication_classes = (RecipientAuthentication,)
    permission_classes = (Authenticated,)

    @property
    def credential(self) -> Credential:
        """Return the credential of the request."""
        found = self.request.auth
        assert isinstance(found, Credential)  # noqa: S101 - the permission saw to it
        return found


class VerifiedDaysView(_RecipientView):
    """Days of the verified tier."""

    pagination_class = CursorPagination
    ordering = "-day"

    @extend_schema(
        operation_id="verified_days",
        tags=["datasets"],
        summary="Days of the verified tier",
        responses=VerifiedDaysOutput,
    )
    def get(self, request: Request) -> Response:
        """List the days that the credential gives access to. Each request is in the operator's audit log."""
        read_query(request, serializers.Serializer, also=PAGED)
        credential = self.credential
        recipients.note_listing(credential=credential, now=utc_now())
        days = VerifiedDay.objects.filter(
            step=VerifiedDay.Step.ANNOUNCED, day__range=(credential.first_day, credential.last_day)
        )
        paginator = self.pagination_class()
        page = paginator.paginate_queryset(days, request, view=self)
        files: dict[dt.date, int] = {}
        for day in VerifiedFile.objects.filter(day__in=[row.day for row in page]).values_list("day", flat=True):
            files[day] = files.get(day, 0) + 1
        answer = paginator.get_paginated_response(VerifiedDayOutput(page, many=True, context={"files": files}).data)
        answer.data["guarantee"] = _(
            "These are real rows, in classes of at least 30 passes (10 people) with diverse answers. The bound of "
            "differential privacy that protects the open dataset does not hold towards you: do not try to recognise "
            "anybody, do not pass rows on, and delete what was erased when you fetch a day again."
        )
        answer.headers["Cache-Control"] = "no-store"
        return answer


class VerifiedFileView(_RecipientView):
    """A data file of the verified tier."""

    content_negotiation_class = FormatIsAsked

    @extend_schema(
        operation_id="verified_file",
        tags=["datasets"],
        summary="Rows of the verified tier as Parquet",
        responses=documented(PARQUET),
    )
    def get(self, request: Request, day: dt.date, number: int) -> HttpResponse:
        """Return the current file, without erased rows. Each access is in the operator's audit log."""
        found = recipients.read_file(credential=self.credential, day=day, number=number, now=utc_now())
        return HttpResponse(
            found.body,
            content_type=kind_for(request._request, PARQUET),
            headers={
                "Cache-Control": "no-store",
                "Content-Disposition": f'attachment; filename="{found.name}"',
            },
        )
