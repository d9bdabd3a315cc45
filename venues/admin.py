"""Read-only tables of this app for operators, without any data of visits.

The site has no separate log-in: it redirects to that of the owners' pages, so that their throttle and second factor
apply here too. Changes are made by services (the owner's API, `manage.py`), because those write the audit log. The only
thing that can be changed here is whether an account may be used.
"""

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from common import audit
from common.models import AuditEntry
from common.time import utc_now
from common.web.problems import Forbidden
from venues.models import Device, Door, Event, Membership, Organisation, Requirements, Venue
from venues.pages.base import sends_forms

if TYPE_CHECKING:  # it is generic only for the type checker
    _ModelAdmin = admin.ModelAdmin[Any]
else:
    _ModelAdmin = admin.ModelAdmin


class OperatorSite(admin.AdminSite):
    """Django's admin, behind the owners' log-in."""

    site_header = site_title = "CrowdTrace"
    index_title = "Tables of venues"

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:  # noqa: ARG002
        """Redirect to the log-in page; refuse an account that is not an operator's."""
        if request.user.is_authenticated:
            raise Forbidden
        return redirect_to_login(request.get_full_path(), settings.LOGIN_URL)

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Return a page of the site whose forms send their origin to our own server."""
        return sends_forms(super().admin_view(view, cacheable))

    def password_change(  # type: ignore[override]
        self,
        request: HttpRequest,  # noqa: ARG002
        extra_context: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> HttpResponse:
        """Redirect to the account's own page, which also ends tokens and writes the audit log."""
        return redirect(settings.LOGIN_REDIRECT_URL)


operator_site = OperatorSite(name="admin")


class ReadOnly(_ModelAdmin):
    """A read-only table."""

    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        """Return `False`."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:  # noqa: ARG002
        """Return `False`."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:  # noqa: ARG002
        """Return `False`."""
        return False


@admin.register(Organisation, site=operator_site)
class OrganisationAdmin(ReadOnly):
    """Organisations."""

    list_display = ("public_id", "name", "kind", "created_at", "verified_at", "closed_at")
    list_filter = ("kind",)
    search_fields = ("public_id", "name")


@admin.register(Membership, site=operator_site)
class MembershipAdmin(ReadOnly):
    """Roles of members."""

    list_display = ("organisation", "user", "role")
    list_filter = ("role",)
    list_select_related = ("organisation", "user")


@admin.register(Venue, site=operator_site)
class VenueAdmin(ReadOnly):
    """Venues."""

    list_display = ("public_id", "name", "kind", "zip", "organisation", "listed", "created_at", "closed_at")
    list_filter = ("kind", "listed")
    list_select_related = ("organisation",)
    search_fields = ("public_id", "name", "zip")


@admin.register(Requirements, site=operator_site)
class RequirementsAdmin(ReadOnly):
    """Past and present requirements of venues."""

    list_display = ("venue", "version", "created_at", "capacity", "enforced_limit_percent", "rotating_code")
    list_select_related = ("venue",)


@admin.register(Door, site=operator_site)
class DoorAdmin(ReadOnly):
    """Doors."""

    list_display = ("public_id", "name", "venue", "access", "closed_at")
    list_select_related = ("venue",)


@admin.register(Device, site=operator_site)
class DeviceAdmin(ReadOnly):
    """Devices, without the hashes of their tokens, which are of no use."""

    list_display = ("public_id", "name", "kind", "door", "enrolled_at", "last_seen", "revoked_at")
    list_select_related = ("door__venue",)
    exclude = ("token_hash",)


@admin.register(Event, site=operator_site)
class EventAdmin(ReadOnly):
    """Events, without their invitations."""

    list_display = ("public_id", "name", "venue", "starts_at", "ends_at", "size", "cancelled_at")
    list_select_related = ("venue",)


@admin.register(AuditEntry, site=operator_site)
class AuditAdmin(ReadOnly):
    """Actions of the staff."""

    list_display = ("at", "actor", "verb", "subject", "organisation")
    search_fields = ("actor", "subject", "organisation")
    ordering = ("-at",)


@admin.register(User, site=operator_site)
class AccountAdmin(ReadOnly):
    """Accounts, which can be deactivated and activated."""

    list_display = ("username", "date_joined", "last_login", "is_active", "is_staff")
    search_fields = ("username",)
    fields = ("username", "date_joined", "last_login", "is_active", "is_staff")
    readonly_fields = ("username", "date_joined", "last_login", "is_staff")

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Return whether it is another account."""
        return obj is None or obj.pk != request.user.pk

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save the account with its audit entry; Django's admin has opened the transaction."""
        super().save_model(request, obj, form, change)
        verb = "account.switched_on" if obj.is_active else "account.switched_off"
        audit.record(actor=request.user.get_username(), verb=verb, subject=obj.username, now=utc_now())
