"""Parameters in force: versioned rows. Each shield names its version; a change makes crowd state be recomputed."""

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
    """Return the model's parameters for a pathogen, what outcomes have taught, and the deployment's adoption."""
    return _build(pathogen, adaptive, tuple(settings.ADOPTION))


@lru_cache(maxsize=32)
def _build(pathogen: str, adaptive: Adaptive, adoption: tuple[float, ...]) -> Parameters:
    if pathogen not in PROFILES:
        raise ImproperlyConfigured(f"CROWDTRACE_PATHOGEN must be one of {', '.join(sorted(PROFILES))}.")
    return Parameters(pathogen=PROFILES[pathogen], adaptive=adaptive, adoption=_adoption(adoption))


def _adoption(said: tuple[float, ...]) -> Constant:
    """Parse adoption: one share, or its low, central and high value."""
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
    """Return the parameters of the newest row; those of the settings if there is none."""
    return parameters_of(ParameterSet.objects.order_by("-pk").first())


def parameters_at_start() -> Parameters:
    """Return the parameters of the settings, without anything learned: public, and independent of visits."""
    return build(settings.PATHOGEN, Adaptive())


def parameters_of(row: ParameterSet | None) -> Parameters:
    """Return the parameters of a row, always for the pathogen that this deployment is set to."""
    if row is None:
        return parameters_at_start()
    return build(settings.PATHOGEN, adaptive_of(row.dose_scale, row.hidden_carriers, row.kind_intensity, row.learned))


def adaptive_of(
    scale: float, carriers: float, intensity: Mapping[str, float], learned: Iterable[Sequence[Any]]
) -> Adaptive:
    """Build the adaptive factors from the columns of a row."""
    return Adaptive(
        scale,
        carriers,
        tuple(sorted((str(kind), float(factor)) for kind, factor in intensity.items())),
        tuple(sorted((str(kind), float(factor), float(spread)) for kind, factor, spread in learned)),
    )


def record_parameters(*, adaptive: Adaptive, reason: str, actor: str, now: dt.datetime) -> ParameterSet:
    """Put new parameters in force. The next refresh recomputes everything that depends on them."""
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
    """Return the parameters in force, and record a new version if the program or a setting changed."""
    row = ParameterSet.objects.order_by("-pk").first()
    parameters = parameters_of(row)
    if row is None or row.version != parameters.version:
        reason = AT_START if row is None else NEW_CODE if row.pathogen == settings.PATHOGEN else NEW_PATHOGEN
        record_parameters(adaptive=parameters.adaptive, reason=reason, actor="system", now=now)
    return parameters
