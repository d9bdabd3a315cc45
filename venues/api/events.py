"""API views of events and invitations."""

from django.db import transaction
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from common.time import utc_now
from common.web.etag import require_match
from common.web.idempotency import idempotent
from common.web.problems import Conflict, Gone, Invalid, NotFound, PreconditionFailed, PreconditionRequired
from common.web.serializers import read_body, without_body
from venues import selectors
from venues.api import serializers as s
from venues.api.base import OwnerListView, OwnerView, no_content
from venues.kinds import Role
from venues.models import Organisation
from venues.services.events import (
    cancel_event,
    create_event,
    create_quick_event,
    make_invitation,
    revoke_invitation,
    update_event,
)
from venues.services.venues import lock_venue

SUPPER = {
    "name": "Supper",
    "place": "Rosa's kitchen",
    "zip": "94110",
    "time_zone": "America/Los_Angeles",
    "starts_at": "2026-06-06T02:00:00Z",
    "ends_at": "2026-06-06T06:00:00Z",
    "size": 12,
}


class QuickEventView(OwnerView):
    """A free event in one call."""

    problems = (Conflict, Gone)

    @extend_schema(
        operation_id="create_quick_event",
        request=s.QuickEventInput,
        responses={201: s.QuickEventOutput},
        examples=[OpenApiExample("a supper", SUPPER, request_only=True)],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Create an event with everything it needs: a separate unlisted venue, a door, and an invitation."""
        data = read_body(request, s.QuickEventInput)
        made = create_quick_event(
            user=self.user,
            organisation=self._host(data.pop("organisation", None)),
            zip_code=data.pop("zip", ""),
            **data,
            now=utc_now(),
        )
        return self.show(s.QuickEventOutput, made, 201)

    def _host(self, public_id: str | None) -> Organisation | None:
        if public_id is None:
            return None
        try:
            return selectors.organisation(self.user, public_id, Role.MANAGER)
        except NotFound:
            raise Invalid.field("/organisation", _("You have no such organisation."), "unknown") from None


class EventsView(OwnerListView):
    """Events at a venue."""

    problems = {"POST": (Conflict, Gone)}

    @extend_schema(operation_id="events", responses=s.EventSerializer(many=True))
    def get(self, request: Request, venue: str) -> Response:  # noqa: ARG002
        """Return all events, the most recently created first."""
        row = selectors.venue(self.user, venue)
        return self.page(s.EventSerializer, row.events.select_related("venue"))

    @extend_schema(
        operation_id="create_event",
        request=s.EventSerializer,
        responses={201: s.EventSerializer},
        examples=[
            OpenApiExample(
                "a concert",
                {
                    "name": "Concert",
                    "starts_at": "2026-06-06T02:00:00Z",
                    "ends_at": "2026-06-06T05:00:00Z",
                    "size": 80,
                    "invitation_needed": False,
                },
                request_only=True,
            )
        ],
    )
    @idempotent
    def post(self, request: Request, venue: str) -> Response:
        """Create an event (managers). Doors open an hour before it, regardless of the weekly hours.

        If an invitation is required, check-in for each whole day of the event requires one.
        """
        row = selectors.venue(self.user, venue, Role.MANAGER)
        data = read_body(request, s.EventSerializer)
        return self.show(s.EventSerializer, create_event(venue=row, **data, actor=self.actor, now=utc_now()), 201)


class EventView(OwnerView):
    """One event."""

    problems = {"PATCH": (PreconditionFailed, PreconditionRequired, Gone)}

    @extend_schema(operation_id="event", responses=s.EventSerializer)
    def get(self, request: Request, event: str) -> Response:  # noqa: ARG002
        """Return time, place and size."""
        return self.show(s.EventSerializer, selectors.event(self.user, event))

    @extend_schema(
        operation_id="update_event",
        request=s.EventSerializer(partial=True),
        responses=s.EventSerializer,
    )
    def patch(self, request: Request, event: str) -> Response:
        """Change the event (managers; requires `If-Match`)."""
        row = selectors.event(self.user, event, Role.MANAGER)
        data = read_body(request, s.EventSerializer, partial=True)
        with transaction.atomic():
            lock_venue(row.venue)
            require_match(request, self.represent(s.EventSerializer, selectors.event(self.user, event)))
            row = update_event(event=row, **data, actor=self.actor, now=utc_now())
        return self.show_changed(s.EventSerializer, row)

    @extend_schema(operation_id="cancel_event", request=None, responses={204: None})
    @without_body
    def delete(self, request: Request, event: str) -> Response:  # noqa: ARG002
        """Cancel the event; its invitations become invalid (managers)."""
        row = selectors.event(self.user, event, Role.MANAGER)
        cancel_event(event=row, actor=self.actor, now=utc_now())
        return no_content()


class InvitationsView(OwnerListView):
    """Invitations to an event."""

    cache_control = "no-store"
    problems = {"POST": (Conflict, Gone)}

    @extend_schema(operation_id="invitations", responses=s.InvitationOutput(many=True))
    def get(self, request: Request, event: str) -> Response:  # noqa: ARG002
        """Return all invitations with their links (managers)."""
        row = selectors.event(self.user, event, Role.MANAGER)
        return self.page(s.InvitationOutput, row.invitations.select_related("event"))

    @extend_schema(
        operation_id="make_invitation",
        request=s.InvitationInput,
        responses={201: s.InvitationOutput},
        examples=[OpenApiExample("for two", {"uses": 2}, request_only=True)],
    )
    @idempotent
    def post(self, request: Request, event: str) -> Response:
        """Create an invitation (managers). Its link is for guests; nobody learns who used it."""
        row = selectors.event(self.user, event, Role.MANAGER)
        data = read_body(request, s.InvitationInput)
        made = make_invitation(event=row, **data, actor=self.actor, now=utc_now())
        return self.show(s.InvitationOutput, made, 201)


class InvitationView(OwnerView):
    """One invitation."""

    @extend_schema(operation_id="revoke_invitation", request=None, responses={204: None})
    @without_body
    def delete(self, request: Request, invitation: str) -> Response:  # noqa: ARG002
        """Revoke the invitation; passes made with it stay valid (managers)."""
        row = selectors.invitation(self.user, invitation, Role.MANAGER)
        revoke_invitation(invitation=row, actor=self.actor, now=utc_now())
        return no_content()
