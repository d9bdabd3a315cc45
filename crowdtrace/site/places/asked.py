"""Parameters of the search page's URL. Meaningless values are ignored, and the page says so."""

from dataclasses import dataclass
from typing import Final, Self

from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode

from risk.api.serializers import STANDARD, read_position
from risk.model.shield import BUDGETS
from risk.scouting.search import SORTS, Question
from venues import places
from venues.finding import Wanted
from venues.kinds import VenueKind
from venues.places import Point

LONGEST_SEARCH: Final = 80
NEAR_KM: Final = 100
"""Largest distance in a search near a place; ZIP areas are themselves tens of kilometres wide."""
LAST_PAGE: Final = 1000


@dataclass(frozen=True, slots=True)
class Asked:
    """One search, as its form and its links express it."""

    q: str
    zip: str
    near: Point | None
    kind: str
    open: bool
    fits: bool
    sort: str
    far: bool
    page: int
    profile: str

    @classmethod
    def of(cls, request: HttpRequest) -> Self:
        """Read the search from the query parameters."""
        given = {name: request.GET.get(name, "").strip()[:LONGEST_SEARCH] for name in request.GET}
        page = given.get("page", "")
        return cls(
            q=given.get("q", "").replace("\0", ""),
            zip=given.get("zip", ""),
            near=None if given.get("zip") else read_position(given.get("near", "")),
            kind=given["kind"] if given.get("kind") in VenueKind.values else "",
            open=given.get("open") == "true",
            fits=given.get("fits") == "true",
            sort=given["sort"] if given.get("sort") in SORTS else "",
            far=given.get("far") == "true",
            page=min(int(page), LAST_PAGE) if page.isascii() and page.isdigit() and page.strip("0") else 1,
            profile=given["profile"] if given.get("profile") in BUDGETS else STANDARD,
        )

    @property
    def zip_wrong(self) -> bool:
        """Return whether the text is not a ZIP code at all."""
        return bool(self.zip) and not (self.zip.isascii() and self.zip.isdigit() and len(self.zip) in {3, 5})

    @property
    def zip_unknown(self) -> bool:
        """Return whether the text looks like a ZIP code but is not assigned."""
        return bool(self.zip) and not self.zip_wrong and places.place(self.zip) is None

    @property
    def placed(self) -> bool:
        """Return whether places have a distance from the searched position."""
        return self.near is not None or (bool(self.zip) and not (self.zip_wrong or self.zip_unknown))

    @property
    def bounded(self) -> bool:
        """Return whether only places nearby are listed: a name is searched everywhere."""
        return self.placed and not self.q and not self.far

    @property
    def filtered(self) -> bool:
        """Return whether anything but words and a place was searched."""
        return bool(self.kind or self.open or self.fits or self.sort)

    @property
    def near_text(self) -> str:
        """Return the position as the URL has it."""
        return f"{self.near.latitude},{self.near.longitude}" if self.near else ""

    @property
    def question(self) -> Question:
        """Return the arguments of the search."""
        return Question(
            wanted=Wanted(
                q=self.q,
                zip_code=self.zip if self.placed and not self.near else "",
                near=self.near,
                kind=self.kind,
                within_km=NEAR_KM if self.bounded else None,
                by_name=self.sort == "name",
            ),
            profile=self.profile,
            open=True if self.open else None,
            fits=True if self.fits else None,
            by_cost=self.sort == "cost",
        )

    @property
    def near_km(self) -> int:
        """Return the largest distance in kilometres that is near."""
        return NEAR_KM

    @property
    def further(self) -> str:
        """Return the URL of the same search everywhere."""
        return self.address(page=1, far=True)

    def address(self, *, page: int, far: bool = False) -> str:
        """Return the URL of a page of this search."""
        given = {
            "q": self.q,
            "zip": self.zip,
            "near": self.near_text,
            "kind": self.kind,
            "open": "true" if self.open else "",
            "fits": "true" if self.fits else "",
            "sort": self.sort,
            "far": "true" if self.far or far else "",
            "profile": "" if self.profile == STANDARD else self.profile,
            "page": str(page) if page > 1 else "",
        }
        return f"{reverse('page-venues')}?{urlencode({name: value for name, value in given.items() if value})}"
