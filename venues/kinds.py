"""The closed vocabularies of the app."""

from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _


class VenueKind(models.TextChoices):
    """The kind of a place; the risk engine has a prior for each."""

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
    """The rights of a member: owners do everything, managers all but members and closing, viewers read."""

    OWNER = "owner", _("Owner")
    MANAGER = "manager", _("Manager")
    VIEWER = "viewer", _("Viewer")


class Access(models.TextChoices):
    """The kind of a door."""

    PUBLIC = "Public", _("Public")
    PRIVATE = "Private", _("Private")


class DeviceKind(models.TextChoices):
    """The kind of a scanner: a kiosk, or somebody's phone."""

    GATE = "Gate", _("Kiosk")
    PERSONAL = "Personal", _("Phone")


# Usual minutes of a stay, if a venue does not state them: our assumption, for the time-out of a visit.
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

# Words by which people search for a kind, in the languages of the pages and in one spelling: they are compared with
# `common.text.words_of` of the query. No word here is frequent in names of places of other kinds.
WORDS_OF_KIND: Final[dict[str, str]] = {
    VenueKind.SCHOOL: (
        "school university college kindergarten library escuela colegio universidad instituto guarderia biblioteca"
    ),
    VenueKind.MEDICAL: "medical practice doctor clinic hospital dentist medico medica consulta consultorio clinica",
    VenueKind.OFFICE: "office offices coworking oficina oficinas",
    VenueKind.MANUFACTURING: "manufacturing factory plant fabrica fabricacion taller industria",
    VenueKind.RESTAURANT: "restaurant diner canteen bistro pizzeria restaurante comedor",
    VenueKind.BAR: "bar pub nightclub taberna cantina discoteca",
    VenueKind.RETAIL: "shop store retail pharmacy mall tienda comercio farmacia",
    VenueKind.SUPERMARKET: "supermarket grocery groceries supermercado",
    VenueKind.GYM: "gym gymnasium fitness gimnasio",
    VenueKind.WORSHIP: "worship church chapel mosque synagogue temple culto iglesia capilla mezquita sinagoga templo",
    VenueKind.THEATRE: "theatre theater cinema movie hall concert museum teatro cine sala auditorio museo",
    VenueKind.TRANSPORT: "transport public bus train metro subway transporte publico autobus tren",
    VenueKind.HOTEL: "hotel hostel hostal",
    VenueKind.HOME: "home house casa hogar domicilio",
    VenueKind.OUTDOORS: "outdoors outdoor park garden aire libre exterior parque jardin",
    VenueKind.SPORT: "sport sports indoor arena stadium deporte deportes polideportivo estadio",
    VenueKind.OTHER: "other otro otra",
}
PHRASES_OF_KIND: Final[dict[str, str]] = {
    "place of worship": VenueKind.WORSHIP,
    "lugar de culto": VenueKind.WORSHIP,
    "theatre cinema or hall": VenueKind.THEATRE,
    "teatro cine o sala": VenueKind.THEATRE,
    "al aire libre": VenueKind.OUTDOORS,
    "indoor sport": VenueKind.SPORT,
    "deporte bajo techo": VenueKind.SPORT,
}
"""Kinds by the words of a whole search."""
LEAST_LETTERS: Final = 3
"""Number of letters of a kind's word that suffice to mean it."""
_PLURALS: Final = ("s", "es")


def kinds_meant(word: str) -> frozenset[str]:
    """Return the kinds that a folded word names; if there are none, those whose name begins with it."""
    named: set[str] = set()
    begun: set[str] = set()
    forms = {word, *(word.removesuffix(plural) for plural in _PLURALS)}
    for kind, words in WORDS_OF_KIND.items():
        for one in words.split():
            if one in forms:
                named.add(kind)
            elif len(word) >= LEAST_LETTERS and one.startswith(word):
                begun.add(kind)
    return frozenset(named or begun)
