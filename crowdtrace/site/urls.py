"""Addresses of this room."""

from django.urls import URLPattern, URLResolver, include, path

from crowdtrace.site import views_docs, views_statistics, views_status, views_vitals
from venues.urls import owner

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("crowdtrace.site.urls_pages")),
    path("healthz", views_status.healthz, name="healthz"),
    path("readyz", views_status.readyz, name="readyz"),
    path("api/schema/", views_docs.SchemaView.as_view(), name="schema"),
    path("api/docs/", views_docs.DocsView.as_view(), name="docs"),
    path("api/v1/vitals", views_vitals.VitalsView.as_view(), name="vitals"),
    owner("venues/<venue>/statistics", views_statistics.StatisticsView.as_view(), "statistics"),
    path("problems/<slug:slug>", views_docs.problem_kind, name="problem-kind"),
]
