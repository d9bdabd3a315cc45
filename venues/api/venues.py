"""API views of venues, their requirements, doors and devices."""

from typing import Any

from django.db import transaction
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.time import utc_now
from common.web.etag import require_match
from common.web.idempotency import idempotent
from common.web.problems import Conflict, Gone, PreconditionFailed, PreconditionRequired
from common.web.serializers import read_body, without_body
from common.web.throttles import AddressThrottle, EnrolThrottle
from venues import links, selectors
from venues.api import serializers as s
from venues.api.base import OwnerListView, OwnerView, no_content, origin_of
from venues.kinds import Role
from venues.models import Device, Venue
from venues.requirements import RequirementValues
from venues.services.alerts import set_alert_mail
from venues.services.devices import enrol_device, make_enrolment_code, revoke_device
from venues.services.venues import (
    VenueFacts,
    add_door,
    close_door,
    close_venue,
    create_venue,
    lock_venue,
    set_requirements,
    update_door,
    update_venue,
)

UPDATE_PROBLEMS = (PreconditionFailed, PreconditionRequired, Gone)
CORNER = {
    "name": "The Corner",
    "kind": "restaurant",
    "zip": "94110",
    "time_zone": "America/Los_Angeles",
    "volume_m3": 420,
}
DINNER = [1020, 1380]
DINNERS: list[list[list[int]]] = [[], [DINNER], [DINNER], [DINNER], [[1020, 1500]], [[1020, 1500]], []]
ASKS = {
    "capacity": 60,
    "enforced_limit_percent": 75,
    "refuse_symptoms": True,
    "refuse_diagnosed": True,
    "refuse_contact": False,
    "refuse_near": False,
    "max_temperature_f": None,
    "min_o2": None,
    "rotating_code": True,
    "hours": DINNERS,
}


class MyVenuesView(OwnerListView):
    """Venues of all of the user's organisations."""

    @extend_schema(operation_id="my_venues", responses=s.VenueSerializer(many=True))
    def get(self, request: Request) -> Response:  # noqa: ARG002
        """Return open venues, newest first."""
        return self.page(s.VenueSerializer, selectors.open_venues(self.user).select_related("organisation"))


class VenuesView(OwnerListView):
    """Venues of an organisation."""

    problems = {"POST": (Conflict, Gone)}

    @extend_schema(operation_id="venues_of_organisation", responses=s.VenueSerializer(many=True))
    def get(self, request: Request, organisation: str) -> Response:  # noqa: ARG002
        """Return open venues, newest first."""
        row = selectors.organisation(self.user, organisation)
        return self.page(s.VenueSerializer, row.venues.filter(closed_at=None).select_related("organisation"))

    @extend_schema(
        operation_id="create_venue",
        request=s.VenueSerializer,
        responses={201: s.VenueSerializer},
        examples=[OpenApiExample("a restaurant", CORNER, request_only=True)],
    )
    @idempotent
    def post(self, request: Request, organisation: str) -> Response:
        """Create a venue (managers). Default: open around the clock, for 100 people, with one public door."""
        row = selectors.organisation(self.user, organisation, Role.MANAGER)
        facts = VenueFacts(**read_body(request, s.VenueSerializer))
        venue = create_venue(organisation=row, facts=facts, actor=self.actor, now=utc_now())
        return self.show(s.VenueSerializer, venue, 201)


class VenueView(OwnerView):
    """One venue."""

    problems = {"PATCH": UPDATE_PROBLEMS}

    @extend_schema(operation_id="my_venue", responses=s.VenueSerializer)
    def get(self, request: Request, venue: str) -> Response:  # noqa: ARG002
        """Return its facts."""
        return self.show(s.VenueSerializer, selectors.venue(self.user, venue))

    @extend_schema(
        operation_id="update_venue",
        request=s.VenueSerializer(partial=True),
        responses=s.VenueSerializer,
        examples=[OpenApiExample("ventilation was measured", {"air_changes_per_h": 4.5}, request_only=True)],
    )
    def patch(self, request: Request, venue: str) -> Response:
        """Change its facts (managers; requires `If-Match`)."""
        row = selectors.venue(self.user, venue, Role.MANAGER)
        changes = read_body(request, s.VenueSerializer, partial=True)
        with transaction.atomic():
            require_match(request, self.represent(s.VenueSerializer, lock_venue(row)))
            row = update_venue(venue=row, changes=changes, actor=self.actor, now=utc_now())
        return self.show_changed(s.VenueSerializer, row)

    @extend_schema(operation_id="close_venue", request=None, responses={204: None})
    @without_body
    def delete(self, request: Request, venue: str) -> Response:  # noqa: ARG002
        """Close it permanently; its devices lose their tokens (managers)."""
        row = selectors.venue(self.user, venue, Role.MANAGER)
        close_venue(venue=row, actor=self.actor, now=utc_now())
        return no_content()


class AlertView(OwnerView):
    """Notifications that a venue is filling up."""

    problems = {"PUT": (Conflict,)}

    @extend_schema(operation_id="alert", responses=s.AlertOutput)
    def get(self, request: Request, venue: str) -> Response:  # noqa: ARG002
        """Return the share from which it counts as filling up, and whether the user gets an e-mail then."""
        row = selectors.venue(self.user, venue)
        wanted = selectors.alert_mail_wanted(self.user, row)
        return self._show(row, wanted)

    @extend_schema(
        operation_id="set_alert",
        request=s.AlertInput,
        responses=s.AlertOutput,
        examples=[OpenApiExample("a mail when it fills up", {"mail": True}, request_only=True)],
    )
    def put(self, request: Request, venue: str) -> Response:
        """Start or stop the user's own e-mails: one each time the share is passed, to a confirmed address."""
        row = selectors.venue(self.user, venue)
        wanted = set_alert_mail(
            venue=row,
            user=self.user,
            wanted=read_body(request, s.AlertInput)["mail"],
            origin=origin_of(request),
            now=utc_now(),
        )
        return self._show(row, wanted)

    def _show(self, row: Venue, wanted: bool) -> Response:
        confirmed = selectors.email_confirmed(self.user)
        return self.show(s.AlertOutput, {"percent": row.alert_percent, "mail": wanted, "email_confirmed": confirmed})


class RequirementsView(OwnerView):
    """The requirements of a venue for visitors."""

    problems = {"PUT": UPDATE_PROBLEMS, "PATCH": UPDATE_PROBLEMS}

    @extend_schema(operation_id="requirements", responses=s.RequirementsSerializer)
    def get(self, request: Request, venue: str) -> Response:  # noqa: ARG002
        """Return the version in force."""
        return self.show(s.RequirementsSerializer, selectors.venue(self.user, venue).requirements)

    @extend_schema(
        operation_id="set_requirements",
        request=s.RequirementsSerializer,
        responses=s.RequirementsSerializer,
        examples=[OpenApiExample("dinners", ASKS, request_only=True)],
    )
    def put(self, request: Request, venue: str) -> Response:
        """Put a complete new version in force (managers; requires `If-Match`).

        It applies at doors at once. Rules on answers (`refuse_*`) apply to days whose check-in opens after the change.
        """
        row = selectors.venue(self.user, venue, Role.MANAGER)
        return self._set(row, read_body(request, s.RequirementsSerializer))

    @extend_schema(
        operation_id="change_requirements",
        request=s.RequirementsSerializer(partial=True),
        responses=s.RequirementsSerializer,
        examples=[OpenApiExample("a smaller crowd", {"enforced_limit_percent": 50}, request_only=True)],
    )
    def patch(self, request: Request, venue: str) -> Response:
        """Put a new version in force that differs in these fields (managers; requires `If-Match`)."""
        row = selectors.venue(self.user, venue, Role.MANAGER)
        return self._set(row, read_body(request, s.RequirementsSerializer, partial=True))

    def _set(self, venue: Venue, changes: dict[str, Any]) -> Response:
        with transaction.atomic():
            lock_venue(venue)
            present = venue.requirement_versions.latest("version")
            require_match(self.request, self.represent(s.RequirementsSerializer, present))
            values = RequirementValues.of(present).changed(changes)
            row = set_requirements(venue=venue, values=values, actor=self.actor, now=utc_now())
        return self.show_changed(s.RequirementsSerializer, row)


class RequirementVersionsView(OwnerListView):
    """All versions of a venue's requirements."""

    ordering = "-version"

    @extend_schema(operation_id="requirement_versions", responses=s.RequirementsSerializer(many=True))
    def get(self, request: Request, venue: str) -> Response:  # noqa: ARG002
        """Return all versions, newest first."""
        row = selectors.venue(self.user, venue)
        return self.page(s.RequirementsSerializer, row.requirement_versions.all())


class DoorsView(OwnerListView):
    """Doors of a venue."""

    problems = {"POST": (Conflict, Gone)}

    @extend_schema(operation_id="doors", responses=s.DoorSerializer(many=True))
    def get(self, request: Request, venue: str) -> Response:  # noqa: ARG002
        """Return open doors, newest first."""
        row = selectors.venue(self.user, venue)
        return self.page(s.DoorSerializer, row.doors.filter(closed_at=None).select_related("venue"))

    @extend_schema(
        operation_id="add_door",
        request=s.DoorSerializer,
        responses={201: s.DoorSerializer},
        examples=[OpenApiExample("for staff", {"name": "Kitchen", "access": "Private"}, request_only=True)],
    )
    @idempotent
    def post(self, request: Request, venue: str) -> Response:
        """Create a door (managers)."""
        row = selectors.venue(self.user, venue, Role.MANAGER)
        data = read_body(request, s.DoorSerializer)
        return self.show(s.DoorSerializer, add_door(venue=row, **data, actor=self.actor, now=utc_now()), 201)


class DoorView(OwnerView):
    """One door."""

    problems = {"PATCH": UPDATE_PROBLEMS}

    @extend_schema(operation_id="door", responses=s.DoorSerializer)
    def get(self, request: Request, door: str) -> Response:  # noqa: ARG002
        """Return its name, and whether it is public."""
        return self.show(s.DoorSerializer, selectors.door(self.user, door))

    @extend_schema(
        operation_id="update_door",
        request=s.DoorSerializer(partial=True),
        responses=s.DoorSerializer,
    )
    def patch(self, request: Request, door: str) -> Response:
        """Rename it, or make it public or private (managers; requires `If-Match`)."""
        row = selectors.door(self.user, door, Role.MANAGER)
        data = read_body(request, s.DoorSerializer, partial=True)
        with transaction.atomic():
            lock_venue(row.venue)
            row.refresh_from_db(fields=["name", "access"])
            require_match(request, self.represent(s.DoorSerializer, row))
            row = update_door(door=row, **data, actor=self.actor, now=utc_now())
        return self.show_changed(s.DoorSerializer, row)

    @extend_schema(operation_id="close_door", request=None, responses={204: None})
    @without_body
    def delete(self, request: Request, door: str) -> Response:  # noqa: ARG002
        """Close it permanently; its devices lose their tokens (managers)."""
        row = selectors.door(self.user, door, Role.MANAGER)
        close_door(door=row, actor=self.actor, now=utc_now())
        return no_content()


class EnrolmentCodesView(OwnerView):
    """Codes that enrol devices."""

    problems = (Conflict, Gone)

    @extend_schema(operation_id="make_enrolment_code", request=None, responses={201: s.NewCodeOutput})
    @idempotent
    @without_body
    def post(self, request: Request, door: str) -> Response:
        """Create a one-time code for a device at this door, valid for ten minutes (managers)."""
        row = selectors.door(self.user, door, Role.MANAGER)
        made = make_enrolment_code(door=row, actor=self.actor, now=utc_now())
        link = links.kiosk(origin_of(request), made.code)
        return self.show(s.NewCodeOutput, s.new_code(link, made.code, made.expires_at), 201)


class DevicesView(OwnerListView):
    """Devices of a venue."""

    @extend_schema(operation_id="devices", responses=s.DeviceOutput(many=True))
    def get(self, request: Request, venue: str) -> Response:  # noqa: ARG002
        """Return devices at all doors, including revoked ones, newest first."""
        row = selectors.venue(self.user, venue)
        return self.page(s.DeviceOutput, Device.objects.filter(door__venue=row).select_related("door"))


class DeviceView(OwnerView):
    """One device."""

    @extend_schema(operation_id="device", responses=s.DeviceOutput)
    def get(self, request: Request, device: str) -> Response:  # noqa: ARG002
        """Return its description, and when it was last seen."""
        return self.show(s.DeviceOutput, selectors.device(self.user, device))

    @extend_schema(operation_id="revoke_device", request=None, responses={204: None})
    @without_body
    def delete(self, request: Request, device: str) -> Response:  # noqa: ARG002
        """Revoke its token; its next request is refused (managers)."""
        row = selectors.device(self.user, device, Role.MANAGER)
        revoke_device(device=row, actor=self.actor, now=utc_now())
        return no_content()


class EnrolView(APIView):
    """Enrolment of devices."""

    throttle_classes = (AddressThrottle, EnrolThrottle)

    @extend_schema(
        operation_id="enrol_device",
        tags=["devices"],
        request=s.EnrolInput,
        responses={201: s.EnrolOutput},
        examples=[
            OpenApiExample("a kiosk", {"code": "7h3kq2m4xz0a", "name": "Left", "kind": "Gate"}, request_only=True),
        ],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Exchange a one-time code for a token, to be sent as `Authorization: Device <token>`."""
        _device, token = enrol_device(**read_body(request, s.EnrolInput), now=utc_now())
        return Response(s.EnrolOutput({"token": token}).data, status=201)
