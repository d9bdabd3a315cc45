"""Addresses of the front page and of what belongs to every page."""

from django.urls import URLPattern, path

from crowdtrace.site import (
    views_documents,
    views_operator,
    views_owner,
    views_pages,
    views_places,
    views_research,
    views_visitor,
)
from venues.urls_pages import page

urlpatterns: list[URLPattern] = [
    path("", views_pages.front, name="page-front"),
    path("venues", views_places.venues, name="page-venues"),
    path("venues/<slug:venue>", views_places.venue, name="page-venue"),
    path("shield", views_visitor.shield, name="page-shield"),
    path("my-data", views_visitor.my_data, name="page-my-data"),
    path("docs", views_documents.docs, name="page-docs"),
    path("docs/files/<path:name>", views_documents.doc_file, name="page-doc-file"),
    path("docs/<path:name>", views_documents.doc, name="page-doc"),
    path("privacy", views_documents.privacy, name="page-privacy"),
    path("data", views_research.data, name="page-data"),
    path("data/sql", views_research.sql, name="page-sql"),
    path("data/map", views_research.map_of_releases, name="page-map"),
    path("language", views_pages.language, name="page-language"),
    path("authority.crt", views_pages.authority, name="page-authority"),
    path("app.webmanifest", views_pages.manifest, name="page-manifest"),
    path("service-worker.js", views_pages.service_worker, name="page-service-worker"),
    page("", views_owner.home, "home"),
    page("/now", views_owner.home_now, "home-now"),
    page("/venues/<venue>", views_owner.venue, "venue"),
    page("/venues/<venue>/now", views_owner.venue_now, "venue-now"),
    page("/operator", views_operator.status, "operator"),
]
