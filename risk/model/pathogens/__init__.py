"""Pathogen profiles. A profile is a named set of constants in one file; to add one, add the file and its test.

Every `Pathogen` of a module of this package is a profile that a deployment can choose (`CROWDTRACE_PATHOGEN`).
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from risk.model.pathogens.base import Incubation, Pathogen
from risk.model.pathogens.influenza import INFLUENZA
from risk.model.pathogens.measles import MEASLES
from risk.model.pathogens.sars_cov_2 import SARS_COV_2_ANCESTRAL
from risk.model.pathogens.sars_cov_2_omicron import SARS_COV_2_OMICRON


def profiles() -> dict[str, Pathogen]:
    """Return every profile of the package by its name; raise for two different profiles of one name."""
    found: dict[str, Pathogen] = {}
    for module in sorted(one.name for one in pkgutil.iter_modules(__path__)):
        for value in vars(importlib.import_module(f"{__name__}.{module}")).values():
            if isinstance(value, Pathogen) and found.setdefault(value.name, value) is not value:
                raise ValueError(f"two profiles are called {value.name}")
    return found


PROFILES: Final[Mapping[str, Pathogen]] = MappingProxyType(profiles())
__all__ = [
    "INFLUENZA",
    "MEASLES",
    "PROFILES",
    "SARS_COV_2_ANCESTRAL",
    "SARS_COV_2_OMICRON",
    "Incubation",
    "Pathogen",
    "profiles",
]
