"""Parameters of the radar page, and how it writes numbers."""

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
    """The parameters of a request, each empty if it is missing."""

    series: str
    as_of: str
    region: str
    show: str
    sort: str

    @classmethod
    def of(cls, request: HttpRequest) -> "Asked":
        """Read the parameters of the URL; an unknown measure is replaced by the first one."""
        found = {name: request.GET.get(name, "") for name in ("series", "as_of", "region", "show", "sort")}
        return cls(**found | {"show": found["show"] if found["show"] in rows.SHOWN else rows.SHOWN[0]})

    def link(self, **changed: str) -> str:
        """Return the page's URL with some parameters changed."""
        values = {name: getattr(self, name) for name in ("series", "as_of", "region", "show", "sort")} | changed
        return "?" + urlencode({name: value for name, value in values.items() if value})


def series_name(series: Series) -> str:
    """Return the name of a series: what it counts, and its source."""
    return f"{NAMES.get(series.signal, series.signal)} · {series.source}"
