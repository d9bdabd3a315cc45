"""The model's estimates, the reports behind them, and how they changed. Open to anyone; it works without JavaScript."""

from dataclasses import dataclass
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from crowdtrace.site.charts import factors
from exports.dataset import publication
from risk.estimates.beliefs import Believed, beliefs
from venues.kinds import VenueKind

WORDS: Final[dict[str, tuple[Promise, Promise]]] = {
    "scale": (_("What a visit costs"), _("against the model's constants; only its product with prevalence is known")),
    "background": (_("Infections outside visits"), _("against a third of those in visits")),
    "reporting": (_("Willingness to report"), _("odds of reporting a positive result against a negative one")),
    "rise": (_("Willingness after higher risk"), _("power of the risk that one's own shield showed; 0 is none")),
    "liars": (_("False reports, unprompted"), _("share of people who say positive whatever happened")),
    "prompted_liars": (_("False reports, asked at random"), _("share of people who say positive whatever happened")),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One displayed estimate; ``before`` and ``now`` are its positions in the chart, for factors."""

    title: str | Promise
    meaning: str | Promise
    believed: Believed
    before: factors.Span | None
    now: factors.Span | None

    @property
    def percents(self) -> tuple[float, ...]:
        """Return, for a share, the former and present estimate and the ends of its interval, in percent."""
        before, now = self.believed.before, self.believed.now
        return tuple(100.0 * value for value in (before.middle, now.middle, now.low, now.high))

    @property
    def narrower(self) -> int:
        """Return by how many percent the interval has become narrower."""
        return round(100.0 * self.believed.learned)


@require_safe
def what_the_model_believes(request: HttpRequest) -> HttpResponse:
    """Show each estimate with its interval, before and now."""
    found = beliefs()
    rows = [_row(one) for one in found.all]
    marks = factors.version_marks(found.versions)
    context = {
        "beliefs": found,
        "first": [row for row in rows if not row.believed.is_kind],
        "kinds": [row for row in rows if row.believed.is_kind],
        "ticks": factors.ticks(),
        "width": factors.WIDTH,
        "height": factors.HEIGHT,
        "upward": factors.upward_ticks(),
        "marks": marks,
        "line": factors.line(marks),
        "demonstration": publication.demonstration_sentence() if publication.is_demonstration() else "",
    }
    return render(request, "site/beliefs.html", context)


def _row(one: Believed) -> Row:
    words: tuple[str | Promise, str | Promise] = (VenueKind(one.name).label, "") if one.is_kind else WORDS[one.name]
    title, meaning = words
    drawn = not one.is_share and one.name not in {"rise", "reporting"}
    before, now = (factors.span(one.before), factors.span(one.now)) if drawn else (None, None)
    return Row(title, meaning, one, before, now)
