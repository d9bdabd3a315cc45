"""API view of check-in."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common import measures
from common.time import utc_now
from common.web import problems
from common.web.padding import UNCHANGED
from common.web.serializers import read_body
from passes.admission import Answers
from passes.api import serializers
from passes.api.answers import checkin_answer
from passes.authentication import HasTicket, TicketAuthentication, ticket_of
from passes.services.checkins import CheckinRequest, check_in


class PassesView(APIView):
    """Check-in. No data of a visitor is read here: a ticket only shows that somebody has drawn it."""

    authentication_classes = [TicketAuthentication]
    permission_classes = [HasTicket]
    problems = (problems.NotFound, problems.Conflict, problems.Gone)

    @extend_schema(
        operation_id="check_in",
        tags=["visitors"],
        summary="Check in: exchange four answers for a pass or advice",
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
        """Judge the answers once. The response always has 2,048 bytes; a repeated request gets the same response.

        201 if a pass or a refusal was made and the ticket is spent; 200 if it was made before, or if nothing was made
        or spent because check-in is closed or an invitation is missing.
        """
        answer = check_in(
            ticket=ticket_of(request),
            request=_request(read_body(request, serializers.CheckinSerializer)),
            now=utc_now(),
        )
        if answer.new:
            measures.count(measures.CHECKINS)
        return Response(checkin_answer(answer), status=201 if answer.new else 200, headers=UNCHANGED)


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
