"""Pathogen profiles: a pathogen is a named set of constants, one file each; adding one is one file and its test."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from risk.model.pathogens.base import Incubation, Pathogen
from risk.model.pathogens.influenza import INFLUENZA
from risk.model.pathogens.measles import MEASLES
from risk.model.pathogens.sars_cov_2 import SARS_COV_2_ANCESTRAL
from risk.model.pathogens.sars_cov_2_omicron import SARS_COV_2_OMICRON

PROFILES: Final[Mapping[str, Pathogen]] = MappingProxyType(
    {p.name: p for p in (SARS_COV_2_ANCESTRAL, SARS_COV_2_OMICRON, INFLUENZA, MEASLES)}
)
__all__ = ["INFLUENZA", "MEASLES", "PROFILES", "SARS_COV_2_ANCESTRAL", "SARS_COV_2_OMICRON", "Incubation", "Pathogen"]
