"""Addresses of the pages of visitors and doors."""

from django.urls import URLPattern, path

from passes import views_pages

urlpatterns: list[URLPattern] = [
    path("me", views_pages.me, name="page-me"),
    path("pass", views_pages.show_pass, name="page-pass"),
    path("kiosk", views_pages.kiosk, name="page-kiosk"),
    path("kiosk.webmanifest", views_pages.kiosk_manifest, name="page-kiosk-manifest"),
    path("venues", views_pages.venues, name="page-venues"),
    path("venues/<slug:venue>", views_pages.venue, name="page-venue"),
    path("check-in/<slug:venue>", views_pages.check_in, name="page-check-in"),
]
