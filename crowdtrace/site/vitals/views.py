"""The endpoint for reports of page speed."""

from typing import Any, Final

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.time import utc_now
from common.web.serializers import Number, StrictSerializer, Text, read_body
from crowdtrace.site.models import Metric
from crowdtrace.site.vitals import counts

LONGEST_MS: Final = 600_000
FIELDS: Final[dict[str, str]] = {"lcp_ms": Metric.LCP, "inp_ms": Metric.INP, "cls": Metric.CLS}


class VitalsInput(StrictSerializer):
    """One load of one page. Values that were not measured are omitted."""

    page = Text(max_length=64, help_text="name of the page, as its body element tells it")
    lcp_ms = Number(required=False, min_value=0, max_value=LONGEST_MS, help_text="largest contentful paint")
    inp_ms = Number(required=False, min_value=0, max_value=LONGEST_MS, help_text="interaction to next paint")
    cls = Number(required=False, min_value=0, max_value=1000, help_text="cumulative layout shift")


class VitalsView(APIView):
    """Page speed as visitors experience it."""

    @extend_schema(
        operation_id="report_vitals",
        tags=["pages"],
        request=VitalsInput,
        responses={204: None},
        examples=[OpenApiExample("a pass page", {"page": "page-pass", "lcp_ms": 812.4, "cls": 0}, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        """Count one load. Reports have no cookies; only daily counts are kept."""
        data: dict[str, Any] = read_body(request, VitalsInput)
        values = {metric: data[name] for name, metric in FIELDS.items() if name in data}
        counts.count_vitals(page=data["page"], values=values, now=utc_now())
        return Response(status=204)
