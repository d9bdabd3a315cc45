"""SARS-CoV-2 since Omicron: higher emission, shorter incubation, most people partly immune."""

from __future__ import annotations

from dataclasses import replace

from risk.model.constants import ASSUMED, NOT_SEEN, Constant
from risk.model.pathogens.base import Incubation, Infectiousness
from risk.model.pathogens.sars_cov_2 import SARS_COV_2_ANCESTRAL

_FACTOR = "ancestral times 2.5 (factors of Alpha, Delta and Omicron one after another; " + ASSUMED + ")"

SARS_COV_2_OMICRON = replace(
    SARS_COV_2_ANCESTRAL,
    name="sars-cov-2-omicron",
    quanta_rest_per_h=Constant(3.8, 1.5, 10.0, "quanta/h", _FACTOR),
    quanta_talk_per_h=Constant(12.5, 5.0, 32.0, "quanta/h", _FACTOR),
    quanta_sing_per_h=Constant(160.0, 80.0, 330.0, "quanta/h", _FACTOR),
    load_dispersion=Constant(0.3, 0.12, 0.6, "k of a gamma", ASSUMED),
    infectious_days=Constant(
        8.0,
        5.0,
        10.0,
        "days",
        "culture stayed positive a median of 8 days, Boucau 2022, doi:10.1056/NEJMc2202092" + NOT_SEEN,
    ),
    not_yet_symptomatic=Constant(0.31, 0.2, 0.45, "share", f"of the infectious days of the curve below; {ASSUMED}"),
    load_factor_symptoms=Constant(1.0, 0.7, 1.4, "factor", f"from onset on, by the curve below; {ASSUMED}"),
    load_factor_diagnosed=Constant(0.55, 0.3, 0.9, "factor", f"from two days after onset, by the curve; {ASSUMED}"),
    near_per_h=Constant(0.012, 0.005, 0.025, "1/h of a close contact", f"ancestral, scaled; {ASSUMED}"),
    infections_per_case=Constant(15.0, 6.0, 30.0, "infections/reported case", f"home tests go unreported; {ASSUMED}"),
    susceptible=Constant(
        0.31,
        0.2,
        0.48,
        "share",
        "past infection and vaccination; set so that a lasting epidemic renews itself (docs/model.md, renewal), "
        + ASSUMED,
    ),
    incubation=Incubation(
        1.13, 0.47, "mean 3.4 days of Omicron, Wu 2022, doi:10.1001/jamanetworkopen.2022.28008; spread ours" + NOT_SEEN
    ),
    infectiousness=Infectiousness(8.0, 1.6, 4.0, f"a third before onset, peak soon after it; {ASSUMED}"),
)
