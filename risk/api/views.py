"""API views of this app: shield, test results, venues, air."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.time import utc_now
from common.web.etag import ETagMixin
from common.web.padding import UNCHANGED, padded
from common.web.problems import NotFound
from common.web.serializers import read_body, read_query
from common.web.throttles import AddressThrottle, DeviceThrottle
from passes.api.holders import check_test_day, owner_hashes
from passes.api.serializers import DiagnosisSerializer
from risk.api import paging, serializers
from risk.crowd.air import record_air
from risk.estimates.reports import take_report
from risk.model.shield import BUDGETS
from risk.scouting.cards import cards_of
from risk.scouting.search import MOST_WEIGHED, SORTS, search
from risk.shield.answer import shield_of
from venues.authentication import DeviceAuthentication, IsDevice, device_of
from venues.kinds import VenueKind
from venues.selectors import open_venue

_PROFILE = OpenApiParameter(
    "profile", OpenApiTypes.STR, enum=list(BUDGETS), description="profile whose budget costs are relative to"
)


class ShieldView(APIView):
    """Shields of holders."""

    @extend_schema(
        operation_id="shield",
        tags=["risk"],
        summary="Shield from visits",
        request=serializers.ShieldInput,
        responses=serializers.ShieldOutput,
    )
    def post(self, request: Request) -> Response:
        """Compute the shield of a holder. Skip unknown owners, and keep nothing of the request.

        Without owners the shield is 100, with no visits.
        """
        body = read_body(request, serializers.ShieldInput)
        budget = body.get("budget", BUDGETS[body.get("profile", serializers.STANDARD)])
        own = {name: body[name] for name in ("own_mask", "susceptibility") if name in body}
        answer = shield_of(owners=body["owners"], budget=budget, now=utc_now(), **own)
        body = padded(serializers.shield_data(answer), step=serializers.SHIELD_STEP_BYTES)
        return Response(body, headers=UNCHANGED)


class DiagnosesView(APIView):
    """Test results that visitors choose to report."""

    @extend_schema(
        operation_id="report_test",
        tags=["passes"],
        summary="Report a test result for visits",
        request=DiagnosisSerializer,
        responses={202: None},
    )
    def post(self, request: Request) -> Response:
        """Count a result for the hours of these owners' visits, once for each owner. Skip unknown owners.

        The result is added to sums that do not show who reported, and appears in shields after the next nightly run. It
        therefore cannot be withdrawn, not even by erasing the visits. Owners sent together count as one person in what
        the model learns. A client that wants to keep them apart sends them one by one, at random times.
        """
        body = read_body(request, DiagnosisSerializer)
        now = utc_now()
        check_test_day(body["tested_on"], now)
        take_report(
            owner_hashes=owner_hashes(body),
            tested_on=body["tested_on"],
            positive=body["result"] == "positive",
            prompted=body["prompted"],
            now=now,
        )
        return Response(status=202)


class VenuesView(ETagMixin, APIView):
    """Search of venues."""

    @extend_schema(
        operation_id="venues",
        tags=["risk"],
        summary="Find venues and scout them",
        parameters=[
            OpenApiParameter("q", OpenApiTypes.STR, description="words, or beginnings of words, of the name or kind"),
            OpenApiParameter("zip", OpenApiTypes.STR, description="three or five digits; sorts by distance"),
            OpenApiParameter(
                "near",
                OpenApiTypes.STR,
                description="degrees north and east like `37.8,-122.4`, rounded to one decimal on the device; sorts "
                "by distance to the centre of ZIP areas, which is accurate to tens of km",
            ),
            OpenApiParameter("kind", OpenApiTypes.STR, enum=VenueKind.values),
            OpenApiParameter("open", OpenApiTypes.BOOL, description="only venues open now, or closed now"),
            OpenApiParameter("fits", OpenApiTypes.BOOL, description="only venues that fit, or do not fit, the profile"),
            OpenApiParameter(
                "sort",
                OpenApiTypes.STR,
                enum=SORTS,
                description="default: distance near a place, otherwise name; with `cost`, `open` or `fits`, the first "
                f"{MOST_WEIGHED} venues by distance or name are compared",
            ),
            OpenApiParameter("limit", OpenApiTypes.INT, description="1 to 50; default 20"),
            OpenApiParameter("cursor", OpenApiTypes.STR, description="position, as in `next` and `previous`"),
            _PROFILE,
        ],
        responses=serializers.CardsOutput,
    )
    def get(self, request: Request) -> Response:
        """Return cards of listed venues, verified organisations first."""
        query, now = read_query(request, serializers.VenuesQuery), utc_now()
        offset = paging.offset_of(request)
        question = serializers.VenuesQuery.question(query)
        page = search(question, offset=offset, count=query["limit"], now=now)
        cards = cards_of(venues=[one.venue for one in page.found], profile=question.profile, now=now)
        placed = bool(question.wanted.around)
        results = [
            serializers.found_data(card, one.distance_km) if placed else serializers.card_data(card)
            for card, one in zip(cards, page.found, strict=True)
        ]
        return Response({"results": results, **paging.links(request, offset, query["limit"], more=page.more)})


class VenueView(ETagMixin, APIView):
    """One venue."""

    @extend_schema(
        operation_id="venue",
        tags=["risk"],
        summary="Scouting card of a venue",
        parameters=[
            _PROFILE,
            OpenApiParameter("costs", OpenApiTypes.STR, enum=["all"], description="costs of every stay by hour"),
        ],
        responses=serializers.CardOutput,
    )
    def get(self, request: Request, venue: str) -> Response:
        """Return the card of a venue. An unlisted venue has a card too, for clients that know its id."""
        query = read_query(request, serializers.CardQuery)
        row = open_venue(venue)
        if row is None:
            raise NotFound
        (card,) = cards_of(venues=[row], profile=query["profile"], now=utc_now(), all_costs="costs" in query)
        return Response(serializers.card_data(card))


class AirView(APIView):
    """Readings of CO2 sensors."""

    authentication_classes = (DeviceAuthentication,)
    permission_classes = (IsDevice,)
    throttle_classes = (AddressThrottle, DeviceThrottle)

    @extend_schema(
        operation_id="air",
        tags=["risk"],
        summary="Report CO2",
        request=serializers.AirInput,
        responses={204: None},
    )
    def post(self, request: Request) -> Response:
        """Store a reading. It narrows the estimate of the venue's air from the next refresh on."""
        body, device = read_body(request, serializers.AirInput), device_of(request)
        record_air(device_id=device.device_id, venue_id=device.venue_id, now=utc_now(), **body)
        return Response(status=204)
