"""The operator's status page."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from common.time import utc_now
from crowdtrace.site.operator.status import status as state_of_deployment
from venues.pages.base import operator_page


@operator_page
def status(request: HttpRequest) -> HttpResponse:
    """Show queue, tasks, release, keys, storage, unusual devices and page speed."""
    return render(request, "site/owner/status.html", {"status": state_of_deployment(utc_now())})
