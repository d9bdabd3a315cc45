"""Addresses that doors wait for, also as a list of their own (`DoorsFirstMiddleware`), which loads in half the time.

Names that devices may call stand in `venues.authentication.ALLOWED`.
"""

from django.urls import URLPattern, path

from passes.api import devices

urlpatterns: list[URLPattern] = [
    path("api/v1/scans", devices.ScansView.as_view(), name="scans"),
    path("api/v1/scans/batch", devices.BatchView.as_view(), name="scans-batch"),
    path("api/v1/device/bundle", devices.BundleView.as_view(), name="device-bundle"),
]

handler500 = "common.web.problems.server_error"
