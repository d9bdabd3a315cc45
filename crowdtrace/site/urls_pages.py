"""Addresses of the front page and of what belongs to every page."""

from django.urls import URLPattern, path

from crowdtrace.site import views_pages

urlpatterns: list[URLPattern] = [
    path("", views_pages.front, name="page-front"),
    path("language", views_pages.language, name="page-language"),
    path("app.webmanifest", views_pages.manifest, name="page-manifest"),
    path("service-worker.js", views_pages.service_worker, name="page-service-worker"),
]
