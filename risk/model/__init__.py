"""The risk model: pure functions of arrays. No framework, no clock, no randomness of its own.

Import what you need from its modules (importing this package imports nothing, so the compiler starts only when used):

- `parameters.Parameters(pathogen=..., adaptive=...)`: all constants in force; `.version` is what a shield names.
- `kinds.Kind`, `kinds.PRIORS`; `pathogens.PROFILES`.
- `classes.answer_class(symptoms=, diagnosed=, contact=, near=)` -> int8 class 0-3; `classes.chances(...)`.
- `far.unit_doses(Stays.of(...), Rooms(...))` -> `UnitDoses(dose_h2_per_m3, person_us, heads)`, each (n, 4): the sweep
  over any number of venues.
  `far.room_integrals(...)`: one room, given emitters and visits.
- `crowd_state.crowd_state(...)` -> `CrowdState` at quarter-hour edges; `readings.read_stays(...)` -> `Readings`: all
  stays of one holder out of such states.
- `ratings.posterior(prior_mean, rating_sum, rating_count)` -> Beta (a, b); of an hour, of masks or distancing.
- `air.room_air(parameters, kind, volume_m3=, air_changes_per_h=)` -> `RoomAir`; `co2.ventilation(...)` narrows it.
- `visits.visits_of(...)`: readings, ratings, ages, kinds and area series of one holder -> `Visits`.
- `shield.shield(visits, parameters, budget=)` -> `Shield(shield, low, high, infection_probability, spent, incubating,
  risklevel, parameters, cost, ...)`; `shield.BUDGETS`. `risklevels.risklevel(p)`; `rounding`: numbers as shown.
- `adoption.narrowed(prior, counts=, said=, seen=)` -> the share of people present who check in, at one venue.
- `learning`: a posterior from cells of reported results; `learned`: what of it reaches a shield.
- `renewal`: ordinary weeks and the reproduction number that they imply; `plain`: a chance as time in a known place, and
  the profile that a prevalence suggests.
- `stays.expected_visits(parameters, kinds=, heads=, stay_h=, ...)` -> `Visits` not made yet; `scouting.expected_cost`
  of the same -> their points.
- `hits.class_hits`, `hits.far_hits`, `hits.near_hits`: from doses to expected hits, for simulations.
- `outbreaks`: published outbreaks against the model.

Arrays of four columns are (everybody, class 1, class 2, class 3); times are int64 microseconds UTC; errors of input
are `far.InvalidInputError` with the `field`; inside, what must not be raises `ArithmeticError`.
"""
