"""Addresses of the front page and of what belongs to every page."""

from django.urls import URLPattern, path

from crowdtrace.site import views_operator, views_owner, views_pages
from venues.urls_pages import page

urlpatterns: list[URLPattern] = [
    path("", views_pages.front, name="page-front"),
    path("language", views_pages.language, name="page-language"),
    path("app.webmanifest", views_pages.manifest, name="page-manifest"),
    path("service-worker.js", views_pages.service_worker, name="page-service-worker"),
    page("", views_owner.home, "home"),
    page("/venues/<venue>", views_owner.venue, "venue"),
    page("/venues/<venue>/now", views_owner.venue_now, "venue-now"),
    page("/operator", views_operator.status, "operator"),
]
