"""Addresses of this room."""

from django.urls import URLPattern, URLResolver, include, path

from crowdtrace.site import views_docs, views_status

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("crowdtrace.site.urls_pages")),
    path("healthz", views_status.healthz, name="healthz"),
    path("readyz", views_status.readyz, name="readyz"),
    path("api/schema/", views_docs.SchemaView.as_view(), name="schema"),
    path("api/docs/", views_docs.DocsView.as_view(), name="docs"),
    path("problems/<slug:slug>", views_docs.problem_kind, name="problem-kind"),
]
