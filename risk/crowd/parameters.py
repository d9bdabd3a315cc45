"""The parameters in force: versioned rows, each shield names its version, a change has crowd state recomputed."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction

from common.audit import record
from risk.model.constants import Constant
from risk.model.parameters import ADOPTION, AS_SAID, Adaptive, Parameters, adoption_around
from risk.model.pathogens import PROFILES
from risk.models import ParameterSet

AT_START = "as the deployment was set up"
NEW_CODE = "constants or equations changed with the program"
NEW_PATHOGEN = "the deployment chose another pathogen"


def build(pathogen: str, adaptive: Adaptive) -> Parameters:
    """The model's parameters of a pathogen profile with what outcomes have taught, and the deployment's adoption."""
    return _build(pathogen, adaptive, tuple(settings.ADOPTION))


@lru_cache(maxsize=32)
def _build(pathogen: str, adaptive: Adaptive, adoption: tuple[float, ...]) -> Parameters:
    if pathogen not in PROFILES:
        raise ImproperlyConfigured(f"CROWDTRACE_PATHOGEN must be one of {', '.join(sorted(PROFILES))}.")
    return Parameters(pathogen=PROFILES[pathogen], adaptive=adaptive, adoption=_adoption(adoption))


def _adoption(said: tuple[float, ...]) -> Constant:
    """One share, or low, centre and high."""
    if not said:
        return ADOPTION
    try:
        if len(said) == 1:
            return adoption_around(said[0])
        low, value, high = said
        return Constant(value, low, high, "share", AS_SAID)
    except ValueError as error:
        raise ImproperlyConfigured(
            "CROWDTRACE_ADOPTION is a share above 0 and up to 1, or three of them, lowest first: 0.2,0.3,0.5."
        ) from error


def parameters_in_force() -> Parameters:
    """What the newest row says; of the settings while there is none."""
    return parameters_of(ParameterSet.objects.order_by("-pk").first())


def parameters_at_start() -> Parameters:
    """The parameters of the settings, before outcomes taught anything: public, and no function of anybody's visits."""
    return build(settings.PATHOGEN, Adaptive())


def parameters_of(row: ParameterSet | None) -> Parameters:
    """The parameters of a row, always of the pathogen this deployment is set to."""
    if row is None:
        return parameters_at_start()
    return build(settings.PATHOGEN, adaptive_of(row.dose_scale, row.hidden_carriers, row.kind_intensity, row.learned))


def adaptive_of(
    scale: float, carriers: float, intensity: Mapping[str, float], learned: Iterable[Sequence[Any]]
) -> Adaptive:
    """What the columns of a row say."""
    return Adaptive(
        scale,
        carriers,
        tuple(sorted((str(kind), float(factor)) for kind, factor in intensity.items())),
        tuple(sorted((str(kind), float(factor), float(spread)) for kind, factor, spread in learned)),
    )


def record_parameters(*, adaptive: Adaptive, reason: str, actor: str, now: dt.datetime) -> ParameterSet:
    """Put new parameters in force. The next refresh computes anew all that depends on them."""
    version = build(settings.PATHOGEN, adaptive).version
    with transaction.atomic():
        row = ParameterSet.objects.create(
            version=version,
            pathogen=settings.PATHOGEN,
            dose_scale=adaptive.dose_scale,
            hidden_carriers=adaptive.hidden_carriers,
            kind_intensity=dict(adaptive.kind_intensity),
            learned=[list(each) for each in adaptive.learned],
            created_at=now,
            reason=reason,
        )
        record(actor=actor, verb="parameters.changed", subject=version, now=now)
    return row


def settle_parameters(*, now: dt.datetime) -> Parameters:
    """The parameters in force, with a row for them: a new program or setting makes a new version."""
    row = ParameterSet.objects.order_by("-pk").first()
    parameters = parameters_of(row)
    if row is None or row.version != parameters.version:
        reason = AT_START if row is None else NEW_CODE if row.pathogen == settings.PATHOGEN else NEW_PATHOGEN
        record_parameters(adaptive=parameters.adaptive, reason=reason, actor="system", now=now)
    return parameters
