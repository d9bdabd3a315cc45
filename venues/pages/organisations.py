"""Teams: an organisation's facts, members, export and closing; and the operator's verification."""

import json
from functools import partial
from typing import Any

from django import forms
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.time import utc_now
from venues import links, selectors
from venues.kinds import OrganisationKind, Role
from venues.models import Organisation
from venues.pages.base import bound, done, form_page, operator_page, owner_action, owner_page, show_form, user_of
from venues.pages.forms import NoFields, OwnerForm, name_field
from venues.services import organisations
from venues.services.codes import NewCode, qr_svg
from venues.services.export import export_organisation
from venues.services.organisations import (
    change_member_role,
    make_member_code,
    unverify_organisation,
    update_organisation,
    verify_organisation,
)


class OrganisationForm(OwnerForm):
    """The facts of an organisation."""

    keeps_unnamed = True

    name = name_field(gettext_lazy("Name"))
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=OrganisationKind.choices, widget=forms.RadioSelect)


class RoleForm(OwnerForm):
    """A role."""

    role = forms.ChoiceField(
        label=gettext_lazy("What may they do?"),
        choices=[
            (Role.VIEWER, gettext_lazy("View only (viewer)")),
            (Role.MANAGER, gettext_lazy("Manage places, doors and events (manager)")),
            (Role.OWNER, gettext_lazy("Everything, including the team and closing (owner)")),
        ],
        initial=Role.MANAGER,
        widget=forms.RadioSelect,
    )


@owner_page
def organisation(request: HttpRequest, organisation: str) -> HttpResponse:
    """Show one team: its members, its places, its actions."""
    membership = selectors.membership(user_of(request), organisation)
    row = membership.organisation
    context = {
        "organisation": row,
        "mine": membership,
        "is_owner": membership.role == Role.OWNER,
        "members": row.memberships.select_related("user").order_by("user__username"),
        "venues": row.venues.filter(closed_at=None).order_by("name"),
    }
    return render(request, "venues/owner/organisation.html", context)


@owner_page
def change_organisation(request: HttpRequest, organisation: str) -> HttpResponse:
    """Change name or kind; it then waits for the operator's verification again."""
    row = selectors.organisation(user_of(request), organisation, Role.OWNER)
    return form_page(
        request,
        bound(OrganisationForm, request, initial={"name": row.name, "kind": row.kind}),
        partial(update_organisation, organisation=row, actor=user_of(request).username, now=utc_now()),
        lambda _changed: done(request, _("Saved."), "owner-page-organisation", organisation=organisation),
        title=_("Name and kind"),
        submit=_("Save"),
        lead=_("A new name or kind has to be verified again by the operator."),
        back_to=reverse("owner-page-organisation", args=[organisation]),
    )


@owner_page
def invite(request: HttpRequest, organisation: str) -> HttpResponse:
    """Create a one-time code for a colleague."""
    row = selectors.organisation(user_of(request), organisation, Role.OWNER)
    back = reverse("owner-page-organisation", args=[organisation])

    def show(made: NewCode) -> HttpResponse:
        address = links.join(links.origin(request), made.code)
        context = {"row": row, "code": made.code, "address": address, "qr": qr_svg(address), "back": back}
        return render(request, "venues/owner/invite.html", context)

    return form_page(
        request,
        bound(RoleForm, request),
        partial(make_member_code, organisation=row, actor=user_of(request).username, now=utc_now()),
        show,
        title=_("Add a colleague to %(name)s") % {"name": row.name},
        submit=_("Create code"),
        lead=_("You give your colleague a code, and they join by entering it."),
        back_to=back,
    )


@owner_page
def member(request: HttpRequest, member: str) -> HttpResponse:
    """Change a member's role."""
    row = selectors.member(user_of(request), member, Role.OWNER)
    team = row.organisation.public_id
    selectors.organisation(user_of(request), team, Role.OWNER)  # the user's own membership may be read with any role
    return form_page(
        request,
        bound(RoleForm, request, initial={"role": row.role}),
        partial(change_member_role, membership=row, actor=user_of(request).username, now=utc_now()),
        lambda _changed: done(request, _("Saved."), "owner-page-organisation", organisation=team),
        fields={"": "role"},
        title=_("Role of %(name)s") % {"name": row.user.username},
        submit=_("Save"),
        back_to=reverse("owner-page-organisation", args=[team]),
    )


@owner_page
def remove_member(request: HttpRequest, member: str) -> HttpResponse:
    """End a membership, the user's own or, for owners, anybody's; ask first."""
    user = user_of(request)
    row = selectors.member(user, member, Role.OWNER)
    team, own = row.organisation, row.user_id == user.pk
    title = _("Leave %(team)s?") if own else _("Remove %(name)s from %(team)s?")

    def say_so(_removed: object) -> HttpResponse:
        if own:
            return done(request, _("You have left %(name)s.") % {"name": team.name}, "owner-page-home")
        return done(request, _("Removed."), "owner-page-organisation", organisation=team.public_id)

    return form_page(
        request,
        bound(NoFields, request),
        partial(organisations.remove_member, membership=row, actor=user.username, now=utc_now()),
        say_so,
        title=title % {"name": row.user.username, "team": team.name},
        submit=_("Leave") if own else _("Remove"),
        back_to=reverse("owner-page-organisation", args=[team.public_id]),
        danger=True,
    )


@owner_action
def export(request: HttpRequest, organisation: str) -> HttpResponse:
    """Download everything stored about an organisation as a file."""
    row = selectors.organisation(user_of(request), organisation, Role.OWNER)
    value = export_organisation(organisation=row, actor=user_of(request).username, now=utc_now())
    response = HttpResponse(json.dumps(value, ensure_ascii=False, indent=1), content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="{row.public_id}.json"'
    return response


@owner_page
def close_organisation(request: HttpRequest, organisation: str) -> HttpResponse:
    """Close an organisation permanently; ask first."""
    row = selectors.organisation(user_of(request), organisation, Role.OWNER)
    if request.method == "POST":
        organisations.close_organisation(organisation=row, actor=user_of(request).username, now=utc_now())
        return done(request, _("%(name)s is closed.") % {"name": row.name}, "owner-page-home")
    return show_form(
        request,
        NoFields(),
        _("Close %(name)s permanently?") % {"name": row.name},
        _("Close permanently"),
        lead=_(
            "All its places close, its devices stop working and its "
            "events are cancelled. Its data is deleted after 30 days."
        ),
        back_to=reverse("owner-page-organisation", args=[organisation]),
        danger=True,
    )


# The operator --------------------------------------------------------------------------------------------------------
@operator_page
def operator_organisations(request: HttpRequest) -> HttpResponse:
    """Show organisations that wait for verification, and those that are verified."""
    rows = Organisation.objects.filter(closed_at=None).annotate(
        open_venues=Count("venues", filter=Q(venues__closed_at=None), distinct=True)
    )
    q = request.GET.get("q", "").strip()[:80]
    if q:
        rows = rows.filter(name__icontains=q.replace("\0", ""))
    context: dict[str, Any] = {
        "q": q,
        "waiting": rows.filter(verified_at=None).order_by("-pk")[:50],
        "verified": rows.exclude(verified_at=None).order_by("-verified_at")[:50],
    }
    return render(request, "venues/owner/operator_organisations.html", context)


@operator_page
def verify(request: HttpRequest, organisation: str) -> HttpResponse:
    """Verify an organisation, or withdraw that."""
    row = selectors.organisation_for_operator(organisation)
    act = unverify_organisation if row.verified_at else verify_organisation
    if request.method == "POST":
        act(organisation=row, actor=user_of(request).username, now=utc_now())
        return done(request, _("Saved: %(name)s.") % {"name": row.name}, "owner-page-operator-organisations")
    return show_form(
        request,
        NoFields(),
        (_("Withdraw the verification of %(name)s?") if row.verified_at else _("Verify %(name)s?"))
        % {"name": row.name},
        _("Withdraw") if row.verified_at else _("Verify"),
        lead=_("Only places of verified organisations count in the dataset, the radar and the estimates."),
        back_to=reverse("owner-page-operator-organisations"),
        danger=bool(row.verified_at),
    )
