"""URLs of the pages of visitors and doors."""

from django.urls import URLPattern, path

from passes.pages import views

urlpatterns: list[URLPattern] = [
    path("me", views.me, name="page-me"),
    path("pass", views.show_pass, name="page-pass"),
    path("visits", views.visits, name="page-visits"),
    path("events/<slug:event>", views.event, name="page-event"),
    path("events/<slug:event>/calendar.ics", views.event_calendar, name="page-event-calendar"),
    path("rate", views.rate, name="page-rate"),
    path("test-result", views.test, name="page-test"),
    path("kiosk", views.kiosk, name="page-kiosk"),
    path("kiosk.webmanifest", views.kiosk_manifest, name="page-kiosk-manifest"),
    path("check-in/<slug:venue>", views.check_in, name="page-check-in"),
    path("check-in/<slug:venue>/paper", views.paper, name="page-paper"),
]
