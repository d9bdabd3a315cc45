"""API views for people who run venues: names that visitors show them."""

from dataclasses import asdict

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from common.time import utc_now
from passes import selectors
from passes.api import serializers
from venues import selectors as places
from venues.api.base import OwnerView


class PresentNamesView(OwnerView):
    """Names of visitors who are inside, for display only: they are stored nowhere on the way."""

    cache_control = "no-store"

    @extend_schema(
        operation_id="names_present",
        tags=["owner"],
        summary="Names that visitors inside chose to show",
        responses={200: serializers.NamesSerializer},
    )
    def get(self, request: Request, venue: str) -> Response:  # noqa: ARG002
        """Return the names of visitors who are inside now, without those of an ended day."""
        found = selectors.names_present(places.venue(self.user, venue), utc_now())
        return Response({"results": [asdict(name) for name in found]})
