"""Explain in plain words why a visit cost what it did, without saying more about others than the venue's card."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_noop as _

from common.privacy import FEWEST_SHOWN
from risk.model.air import RoomAir
from risk.model.kinds import KindPrior

_CROWDS: Final = (FEWEST_SHOWN, 10, 20, 50, 100, 200, 500, 1000)


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason: a code for programs, a sentence for people."""

    code: str
    text: str


def reasons_of(
    *,
    counted: bool,
    others: int,
    minutes: int,
    votes: tuple[int, int, int],
    prior: KindPrior,
    air: RoomAir,
    volume_known: bool,
    adoption: float | None,
    language: str,
) -> list[Reason]:
    """Return what determined a visit's cost: crowd, duration, masks, distancing, air.

    ``votes``: count, masks, distancing. ``adoption``: share of people who check in, if the venue has its own estimate.
    ``language``: the active one, looked up once for each shield.
    """
    if not counted:
        sentences = [_Sentence("pending", _("This visit will be counted within about five minutes."))]
    else:
        sentences = [
            _crowd(others),
            _Sentence("duration", "", {"minutes": minutes}),
            _masks(votes[0], votes[1]),
            _distancing(votes[0], votes[2]),
            _air(air, prior),
            *([] if volume_known or prior.outdoors else [_size()]),
            *([] if adoption is None else [_coverage(adoption)]),
        ]
    return [
        Reason(one.code, (_translated(language, one.text) if one.text else _duration(minutes)) % one.values)
        for one in sentences
    ]


@dataclass(frozen=True, slots=True)
class _Sentence:
    """A reason before translation."""

    code: str
    text: str
    values: Mapping[str, int] = field(default_factory=dict)


@lru_cache(maxsize=512)
def _translated(language: str, text: str) -> str:
    """Return a sentence in the active language, cached, because a shield repeats the same sentences many times."""
    del language
    return gettext(text)


def _duration(minutes: int) -> str:
    return ngettext("You were there for %(minutes)d minute.", "You were there for %(minutes)d minutes.", minutes)


def _crowd(others: int) -> _Sentence:
    if others < FEWEST_SHOWN:
        return _Sentence("crowd_few", _("Fewer than five others were counted around you."))
    least = max(step for step in _CROWDS if step <= others)
    return _Sentence("crowd", _("At least %(least)d others were counted around you."), {"least": least})


def _masks(count: int, total: int) -> _Sentence:
    if count < FEWEST_SHOWN:
        text = _("Too few visitors rated masks, so mostly what is typical of such places counts.")
        return _Sentence("masks_unknown", text)
    if _share(count, total) >= 0.6:
        return _Sentence("masks_many", _("Visitors say that most people wore masks."))
    if _share(count, total) >= 0.3:
        return _Sentence("masks_some", _("Visitors say that some people wore masks."))
    return _Sentence("masks_few", _("Visitors say that few people wore masks."))


def _distancing(count: int, total: int) -> _Sentence:
    if count < FEWEST_SHOWN:
        text = _("Too few visitors rated distance, so mostly what is typical of such places counts.")
        return _Sentence("distancing_unknown", text)
    if _share(count, total) >= 0.5:
        return _Sentence("distancing_good", _("Visitors say that people kept apart."))
    return _Sentence("distancing_poor", _("Visitors say that people stood close together."))


def _share(count: int, total: int) -> float:
    """Return ratings from 1 to 5 as a share, 0 to 1."""
    return (total - count) / (4.0 * count)


def _air(air: RoomAir, prior: KindPrior) -> _Sentence:
    if prior.outdoors:
        return _Sentence("air_outdoors", _("Outdoors, the wind carries most of the virus away."))
    if air.source == "measured":
        return _Sentence("air_measured", _("Fresh air was measured by a CO2 sensor."))
    if air.source == "entered":
        return _Sentence("air_known", _("The place stated how much fresh air it has."))
    return _Sentence("air_prior", _("Fresh air is not known here, so what is typical of such places counts."))


def _coverage(adoption: float) -> _Sentence:
    text = _("About %(share)d of 100 people there check in; the others count as well.")
    return _Sentence("coverage", text, {"share": max(1, round(adoption * 20) * 5)})


def _size() -> _Sentence:
    return _Sentence("room_prior", _("The size of the room is not known, so what is typical of such places counts."))
