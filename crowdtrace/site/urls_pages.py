"""URLs of the front page, and of what every page shares."""

from django.urls import URLPattern, path

from crowdtrace.site import front, visitor
from crowdtrace.site.beliefs import views as beliefs_views
from crowdtrace.site.documents import views as document_views
from crowdtrace.site.operator import abuse
from crowdtrace.site.operator import views as operator_views
from crowdtrace.site.owner import views as owner_views
from crowdtrace.site.places import views as places_views
from crowdtrace.site.radar import views as radar_views
from crowdtrace.site.research import tables as research_tables
from crowdtrace.site.research import views as research_views
from venues.urls_pages import page

urlpatterns: list[URLPattern] = [
    path("", front.front, name="page-front"),
    path("venues", places_views.venues, name="page-venues"),
    path("venues/<slug:venue>", places_views.venue, name="page-venue"),
    path("shield", visitor.shield, name="page-shield"),
    path("shield/example", visitor.example, name="page-example"),
    path("my-data", visitor.my_data, name="page-my-data"),
    path("docs", document_views.docs, name="page-docs"),
    path("docs/files/<path:name>", document_views.doc_file, name="page-doc-file"),
    path("docs/<path:name>", document_views.doc, name="page-doc"),
    path("privacy", document_views.privacy, name="page-privacy"),
    path("privacy/plain", document_views.privacy_questions, name="page-plain"),
    path("data", research_views.data, name="page-data"),
    path("data/sql", research_views.sql, name="page-sql"),
    path("data/benchmark", research_views.benchmark, name="page-benchmark"),
    path("data/map", research_views.map_of_releases, name="page-map"),
    path("data/tables/<slug:name>.csv", research_tables.table_csv, name="research-table"),
    path("beliefs", beliefs_views.what_the_model_believes, name="page-beliefs"),
    path("radar", radar_views.radar, name="page-radar"),
    path("radar.csv", radar_views.radar_csv, name="page-radar-csv"),
    path("offline", front.offline, name="page-offline"),
    path("language", front.language, name="page-language"),
    path("authority.crt", front.authority, name="page-authority"),
    path("app.webmanifest", front.manifest, name="page-manifest"),
    path("service-worker.js", front.service_worker, name="page-service-worker"),
    page("", owner_views.home, "home"),
    page("/now", owner_views.home_now, "home-now"),
    page("/venues/<venue>", owner_views.venue, "venue"),
    page("/venues/<venue>/now", owner_views.venue_now, "venue-now"),
    page("/venues/<venue>/statistics", owner_views.statistics, "statistics"),
    page("/venues/<venue>/statistics.csv", owner_views.statistics_file, "statistics-file"),
    page("/operator", operator_views.status, "operator"),
    page("/operator/abuse", abuse.abuse, "abuse"),
    page("/operator/abuse/<device>/days", abuse.leave_out, "abuse-days"),
    page("/operator/abuse/<device>/exemption", abuse.exempt, "abuse-exemption"),
]
