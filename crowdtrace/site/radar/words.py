"""What the radar page asks for and how it words its numbers."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from crowdtrace.site.radar import rows
from risk.models import Series

NAMES: Final[dict[str, Promise]] = {
    "check-ins": gettext_lazy("Check-ins"),
    "symptoms": gettext_lazy("Check-ins with symptoms"),
    "diagnosed": gettext_lazy("Check-ins with a diagnosis"),
    "contact": gettext_lazy("Check-ins after a contact"),
    "near": gettext_lazy("Check-ins near a case"),
    "hospital admissions": gettext_lazy("Hospital admissions"),
}
UNITS: Final[dict[str, Promise]] = {
    Series.Unit.COUNT: gettext_lazy("per week"),
    Series.Unit.PERCENT: gettext_lazy("percent"),
}


@dataclass(frozen=True)
class Asked:
    """What a request asks for, each part empty where it does not say."""

    series: str
    as_of: str
    region: str
    show: str
    sort: str

    @classmethod
    def of(cls, request: HttpRequest) -> "Asked":
        """The parameters of the address; a measure that is unknown is the first."""
        found = {name: request.GET.get(name, "") for name in ("series", "as_of", "region", "show", "sort")}
        return cls(**found | {"show": found["show"] if found["show"] in rows.SHOWN else rows.SHOWN[0]})

    def link(self, **changed: str) -> str:
        """The page's address with some of it changed."""
        values = {name: getattr(self, name) for name in ("series", "as_of", "region", "show", "sort")} | changed
        return "?" + urlencode({name: value for name, value in values.items() if value})


def series_name(series: Series) -> str:
    """A series in words: what it counts, and who says so."""
    return f"{NAMES.get(series.signal, series.signal)} · {series.source}"
