"""Addresses of the pages of visitors and doors."""

from django.urls import URLPattern, path

from passes import views_pages

urlpatterns: list[URLPattern] = [
    path("me", views_pages.me, name="page-me"),
    path("pass", views_pages.show_pass, name="page-pass"),
    path("events/<slug:event>", views_pages.event, name="page-event"),
    path("rate", views_pages.rate, name="page-rate"),
    path("test-result", views_pages.test, name="page-test"),
    path("kiosk", views_pages.kiosk, name="page-kiosk"),
    path("kiosk.webmanifest", views_pages.kiosk_manifest, name="page-kiosk-manifest"),
    path("check-in/<slug:venue>", views_pages.check_in, name="page-check-in"),
]
