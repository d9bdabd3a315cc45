"""The dataset described in words: name, licence, citation, coverage, known problems."""

import datetime as dt
import math
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final, TypedDict

from django.conf import settings
from django.utils.translation import gettext as _

from exports import conf
from exports.dataset.descriptors import Publication
from exports.models import ServedDay

LICENCE_FILE: Final = "open-data-and-algorithms-1.0.md"
LICENCE_NAME: Final = "crowdtrace-open-data-and-algorithms-1.0"
LICENCE_TITLE: Final = "CrowdTrace Open Data and Open Algorithms Terms 1.0"
TAKEN_IN: Final = {"name": "CC-BY-4.0", "url": "https://creativecommons.org/licenses/by/4.0/legalcode"}
TITLE: Final = "CrowdTrace open dataset of venue check-ins"


_DEMONSTRATION: Final = "demonstration"
"""Code of the known problem of a local copy, which is also in its titles."""
_SIMULATED: Final = "simulated"
"""The same for a deployed server on which a town was simulated."""


class Problem(TypedDict):
    """A known error of the data, or something easily misread."""

    code: str
    text: str


def is_demonstration() -> bool:
    """Return whether people of a simulated town are in the data, as in a demonstration."""
    return bool(settings.EMBEDDED) or ServedDay.objects.filter(simulated=True).exists()


def title() -> str:
    """Return the dataset's name. It says if people are simulated, because citations and catalogues repeat it."""
    return f"{TITLE} ({_kind()})" if is_demonstration() else TITLE


def _kind() -> str:
    return _DEMONSTRATION if settings.EMBEDDED else _SIMULATED


def demonstration_sentence() -> str:
    """Return the notice for readers of data with simulated people."""
    if not settings.EMBEDDED:
        return _(
            "Days of a simulated town are in this data, released by the same rules as real ones. Nobody in them is "
            "real, and nothing follows from them about anywhere; the manifest of each release says whether it is one."
        )
    return _(
        "This site is a demonstration. Its data comes from a simulated town and is released by the "
        "same rules as real data. Nobody in it is real, and it says nothing about any real place."
    )


def description() -> str:
    """Describe the dataset."""
    return _(
        "Check-ins at venues and the answers given there, as synthetic rows drawn from counts that are released once a "
        "closed day under differential privacy. No row belongs to a person."
    )


def guarantee_sentence(epsilon: float) -> str:
    """Return the guarantee of a day in words."""
    return _(
        "Whatever anyone computes from a day's rows, its chance with you in the data is at most "
        "%(times)s times the chance without you. Somebody who thought it equally likely that you were "
        "there or not can become at most %(odds)d %% sure."
    ) % {"times": f"{math.exp(epsilon):.3g}", "odds": round(100 * highest_certainty(epsilon))}


def highest_certainty(epsilon: float) -> float:
    """Return the highest probability that even odds can rise to (Bayes' rule with likelihood ratio e^epsilon)."""
    return 1 / (1 + math.exp(-epsilon))


def coverage() -> str:
    """Return a description of who is covered by the dataset, and who is not."""
    return _(
        "Check-ins at verified venues that use CrowdTrace, not a sample of the population: who goes out more counts "
        "more often, who stays at home is not in it, and areas differ in how many venues take part. A day counts "
        "passes that were scanned, and refusals; scans that came more than three days late are left out."
    )


def known_problems(manifest: Mapping[str, Any]) -> list[Problem]:
    """Return known errors and pitfalls of the rows; `manifest` is that of the newest release, or empty."""
    first: tuple[tuple[str, str], ...] = ((_kind(), demonstration_sentence()),) if is_demonstration() else ()
    if nulls := manifest.get("null_columns"):
        text = _("Noise exceeds what these columns would show on the newest day, so they are null there: %(columns)s.")
        first = (*first, ("null-columns", text % {"columns": ", ".join(nulls)}))
    if cut := manifest.get("refusals_cut"):
        text = _("Refusals are cut on the newest day, as far more were made than usual, in areas: %(areas)s.")
        first = (*first, ("refusals-cut", text % {"areas": ", ".join(area or "-" for area in cut)}))
    return [
        Problem(code=code, text=text)
        for code, text in (
            *first,
            (
                "suppressed-zips",
                _(
                    "Rows of areas too small to publish are under the empty ZIP: daily totals are whole, but a query "
                    "that joins states omits them."
                ),
            ),
            (
                "rows-are-biased",
                _(
                    "No row is negative, so rows cannot be unbiased: an answer that is rarer than its noise comes out "
                    "too large, by half a standard error at most from 5,000 check-ins a day on. The table of signals "
                    "is unbiased, keeps negative values and states every error: use it for estimates."
                ),
            ),
            (
                "noise-as-null",
                _(
                    "A value whose count does not exceed its noise is null in the rows, and a column of such values is "
                    "null for the day; a day whose hours are hidden has all rows at noon sharp. The manifest of each "
                    "release lists the columns."
                ),
            ),
            (
                "one-venue-areas",
                _(
                    "An area with one venue publishes the size of that venue: the guarantee is for persons, not for "
                    "businesses. Areas are those with a verified venue, listed a day ahead."
                ),
            ),
            (
                "cut-refusals",
                _(
                    "Anyone can make refusals at check-in, so an area's refusals are cut, after the noise, to three "
                    "times those of earlier releases and half of its scanned passes, plus noise. A real wave of "
                    "refusals beyond that is cut too; the manifest says where."
                ),
            ),
            (
                "weekly-draws",
                _(
                    "A small deployment may draw whole weeks: then all rows of a week are dated on its Sunday, and "
                    "signals have weeks only. The manifest names the first day."
                ),
            ),
            (
                "independent-columns",
                _(
                    "Only columns that are counted together are related in the rows. Hour, readings, scores and kind "
                    "of door are dealt independently of ZIP and answers; the table of noisy counts says what was "
                    "counted together."
                ),
            ),
            (
                "rounded-times",
                _(
                    "scandate holds the hour only, at half past; it is the deployment's local hour, written "
                    "with Z, and hours after midnight count as 23."
                ),
            ),
            (
                "scaled-counts",
                _(
                    "At most three passes of a person and day count, and one in ten of those is left out by chance. "
                    "Counts are divided by 0.9 for the chance and not scaled for the passes beyond the third: they are "
                    "counted check-ins, not all passes and not persons."
                ),
            ),
            (
                "survey-duration",
                _("duration is the time taken to answer the questions, not the time spent at the venue."),
            ),
            (
                "small-days",
                _(
                    "On days with a few hundred check-ins the noise may be larger than the counts; look at the "
                    "standard errors of the signals before reading anything into a difference, or use weeks."
                ),
            ),
        )
    ]


@lru_cache(maxsize=1)
def licence_text() -> str:
    """Return the terms, in Markdown."""
    return (files("exports") / "licence" / LICENCE_FILE).read_text(encoding="utf-8")


def publication(*, base: str, as_of: dt.date | None, announced: dt.datetime | None) -> Publication:
    """Return the metadata for descriptors of the release of `as_of`; `base` is the dataset's URL."""
    version = as_of.isoformat() if as_of else "none"
    published = announced.date() if announced else dt.date(1970, 1, 1)
    return Publication(
        name=conf.database(),
        title=title(),
        description=" ".join([*([demonstration_sentence()] if is_demonstration() else ()), description(), coverage()]),
        licence_name=LICENCE_NAME,
        licence_title=LICENCE_TITLE,
        licence_url=f"{base}/licence",
        url=base,
        citation=bibtex(base=base, version=version, year=published.year),
        version=version,
        published=published,
    )


def citation(*, base: str, version: str, year: int) -> str:
    """Return the citation, in one line."""
    return f"{conf.publisher()} ({year}). {title()}, release of {version} [data set]. {base}/releases/{version}"


def bibtex(*, base: str, version: str, year: int) -> str:
    """Return the citation as BibTeX."""
    return (
        f"@misc{{crowdtrace-{version},\n  author = {{{{{conf.publisher()}}}}},\n  title = {{{{{title()}}}}},\n"
        f"  year = {{{year}}},\n  note = {{release of {version}}},\n  url = {{{base}/releases/{version}}}\n}}"
    )
