"""Every URL of the deployment, app by app."""

from django.urls import include, path

urlpatterns = [
    path("", include("passes.urls_doors")),  # first, because URLs are tried in order and doors wait
    path("", include("crowdtrace.site.urls")),
    path("", include("exports.urls")),
    path("", include("risk.urls")),
    path("", include("passes.urls")),
    path("", include("venues.urls")),
    path("", include("common.web.urls")),
]

handler400 = "common.web.problems.bad_request"
handler403 = "common.web.problems.forbidden"
handler404 = "common.web.problems.not_found"
handler500 = "common.web.problems.server_error"
