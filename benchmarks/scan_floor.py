"""The floor of the scan benchmark: the cost of a DRF view with one SELECT and one INSERT."""

from django.db import connection
from django.urls import include, path
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.models import AuditEntry
from common.time import utc_now


class FloorSerializer(serializers.Serializer[dict[str, object]]):
    """Two fields, validated like any body."""

    venue = serializers.IntegerField()
    text = serializers.CharField(max_length=64)


class FloorView(APIView):
    """Parse, look up, record, respond, without authentication and without limits."""

    throttle_classes = []

    def post(self, request: Request) -> Response:
        """Run one SELECT and one INSERT."""
        body = FloorSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        with connection.cursor() as cursor:
            cursor.execute("SELECT public_id FROM venues_venue WHERE id = %s", [body.validated_data["venue"]])
            subject = cursor.fetchone()[0]
        AuditEntry.objects.create(at=utc_now(), actor="floor", verb=body.validated_data["text"], subject=subject)
        return Response({"result": "Approved"})


urlpatterns = [path("floor", FloorView.as_view()), path("", include("crowdtrace.urls"))]
