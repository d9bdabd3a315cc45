"""URLs on the door's hot path, also as a separate list (`DoorsFirstMiddleware`) that loads in half the time.

Names that devices may call are listed in `venues.authentication.ALLOWED`.
"""

from django.urls import URLPattern, path

from passes.api import devices

urlpatterns: list[URLPattern] = [
    path("api/v1/scans", devices.ScansView.as_view(), name="scans"),
    path("api/v1/scans/batch", devices.BatchView.as_view(), name="scans-batch"),
    path("api/v1/device/bundle", devices.BundleView.as_view(), name="device-bundle"),
]

handler500 = "common.web.problems.server_error"
