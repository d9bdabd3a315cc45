"""Addresses for visitors: registering a key, checking in."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.time import utc_now
from common.web import problems
from common.web.serializers import read_body
from passes.admission import Answers
from passes.api import serializers
from passes.api.answers import checkin_answer
from passes.authentication import IsVisitor, VisitorAuthentication, visitor_of
from passes.services.checkins import CheckinRequest, check_in
from passes.services.visitors import delete_visitor, register_visitor


class VisitorsView(APIView):
    """Registering a visitor's key."""

    authentication_classes = [VisitorAuthentication]
    permission_classes = [IsVisitor]

    @extend_schema(
        operation_id="register_visitor",
        tags=["visitors"],
        summary="Register a visitor's key",
        request=serializers.RegistrationSerializer,
        responses={201: serializers.RegisteredSerializer, 200: serializers.RegisteredSerializer},
    )
    def post(self, request: Request) -> Response:
        """Register the key of the header: 201, or 200 where it is known and stays as it is."""
        body = read_body(request, serializers.RegistrationSerializer)
        new = register_visitor(
            key_hash=visitor_of(request).key_hash, hash_of_erase_key=body["erase_hash"], now=utc_now()
        )
        return Response({"registered": True}, status=201 if new else 200)


class MeView(APIView):
    """A visitor's own row."""

    authentication_classes = [VisitorAuthentication]
    permission_classes = [IsVisitor]

    @extend_schema(
        operation_id="delete_visitor",
        tags=["visitors"],
        summary="Delete a visitor's row",
        request=serializers.DeletionSerializer,
        responses={204: None},
    )
    def delete(self, request: Request) -> Response:
        """Delete the row of the key in the header. Passes are erased by their owners, not by this."""
        body = read_body(request, serializers.DeletionSerializer)
        delete_visitor(key_hash=visitor_of(request).key_hash, erase_key=body["erase_key"])
        return Response(status=204)


class PassesView(APIView):
    """Check-in."""

    authentication_classes = [VisitorAuthentication]
    permission_classes = [IsVisitor]
    problems = (problems.NotFound, problems.Conflict, problems.Gone)

    @extend_schema(
        operation_id="check_in",
        tags=["visitors"],
        summary="Check in: four answers for a pass or for advice",
        request=serializers.CheckinSerializer,
        responses={201: serializers.CheckinAnswerSerializer, 200: serializers.CheckinAnswerSerializer},
        examples=[
            OpenApiExample(
                "check-in",
                request_only=True,
                value={
                    "venue": "v_7h3kq2m4xz",
                    "epoch": "2026-05-13",
                    "anchor": "IHUH2DRbCvbir-a3_TwOUg",
                    "owner_hash": "vAG6_bviu2CvwyZyrfcHfS5yXdQWP8zxcUFM3vF7_Sg",
                    "answers": {"symptoms": False, "diagnosed": False, "contact": False, "near": False},
                    "survey_seconds": 21,
                },
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Judge the answers once. The answer always has 2,048 bytes; a repeated request gets the same answer.

        201 where a pass or a refusal was made, 200 where it was made before or check-in is closed.
        """
        answer = check_in(
            key_hash=visitor_of(request).key_hash,
            request=_request(read_body(request, serializers.CheckinSerializer)),
            now=utc_now(),
        )
        return Response(checkin_answer(answer), status=201 if answer.new else 200)


def _request(body: dict[str, Any]) -> CheckinRequest:
    return CheckinRequest(
        venue=body["venue"],
        epoch=body["epoch"],
        anchor=body["anchor"],
        owner_hash=body["owner_hash"],
        answers=Answers(**body["answers"]),
        survey_seconds=body["survey_seconds"],
        invitation=body.get("invitation"),
    )
