"""URLs for doors and check-ins, also as a separate list (`DoorsFirstMiddleware`) that loads in half the time.

Names that devices may call are listed in `venues.authentication.ALLOWED`.
"""

from django.urls import URLPattern, path

from passes.api import checkins, devices, keys, visitors

urlpatterns: list[URLPattern] = [
    path("api/v1/scans", devices.ScansView.as_view(), name="scans"),
    path("api/v1/scans/batch", devices.BatchView.as_view(), name="scans-batch"),
    path("api/v1/device/bundle", devices.BundleView.as_view(), name="device-bundle"),
    path("api/v1/tickets", visitors.TicketsView.as_view(), name="tickets"),
    path("api/v1/passes", checkins.PassesView.as_view(), name="passes"),
    path(".well-known/ticket-keys.json", keys.TicketKeysView.as_view(), name="ticket-keys"),
]

handler500 = "common.web.problems.server_error"
