"""Every address of the deployment, room by room."""

from django.urls import include, path

urlpatterns = [
    path("", include("passes.urls_doors")),  # first, for addresses are tried in order and doors wait
    path("", include("crowdtrace.site.urls")),
    path("", include("exports.urls")),
    path("", include("risk.urls")),
    path("", include("passes.urls")),
    path("", include("venues.urls")),
    path("", include("crowdtrace.common.urls")),
]

handler400 = "crowdtrace.common.problems.bad_request"
handler403 = "crowdtrace.common.problems.forbidden"
handler404 = "crowdtrace.common.problems.not_found"
handler500 = "crowdtrace.common.problems.server_error"
