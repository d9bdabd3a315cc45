"""SARS-CoV-2 of 2020, before vaccines: the reference profile.

Quanta rates are means over infectious people. Rates fitted to one well-known outbreak (Skagit choir: 970 +- 390
quanta/h, Miller 2021) describe that outbreak, not the average carrier, and are not used.
"""

from __future__ import annotations

from risk.model.constants import ASSUMED, NOT_SEEN, Constant
from risk.model.pathogens.base import Incubation, Infectiousness, Pathogen

_LEVEL = "renewal of an epidemic on ordinary weeks, docs/model.md"

SARS_COV_2_ANCESTRAL = Pathogen(
    name="sars-cov-2-ancestral",
    quanta_rest_per_h=Constant(
        1.5,
        0.6,
        4.0,
        "quanta/h",
        "bracket of Buonanno 2020, doi:10.1016/j.envint.2020.106112" + NOT_SEEN + f"; place in it: {_LEVEL}",
    ),
    quanta_talk_per_h=Constant(
        5.0,
        2.0,
        13.0,
        "quanta/h",
        "mean 3.8 speaking, Aganovic 2023, doi:10.1016/j.buildenv.2022.109924; median 2.7 standing and speaking, "
        "Mikszewski 2022, doi:10.1016/j.gsf.2021.101285 (abstracts read; a mean over people is above its median); "
        "bracket of Buonanno 2020 and Peng 2022, doi:10.1021/acs.est.1c06531" + NOT_SEEN + f"; place in it: {_LEVEL}",
    ),
    quanta_sing_per_h=Constant(
        65.0,
        35.0,
        125.0,
        "quanta/h",
        "bracket of Buonanno 2020 and Kriegel 2022 (singing, shouting)" + NOT_SEEN + f"; place in it: {_LEVEL}",
    ),
    load_dispersion=Constant(
        0.2,
        0.1,
        0.4,
        "k of a gamma",
        "between offspring dispersions 0.1, Endo 2020, doi:10.12688/wellcomeopenres.15842" + NOT_SEEN + ", and 0.32 "
        "(0.15-0.64), Zhao 2021, doi:10.1186/s12874-021-01225-w (abstract read)",
    ),
    viral_decay_per_h=Constant(
        0.63,
        0.3,
        1.1,
        "1/h",
        "half-life 1.1 h (0.64-2.64) in aerosol, van Doremalen 2020, doi:10.1056/NEJMc2004973" + NOT_SEEN,
    ),
    settling_per_h=Constant(
        0.3,
        0.24,
        1.5,
        "1/h",
        "1-5 um particles indoors, range as used by Miller 2021, doi:10.1111/ina.12751" + NOT_SEEN,
    ),
    mask_out=Constant(0.5, 0.3, 0.75, "share", "cloth and surgical as worn, Peng 2022" + NOT_SEEN),
    mask_in=Constant(0.3, 0.15, 0.55, "share", "cloth and surgical as worn, Peng 2022" + NOT_SEEN),
    infectious_days=Constant(
        8.0, 5.0, 11.0, "days", "median of studies 6.5 to 9.5, Byrne 2020, doi:10.1136/bmjopen-2020-039856" + NOT_SEEN
    ),
    never_symptomatic=Constant(
        0.35, 0.2, 0.5, "share", "Sah 2021, doi:10.1073/pnas.2109229118 (35.1 %, 30.7-39.9)" + NOT_SEEN
    ),
    not_yet_symptomatic=Constant(
        0.45, 0.25, 0.6, "share", "of the infectious days of He 2020's curve, doi:10.1038/s41591-020-0869-5" + NOT_SEEN
    ),
    near_per_h=Constant(
        0.007,
        0.003,
        0.014,
        "1/h of a close contact",
        "1.1 % an hour of app contact (Ferretti 2023, doi:10.1038/s41586-023-06952-2), less 0.4 % for the shared room, "
        f"which is {ASSUMED}",
    ),
    infections_per_case=Constant(
        11.0,
        6.0,
        25.0,
        "infections/reported case",
        "6-24 times, Havers 2020, doi:10.1001/jamainternmed.2020.4130" + NOT_SEEN,
    ),
    susceptible=Constant(0.97, 0.9, 0.99, "share", f"new pathogen; {ASSUMED}"),
    load_factor_contact=Constant(1.0, 0.8, 1.25, "factor", ASSUMED),
    load_factor_symptoms=Constant(1.0, 0.7, 1.4, "factor", f"from onset on, He 2020's curve; {ASSUMED}"),
    load_factor_diagnosed=Constant(0.75, 0.4, 1.1, "factor", f"from two days after onset, He 2020's curve; {ASSUMED}"),
    incubation=Incubation(1.621, 0.418, "Lauer 2020, doi:10.7326/M20-0504"),
    infectiousness=Infectiousness(20.516508, 1.592124, 12.272481, "He 2020, corrected fit" + NOT_SEEN),
)
