"""API views for visitors: registering a key, drawing tickets."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.time import utc_now
from common.web import problems
from common.web.serializers import read_body
from common.web.throttles import DrawThrottle, RegistrationThrottle
from passes.api import serializers
from passes.authentication import IsVisitor, VisitorAuthentication, visitor_of
from passes.codec.ticket_keys import TicketClass
from passes.services.draws import TicketSet, draw_tickets
from passes.services.visitors import delete_visitor, register_visitor


class VisitorsView(APIView):
    """Registration of a visitor's key."""

    authentication_classes = [VisitorAuthentication]
    permission_classes = [IsVisitor]
    throttle_classes = [DrawThrottle, RegistrationThrottle]

    @extend_schema(
        operation_id="register_visitor",
        tags=["visitors"],
        summary="Register a visitor's key",
        request=serializers.RegistrationSerializer,
        responses={201: serializers.RegisteredSerializer, 200: serializers.RegisteredSerializer},
    )
    def post(self, request: Request) -> Response:
        """Register the key of the header: 201, or 200 if it is known and remains unchanged."""
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


class TicketsView(APIView):
    """Draws of tickets."""

    authentication_classes = [VisitorAuthentication]
    permission_classes = [IsVisitor]
    throttle_classes = [DrawThrottle]
    problems = (problems.Conflict, problems.Gone, problems.Busy)

    @extend_schema(
        operation_id="draw_tickets",
        tags=["visitors"],
        summary="Draw tickets for check-ins, signed blindly",
        request=serializers.DrawSerializer,
        responses={201: serializers.DrawnSerializer, 200: serializers.DrawnSerializer},
    )
    def post(self, request: Request) -> Response:
        """Sign the blinded values of whole sets, one for each epoch and key; the same sets get the same response.

        201 if a set was not drawn before, 200 if all were. An epoch that was drawn with other values is a 409, and
        nothing is signed then.
        """
        body = read_body(request, serializers.DrawSerializer)
        answer = draw_tickets(
            auth_key=visitor_of(request).key, sets=[_set(each) for each in body["draws"]], now=utc_now()
        )
        drawn = serializers.DrawnSerializer({"draws": [_ticket_answer(each) for each in answer.sets]})
        return Response(drawn.data, status=201 if answer.new else 200)


def _set(asked: dict[str, Any]) -> TicketSet:
    return TicketSet(asked["epoch"], {each: asked[each.value] for each in TicketClass})


def _ticket_answer(signed: TicketSet) -> dict[str, Any]:
    return {"epoch": signed.epoch} | {each.value: signed.values[each] for each in TicketClass}
