"""Measles in a largely immune population."""

from __future__ import annotations

from risk.model.constants import ASSUMED, NOT_SEEN, Constant
from risk.model.pathogens.base import Incubation, Infectiousness, Pathogen

MEASLES = Pathogen(
    name="measles",
    quanta_rest_per_h=Constant(
        18.0,
        5.0,
        110.0,
        "quanta/h",
        "between a median of 15 when speaking, Mikszewski 2022, doi:10.1016/j.gsf.2021.101285 (a mean over people is "
        "many times its median), and 93 a minute of one index case, an order of magnitude above its secondaries, Riley "
        "1978, doi:10.1093/oxfordjournals.aje.a112560 (abstracts read); place in it: renewal on ordinary weeks with a "
        f"basic reproduction number of 12 to 18, docs/model.md; {ASSUMED}",
    ),
    quanta_talk_per_h=Constant(36.0, 10.0, 220.0, "quanta/h", f"rest times 2, coughing dominates; {ASSUMED}"),
    quanta_sing_per_h=Constant(72.0, 20.0, 440.0, "quanta/h", f"rest times 4; {ASSUMED}"),
    load_dispersion=Constant(
        0.25, 0.12, 0.6, "k of a gamma", "offspring k 0.23, Lloyd-Smith 2005, doi:10.1038/nature04153" + NOT_SEEN
    ),
    viral_decay_per_h=Constant(0.4, 0.2, 1.0, "1/h", "survives up to 2 h in air" + NOT_SEEN),
    settling_per_h=Constant(0.3, 0.24, 1.5, "1/h", "1-5 um particles indoors, Miller 2021" + NOT_SEEN),
    mask_out=Constant(0.5, 0.3, 0.75, "share", "as SARS-CoV-2"),
    mask_in=Constant(0.3, 0.15, 0.55, "share", "as SARS-CoV-2"),
    infectious_days=Constant(8.0, 6.0, 10.0, "days", "four before to four after the rash; " + ASSUMED),
    never_symptomatic=Constant(0.05, 0.01, 0.1, "share", ASSUMED),
    not_yet_symptomatic=Constant(0.45, 0.35, 0.6, "share", f"of the infectious days of the curve below; {ASSUMED}"),
    near_per_h=Constant(
        0.004, 0.001, 0.012, "1/h of a close contact", f"on top of the room, which carries most; {ASSUMED}"
    ),
    infections_per_case=Constant(2.0, 1.1, 4.0, "infections/reported case", f"notifiable; {ASSUMED}"),
    susceptible=Constant(0.08, 0.03, 0.2, "share", f"not vaccinated and not immune; {ASSUMED}"),
    load_factor_contact=Constant(1.0, 0.8, 1.25, "factor", ASSUMED),
    load_factor_symptoms=Constant(0.8, 0.6, 1.1, "factor", f"from onset on, by the curve; {ASSUMED}"),
    load_factor_diagnosed=Constant(0.4, 0.2, 0.8, "factor", f"from two days after onset, by the curve; {ASSUMED}"),
    incubation=Incubation(
        2.526, 0.207, "median 12.5 days, dispersion 1.23, Lessler 2009, doi:10.1016/S1473-3099(09)70069-6" + NOT_SEEN
    ),
    infectiousness=Infectiousness(8.0, 1.6, 5.0, ASSUMED),
)
