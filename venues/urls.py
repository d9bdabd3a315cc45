"""URLs of this app."""

from collections.abc import Callable

from django.http.response import HttpResponseBase
from django.urls import URLPattern, URLResolver, include, path, re_path

from venues.admin import operator_site
from venues.api import account, events, organisations, presence_counts, schema, venues
from venues.urls_pages import with_ids

SCHEMA = schema  # imported so that the schema knows how owners log in
View = Callable[..., HttpResponseBase]


def owner(address: str, view: View, name: str) -> URLPattern:
    """Return a URL below `/api/v1/owner/`; `<venue>` and the like accept only a public id of that kind."""
    return re_path(rf"^api/v1/owner/{with_ids(address)}\Z", view, name=f"owner-{name}")


urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/", operator_site.urls),
    path("api/v1/devices", venues.EnrolView.as_view(), name="devices"),
    owner("sign-up", account.SignUpView.as_view(), "sign-up"),
    owner("log-in", account.LogInView.as_view(), "log-in"),
    owner("log-out", account.LogOutView.as_view(), "log-out"),
    owner("reset", account.ResetView.as_view(), "reset"),
    owner("reset/confirm", account.ResetConfirmView.as_view(), "reset-confirm"),
    owner("account", account.MeView.as_view(), "account"),
    owner("confirm", account.ConfirmView.as_view(), "confirm"),
    owner("account/email", account.EmailView.as_view(), "email"),
    owner("account/email/confirmation", account.ConfirmationView.as_view(), "confirmation"),
    owner("account/password", account.PasswordView.as_view(), "password"),
    owner("account/close", account.CloseAccountView.as_view(), "close-account"),
    owner("account/second-factor", account.SecondFactorView.as_view(), "second-factor"),
    owner("account/second-factor/confirm", account.SecondFactorConfirmView.as_view(), "second-factor-confirm"),
    owner("account/second-factor/off", account.SecondFactorOffView.as_view(), "second-factor-off"),
    owner("tokens", account.TokensView.as_view(), "tokens"),
    owner("tokens/<token>", account.TokenView.as_view(), "token"),
    owner("organisations", organisations.OrganisationsView.as_view(), "organisations"),
    owner("organisations/<organisation>", organisations.OrganisationView.as_view(), "organisation"),
    owner("organisations/<organisation>/export", organisations.ExportView.as_view(), "export"),
    owner("organisations/<organisation>/members", organisations.MembersView.as_view(), "members"),
    owner("organisations/<organisation>/member-codes", organisations.MemberCodesView.as_view(), "member-codes"),
    owner("organisations/<organisation>/venues", venues.VenuesView.as_view(), "organisation-venues"),
    owner("join", organisations.JoinView.as_view(), "join"),
    owner("members/<member>", organisations.MemberView.as_view(), "member"),
    owner("venues", venues.MyVenuesView.as_view(), "venues"),
    owner("venues/<venue>", venues.VenueView.as_view(), "venue"),
    owner("venues/<venue>/alert", venues.AlertView.as_view(), "alert"),
    owner("venues/<venue>/requirements", venues.RequirementsView.as_view(), "requirements"),
    owner("venues/<venue>/requirements/versions", venues.RequirementVersionsView.as_view(), "requirement-versions"),
    owner("venues/<venue>/doors", venues.DoorsView.as_view(), "doors"),
    owner("venues/<venue>/devices", venues.DevicesView.as_view(), "venue-devices"),
    owner("venues/<venue>/counts", presence_counts.PresenceCountsView.as_view(), "presence-counts"),
    owner("counts/<count>", presence_counts.PresenceCountView.as_view(), "presence-count"),
    owner("venues/<venue>/events", events.EventsView.as_view(), "venue-events"),
    owner("doors/<door>", venues.DoorView.as_view(), "door"),
    owner("doors/<door>/enrolment-codes", venues.EnrolmentCodesView.as_view(), "enrolment-codes"),
    owner("devices/<device>", venues.DeviceView.as_view(), "device"),
    owner("events/quick", events.QuickEventView.as_view(), "quick-event"),
    owner("events/<event>", events.EventView.as_view(), "event"),
    owner("events/<event>/invitations", events.InvitationsView.as_view(), "invitations"),
    owner("invitations/<invitation>", events.InvitationView.as_view(), "invitation"),
    owner("operator/organisations", organisations.OperatorOrganisationsView.as_view(), "operator-organisations"),
    owner(
        "operator/organisations/<organisation>/verification",
        organisations.VerificationView.as_view(),
        "verification",
    ),
    path("", include("venues.urls_pages")),
]
