"""URLs of the owners' pages; the ones that span apps (dashboard, status) are in `crowdtrace.site`."""

from collections.abc import Callable

from django.http.response import HttpResponseBase
from django.urls import URLPattern, re_path

from common.ids import ALPHABET
from venues.pages import account, alerts, doors, events, log_in, organisations, presence_counts, rules, venues, wall

PREFIXES = {
    "organisation": "o",
    "member": "m",
    "venue": "v",
    "door": "d",
    "device": "k",
    "event": "e",
    "invitation": "i",
    "count": "n",
    "token": "t",
}
View = Callable[..., HttpResponseBase]


def with_ids(address: str) -> str:
    """Return a pattern whose `<venue>` and the like accept only a public id of that kind."""
    for word, prefix in PREFIXES.items():
        address = address.replace(f"<{word}>", f"(?P<{word}>{prefix}_[{ALPHABET}]{{10}})")
    return address


def page(address: str, view: View, name: str) -> URLPattern:
    """Return a URL below `/owner`."""
    return re_path(rf"^owner{with_ids(address)}\Z", view, name=f"owner-page-{name}")


urlpatterns: list[URLPattern] = [
    page("/sign-up", log_in.sign_up, "sign-up"),
    page("/login", log_in.log_in, "log-in"),
    page("/login/code", log_in.log_in_code, "log-in-code"),
    page("/log-out", log_in.log_out, "log-out"),
    page("/forgot", log_in.forgot, "forgot"),
    page("/reset", log_in.reset, "reset"),
    page("/confirm", log_in.confirm, "confirm"),
    page("/join", log_in.join, "join"),
    page("/account", account.account, "account"),
    page("/account/email", account.email, "email"),
    page("/account/email/confirmation", account.send_confirmation, "confirmation"),
    page("/account/password", account.password, "password"),
    page("/account/second-factor/begin", account.second_factor_begin, "second-factor-begin"),
    page("/account/second-factor", account.second_factor_on, "second-factor"),
    page("/account/second-factor/off", account.second_factor_off, "second-factor-off"),
    page("/account/close", account.close_account, "close-account"),
    page("/tokens/new", account.new_token, "new-token"),
    page("/tokens/<token>/end", account.remove_token, "remove-token"),
    page("/start", events.start, "start"),
    page("/events", events.all_events, "all-events"),
    page("/events/new", events.quick_event, "quick-event"),
    page("/events/<event>", events.event, "event"),
    page("/events/<event>/change", events.change_event, "change-event"),
    page("/events/<event>/cancel", events.cancel_event, "cancel-event"),
    page("/events/<event>/repeat", events.repeat, "repeat-event"),
    page("/events/<event>/calendar.ics", events.event_calendar, "event-calendar"),
    page("/events/<event>/invitations", events.invitations, "invitations"),
    page("/events/<event>/invitations/new", events.new_invitation, "new-invitation"),
    page("/events/<event>/code", wall.event_code, "event-code"),
    page("/events/<event>/poster.pdf", wall.event_poster, "event-poster"),
    page("/poster", wall.poster, "poster"),
    page("/invitations/<invitation>", events.invitation, "invitation"),
    page("/invitations/<invitation>/calendar.ics", events.invitation_calendar, "invitation-calendar"),
    page("/invitations/<invitation>/end", events.revoke_invitation, "revoke-invitation"),
    page("/venues/new", venues.new_venue, "new-venue"),
    page("/venues/<venue>/settings", venues.settings_of_venue, "settings"),
    page("/venues/<venue>/alert", alerts.alert, "alert"),
    page("/venues/<venue>/facts", venues.facts, "facts"),
    page("/venues/<venue>/counts", presence_counts.counts, "counts"),
    page("/counts/<count>/remove", presence_counts.remove, "remove-count"),
    page("/venues/<venue>/rules", rules.rules, "rules"),
    page("/venues/<venue>/versions", rules.versions, "versions"),
    page("/venues/<venue>/hours", rules.hours, "hours"),
    page("/venues/<venue>/close", venues.close_venue, "close-venue"),
    page("/venues/<venue>/events", events.events, "events"),
    page("/venues/<venue>/events/new", events.new_event, "new-event"),
    page("/venues/<venue>/wall", wall.venue_wall, "wall"),
    page("/venues/<venue>/code", wall.venue_code, "venue-code"),
    page("/venues/<venue>/poster.pdf", wall.venue_poster, "venue-poster"),
    page("/venues/<venue>/sticker.ndef", wall.sticker, "sticker"),
    page("/venues/<venue>/doors", doors.doors, "doors"),
    page("/venues/<venue>/doors/new", doors.new_door, "new-door"),
    page("/doors/<door>", doors.change_door, "door"),
    page("/doors/<door>/close", doors.close_door, "close-door"),
    page("/doors/<door>/enrol", doors.enrol, "enrol"),
    page("/devices/<device>/revoke", doors.revoke, "revoke"),
    page("/organisations/<organisation>", organisations.organisation, "organisation"),
    page("/organisations/<organisation>/change", organisations.change_organisation, "change-organisation"),
    page("/organisations/<organisation>/invite", organisations.invite, "invite"),
    page("/organisations/<organisation>/export", organisations.export, "export"),
    page("/organisations/<organisation>/close", organisations.close_organisation, "close-organisation"),
    page("/members/<member>", organisations.member, "member"),
    page("/members/<member>/remove", organisations.remove_member, "remove-member"),
    page("/operator/organisations", organisations.operator_organisations, "operator-organisations"),
    page("/operator/organisations/<organisation>", organisations.verify, "verify"),
]
