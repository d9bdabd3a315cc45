"""SARS-CoV-2 since Omicron: emits more, shorter incubation, most people partly immune."""

from __future__ import annotations

from dataclasses import replace

from risk.model.constants import ASSUMED, NOT_SEEN, Constant
from risk.model.pathogens.base import Incubation, Infectiousness
from risk.model.pathogens.sars_cov_2 import SARS_COV_2_ANCESTRAL

_FACTOR = "ancestral times 2.5 (factors of Alpha, Delta and Omicron one after another; " + ASSUMED + ")"

SARS_COV_2_OMICRON = replace(
    SARS_COV_2_ANCESTRAL,
    name="sars-cov-2-omicron",
    quanta_rest_per_h=Constant(6.0, 2.5, 15.0, "quanta/h", _FACTOR),
    quanta_talk_per_h=Constant(22.0, 9.0, 55.0, "quanta/h", _FACTOR),
    quanta_sing_per_h=Constant(210.0, 100.0, 420.0, "quanta/h", _FACTOR),
    load_dispersion=Constant(0.3, 0.12, 0.6, "k of a gamma", ASSUMED),
    not_yet_symptomatic=Constant(0.35, 0.2, 0.5, "share", ASSUMED),
    near_per_h=Constant(0.012, 0.005, 0.025, "1/h of a close contact", f"ancestral, scaled; {ASSUMED}"),
    infections_per_case=Constant(15.0, 6.0, 30.0, "infections/reported case", f"home tests go unreported; {ASSUMED}"),
    susceptible=Constant(0.5, 0.25, 0.8, "share", f"past infection and vaccination; {ASSUMED}"),
    incubation=Incubation(
        1.13, 0.47, "mean 3.4 days of Omicron, Wu 2022, doi:10.1001/jamanetworkopen.2022.28008; spread ours" + NOT_SEEN
    ),
    infectiousness=Infectiousness(8.0, 1.6, 3.5, ASSUMED),
)
