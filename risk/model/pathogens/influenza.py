"""Seasonal influenza A."""

from __future__ import annotations

from risk.model.constants import ASSUMED, NOT_SEEN, Constant
from risk.model.pathogens.base import Incubation, Infectiousness, Pathogen

INFLUENZA = Pathogen(
    name="influenza",
    quanta_rest_per_h=Constant(
        2.6,
        0.6,
        9.0,
        "quanta/h",
        "between a median of 0.17 when speaking, Mikszewski 2022, doi:10.1016/j.gsf.2021.101285 (abstract read; a mean "
        "over people is many times its median), and fits to outbreaks, Rudnick and Milton 2003"
        + NOT_SEEN
        + f"; place in it: renewal on ordinary weeks, docs/model.md; {ASSUMED}",
    ),
    quanta_talk_per_h=Constant(10.5, 2.6, 35.0, "quanta/h", f"rest times 4; {ASSUMED}"),
    quanta_sing_per_h=Constant(52.0, 13.0, 150.0, "quanta/h", f"rest times 20; {ASSUMED}"),
    load_dispersion=Constant(
        0.3,
        0.1,
        0.7,
        "k of a gamma",
        "39 % of ill people breathed out virus that could be cultured, Yan 2018, doi:10.1073/pnas.1716561115, and 33 % "
        "measurable RNA, Fabian 2008, doi:10.1371/journal.pone.0002691 (abstracts read); as a k: " + ASSUMED,
    ),
    viral_decay_per_h=Constant(0.6, 0.2, 1.5, "1/h", "aerosol half-life about an hour, rises with humidity" + NOT_SEEN),
    settling_per_h=Constant(0.3, 0.24, 1.5, "1/h", "1-5 um particles indoors, Miller 2021" + NOT_SEEN),
    mask_out=Constant(0.5, 0.3, 0.75, "share", "as SARS-CoV-2"),
    mask_in=Constant(0.3, 0.15, 0.55, "share", "as SARS-CoV-2"),
    infectious_days=Constant(
        5.0, 3.0, 7.0, "days", "mean shedding 4.8 days (4.31-5.29), Carrat 2008, doi:10.1093/aje/kwm375" + NOT_SEEN
    ),
    never_symptomatic=Constant(0.3, 0.16, 0.5, "share", "Leung 2015, doi:10.1097/EDE.0000000000000340" + NOT_SEEN),
    not_yet_symptomatic=Constant(0.16, 0.08, 0.3, "share", f"of the infectious days of the curve below; {ASSUMED}"),
    near_per_h=Constant(0.007, 0.002, 0.02, "1/h of a close contact", f"as SARS-CoV-2; {ASSUMED}"),
    infections_per_case=Constant(60.0, 20.0, 150.0, "infections/reported case", f"few are tested; {ASSUMED}"),
    susceptible=Constant(0.6, 0.4, 0.85, "share", ASSUMED),
    load_factor_contact=Constant(1.0, 0.8, 1.25, "factor", ASSUMED),
    load_factor_symptoms=Constant(1.05, 0.8, 1.5, "factor", f"from onset on, by the curve below; {ASSUMED}"),
    load_factor_diagnosed=Constant(0.5, 0.25, 0.9, "factor", f"from two days after onset, by the curve; {ASSUMED}"),
    incubation=Incubation(
        0.336, 0.412, "median 1.4 days, dispersion 1.51, Lessler 2009, doi:10.1016/S1473-3099(09)70069-6" + NOT_SEEN
    ),
    infectiousness=Infectiousness(4.0, 1.6, 1.2, f"an eighth before onset; {ASSUMED}"),
)
