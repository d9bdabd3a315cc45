"""API views of organisations, their members, and the operator's verification."""

from django.contrib.postgres.aggregates import ArrayAgg
from django.db import transaction
from django.db.models import Count, Q
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from common.time import utc_now
from common.web.etag import require_match
from common.web.idempotency import idempotent
from common.web.problems import Conflict, Gone, PreconditionFailed, PreconditionRequired
from common.web.serializers import read_body, read_query, without_body
from venues import links, selectors
from venues.api import serializers as s
from venues.api.base import PAGED, OperatorView, OwnerListView, OwnerView, no_content, origin_of
from venues.kinds import Role
from venues.models import Organisation
from venues.services.export import export_organisation
from venues.services.organisations import (
    change_member_role,
    close_organisation,
    create_organisation,
    lock_open,
    make_member_code,
    redeem_member_code,
    remove_member,
    unverify_organisation,
    update_organisation,
    verify_organisation,
)

CORNER = {"name": "Corner Ltd", "kind": "commercial"}


class OrganisationsView(OwnerListView):
    """Organisations of the user."""

    @extend_schema(operation_id="organisations", responses=s.OrganisationSerializer(many=True))
    def get(self, request: Request) -> Response:  # noqa: ARG002
        """Return open organisations of which the user is a member."""
        rows = Organisation.objects.filter(closed_at=None, memberships__user=self.user)
        return self.page(s.OrganisationSerializer, rows)

    @extend_schema(
        operation_id="create_organisation",
        request=s.OrganisationSerializer,
        responses={201: s.OrganisationSerializer},
        examples=[OpenApiExample("commercial", CORNER, request_only=True)],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Create an organisation owned by the user. It counts in the dataset once the operator has verified it."""
        data = read_body(request, s.OrganisationSerializer)
        row = create_organisation(owner=self.user, **data, now=utc_now())
        return self.show(s.OrganisationSerializer, row, 201)


class OrganisationView(OwnerView):
    """One organisation."""

    problems = {"PATCH": (PreconditionFailed, PreconditionRequired, Conflict, Gone)}

    @extend_schema(operation_id="organisation", responses=s.OrganisationSerializer)
    def get(self, request: Request, organisation: str) -> Response:  # noqa: ARG002
        """Return name, kind, and whether it is verified."""
        return self.show(s.OrganisationSerializer, selectors.organisation(self.user, organisation))

    @extend_schema(
        operation_id="update_organisation",
        request=s.OrganisationSerializer(partial=True),
        responses=s.OrganisationSerializer,
    )
    def patch(self, request: Request, organisation: str) -> Response:
        """Rename it or change its kind (owners; requires `If-Match`); it must then be verified again."""
        row = selectors.organisation(self.user, organisation, Role.OWNER)
        data = read_body(request, s.OrganisationSerializer, partial=True)
        with transaction.atomic():
            require_match(request, self.represent(s.OrganisationSerializer, lock_open(row)))
            row = update_organisation(organisation=row, actor=self.actor, now=utc_now(), **data)
        return self.show_changed(s.OrganisationSerializer, row)

    @extend_schema(operation_id="close_organisation", request=None, responses={204: None})
    @without_body
    def delete(self, request: Request, organisation: str) -> Response:  # noqa: ARG002
        """Close it permanently with its venues and devices (owners). Export it first."""
        row = selectors.organisation(self.user, organisation, Role.OWNER)
        close_organisation(organisation=row, actor=self.actor, now=utc_now())
        return no_content()


class ExportView(OwnerView):
    """Export of an organisation."""

    cache_control = "no-store"

    @extend_schema(operation_id="export_organisation", responses=s.OrganisationExportOutput)
    def get(self, request: Request, organisation: str) -> Response:  # noqa: ARG002
        """Return everything stored about the organisation as one JSON value (owners), without any data of visitors."""
        row = selectors.organisation(self.user, organisation, Role.OWNER)
        return Response(export_organisation(organisation=row, actor=self.actor, now=utc_now()))


class MembersView(OwnerListView):
    """Members of an organisation."""

    @extend_schema(operation_id="members", responses=s.MemberOutput(many=True))
    def get(self, request: Request, organisation: str) -> Response:  # noqa: ARG002
        """Return the members and their roles."""
        row = selectors.organisation(self.user, organisation)
        return self.page(s.MemberOutput, row.memberships.select_related("user"))


class MemberCodesView(OwnerView):
    """Invitations of members."""

    problems = (Gone,)

    @extend_schema(
        operation_id="make_member_code",
        request=s.RoleInput,
        responses={201: s.NewCodeOutput},
        examples=[OpenApiExample("a manager", {"role": "manager"}, request_only=True)],
    )
    @idempotent
    def post(self, request: Request, organisation: str) -> Response:
        """Create a one-time code for a new member, valid for seven days (owners)."""
        row = selectors.organisation(self.user, organisation, Role.OWNER)
        made = make_member_code(organisation=row, **read_body(request, s.RoleInput), actor=self.actor, now=utc_now())
        link = links.join(origin_of(request), made.code)
        return self.show(s.NewCodeOutput, s.new_code(link, made.code, made.expires_at), 201)


class JoinView(OwnerView):
    """Joining an organisation."""

    @extend_schema(operation_id="join", request=s.CodeInput, responses=s.MembershipOutput)
    def post(self, request: Request) -> Response:
        """Become a member with a code. An existing member keeps the role."""
        membership = redeem_member_code(user=self.user, **read_body(request, s.CodeInput), now=utc_now())
        return self.show(s.MembershipOutput, membership)


class MemberView(OwnerView):
    """One member."""

    problems = (Conflict, Gone)

    @extend_schema(operation_id="change_member_role", request=s.RoleInput, responses=s.MemberOutput)
    def patch(self, request: Request, member: str) -> Response:
        """Change the role (owners)."""
        row = selectors.member(self.user, member, Role.OWNER)
        selectors.organisation(self.user, row.organisation.public_id, Role.OWNER)
        data = read_body(request, s.RoleInput)
        return self.show(s.MemberOutput, change_member_role(membership=row, **data, actor=self.actor, now=utc_now()))

    @extend_schema(operation_id="remove_member", request=None, responses={204: None})
    @without_body
    def delete(self, request: Request, member: str) -> Response:  # noqa: ARG002
        """End a membership: the user's own, or anybody's (owners). The last owner cannot leave."""
        row = selectors.member(self.user, member, Role.OWNER)
        remove_member(membership=row, actor=self.actor, now=utc_now())
        return no_content()


class OperatorOrganisationsView(OperatorView):
    """Organisations of the whole deployment, for the operator."""

    query_serializer = s.OperatorQuery

    @extend_schema(
        operation_id="organisations_for_operator",
        parameters=[s.OperatorQuery],
        responses=s.UnverifiedOutput(many=True),
    )
    def get(self, request: Request) -> Response:
        """Return open organisations; with `verified=false`, those that are not verified yet."""
        wanted = read_query(request, s.OperatorQuery, also=PAGED).get("verified")
        rows = Organisation.objects.filter(closed_at=None)
        if wanted is not None:
            rows = rows.filter(verified_at__isnull=wanted == "false")
        rows = rows.annotate(
            open_venues=Count("venues", filter=Q(venues__closed_at=None), distinct=True),
            owners=ArrayAgg(
                "memberships__user__username", filter=Q(memberships__role=Role.OWNER), distinct=True, default=[]
            ),
        )
        return self.page(s.UnverifiedOutput, rows)


class VerificationView(OperatorView):
    """The operator's verification of an organisation."""

    problems = (Gone,)

    @extend_schema(operation_id="verify_organisation", request=None, responses=s.OrganisationSerializer)
    @without_body
    def put(self, request: Request, organisation: str) -> Response:  # noqa: ARG002
        """Verify an organisation: its venues count in release, radar and estimates."""
        row = selectors.organisation_for_operator(organisation)
        row = verify_organisation(organisation=row, actor=self.actor, now=utc_now())
        return self.show(s.OrganisationSerializer, row)

    @extend_schema(operation_id="unverify_organisation", request=None, responses=s.OrganisationSerializer)
    @without_body
    def delete(self, request: Request, organisation: str) -> Response:  # noqa: ARG002
        """Withdraw the verification."""
        row = selectors.organisation_for_operator(organisation)
        row = unverify_organisation(organisation=row, actor=self.actor, now=utc_now())
        return self.show(s.OrganisationSerializer, row)
