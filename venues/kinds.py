"""The closed vocabularies of the app."""

from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _


class VenueKind(models.TextChoices):
    """What kind of place it is; the risk engine has a prior for each."""

    SCHOOL = "school", _("School")
    MEDICAL = "medical", _("Medical practice")
    OFFICE = "office", _("Office")
    MANUFACTURING = "manufacturing", _("Manufacturing")
    RESTAURANT = "restaurant", _("Restaurant")
    BAR = "bar", _("Bar")
    RETAIL = "retail", _("Shop")
    SUPERMARKET = "supermarket", _("Supermarket")
    GYM = "gym", _("Gym")
    WORSHIP = "worship", _("Place of worship")
    THEATRE = "theatre", _("Theatre, cinema or hall")
    TRANSPORT = "transport", _("Public transport")
    HOTEL = "hotel", _("Hotel")
    HOME = "home", _("Home")
    OUTDOORS = "outdoors", _("Outdoors")
    SPORT = "sport", _("Indoor sport")
    OTHER = "other", _("Other")


class OrganisationKind(models.TextChoices):
    """The five free classes, and commercial."""

    PERSONAL = "personal", _("Personal")
    NON_PROFIT = "non-profit", _("Non-profit")
    FAITH = "faith", _("Faith-based")
    EDUCATIONAL = "educational", _("Educational")
    AMATEUR_SPORT = "amateur-sport", _("Amateur sport")
    COMMERCIAL = "commercial", _("Commercial")


class Role(models.TextChoices):
    """What a member may do: owners everything, managers all but members and closing, viewers read."""

    OWNER = "owner", _("Owner")
    MANAGER = "manager", _("Manager")
    VIEWER = "viewer", _("Viewer")


class Access(models.TextChoices):
    """Kind of door."""

    PUBLIC = "Public", _("Public")
    PRIVATE = "Private", _("Private")


class DeviceKind(models.TextChoices):
    """Kind of scanner: a kiosk, or somebody's phone."""

    GATE = "Gate", _("Kiosk")
    PERSONAL = "Personal", _("Phone")


# Minutes people usually stay, where a venue does not say: our assumption, for the time-out of a visit.
USUAL_DWELL_MIN: Final[dict[str, int]] = {
    VenueKind.SCHOOL: 360,
    VenueKind.MEDICAL: 45,
    VenueKind.OFFICE: 480,
    VenueKind.MANUFACTURING: 480,
    VenueKind.RESTAURANT: 75,
    VenueKind.BAR: 120,
    VenueKind.RETAIL: 30,
    VenueKind.SUPERMARKET: 35,
    VenueKind.GYM: 75,
    VenueKind.WORSHIP: 75,
    VenueKind.THEATRE: 150,
    VenueKind.TRANSPORT: 35,
    VenueKind.HOTEL: 600,
    VenueKind.HOME: 180,
    VenueKind.OUTDOORS: 90,
    VenueKind.SPORT: 90,
    VenueKind.OTHER: 60,
}
