"""URLs of this app."""

from django.urls import URLPattern, URLResolver, include, path

from crowdtrace.site.documents import api_reference
from crowdtrace.site.operator import health, metrics
from crowdtrace.site.owner import statistics_api
from crowdtrace.site.vitals import views as vitals_views
from venues.urls import owner

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("crowdtrace.site.urls_pages")),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", metrics.metrics, name="metrics"),
    path("api/schema/", api_reference.SchemaView.as_view(), name="schema"),
    path("api/docs/", api_reference.DocsView.as_view(), name="docs"),
    path("api/v1/vitals", vitals_views.VitalsView.as_view(), name="vitals"),
    owner("venues/<venue>/statistics", statistics_api.StatisticsView.as_view(), "statistics"),
    path("problems/<slug:slug>", api_reference.problem_kind, name="problem-kind"),
]
