"""API views of people counted at a venue."""

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from common.time import utc_now
from common.web.idempotency import idempotent
from common.web.problems import Conflict, Gone
from common.web.serializers import read_body, without_body
from venues import selectors
from venues.api.base import OwnerListView, OwnerView, no_content
from venues.api.serializers import PresenceCountSerializer
from venues.kinds import Role
from venues.services.presence_counts import add_presence_count, remove_presence_count

COUNT = {"counted_at": "2026-05-13T19:30:00Z", "people": 42}


class PresenceCountsView(OwnerListView):
    """People counted at a venue, with a check-in or without."""

    problems = {"POST": (Conflict, Gone)}
    ordering = "-counted_at"

    @extend_schema(operation_id="presence_counts", responses=PresenceCountSerializer(many=True))
    def get(self, request: Request, venue: str) -> Response:  # noqa: ARG002
        """Return counts of the last 30 days, newest first."""
        row = selectors.venue(self.user, venue)
        return self.page(PresenceCountSerializer, row.presence_counts.select_related("venue"))

    @extend_schema(
        operation_id="add_presence_count",
        request=PresenceCountSerializer,
        responses={201: PresenceCountSerializer},
        examples=[OpenApiExample("at half past seven", COUNT, request_only=True)],
    )
    @idempotent
    def post(self, request: Request, venue: str) -> Response:
        """Enter how many people were there at one time (managers).

        Doses use it from the end of its UTC day on, for a fortnight; of several counts of a day, the one with the most
        people. The number of check-ins is not shown.
        """
        row = selectors.venue(self.user, venue, Role.MANAGER)
        data = read_body(request, PresenceCountSerializer)
        return self.show(
            PresenceCountSerializer, add_presence_count(venue=row, **data, actor=self.actor, now=utc_now()), 201
        )


class PresenceCountView(OwnerView):
    """One count of people."""

    @extend_schema(operation_id="remove_presence_count", request=None, responses={204: None})
    @without_body
    def delete(self, request: Request, count: str) -> Response:  # noqa: ARG002
        """Remove it, for example after a slip of the keyboard (managers)."""
        row = selectors.presence_count(self.user, count, Role.MANAGER)
        remove_presence_count(count=row, actor=self.actor, now=utc_now())
        return no_content()
