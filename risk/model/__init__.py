"""The risk model: pure functions of arrays, without a framework, a clock or randomness.

Import what you need from its modules. Importing this package imports nothing, so the compiler starts only when used:

- `parameters.Parameters(pathogen=..., adaptive=...)`: all constants in force. Its `.version` is what a shield names.
- `kinds.Kind`, `kinds.PRIORS`; `pathogens.PROFILES`.
- `classes.answer_class(symptoms=, diagnosed=, contact=, near=)` -> int8 class 0-3; `classes.chances(...)`.
- `far.unit_doses(Stays.of(...), Rooms(...))` -> `UnitDoses(dose_h2_per_m3, person_us, heads)`, each (n, 4): the sweep
  over any number of venues.
  `far.room_integrals(...)`: one room, given emitters and visits.
- `crowd_state.crowd_state(...)` -> `CrowdState` at quarter-hour edges; `readings.read_stays(...)` -> `Readings`: all
  stays of one holder, read from such states.
- `ratings.posterior(prior_mean, rating_sum, rating_count)` -> Beta (a, b) of an hour's masks or distancing.
- `air.room_air(parameters, kind, volume_m3=, air_changes_per_h=)` -> `RoomAir`; `co2.ventilation(...)` narrows it.
- `visits.visits_of(...)`: readings, ratings, ages, kinds and area series of one holder -> `Visits`.
- `shield.shield(visits, parameters, budget=)` -> `Shield(shield, low, high, infection_probability, spent, incubating,
  risklevel, parameters, cost, ...)`; `shield.BUDGETS`. `risklevels.risklevel(p)`; `rounding`: numbers as displayed.
- `adoption.narrowed(prior, counts=, said=, seen=)` -> the share of people present who check in, at one venue.
- `learning`: a posterior from cells of reported results; `learned`: what of it affects a shield.
- `renewal`: ordinary weeks and the reproduction number that they imply; `plain`: a chance as time in a familiar place,
  and the profile that a prevalence suggests.
- `stays.expected_visits(parameters, kinds=, heads=, stay_h=, ...)` -> `Visits` that have not happened;
  `scouting.expected_cost` of the same -> their points.
- `hits.class_hits`, `hits.far_hits`, `hits.near_hits`: from doses to expected hits, for simulations.
- `outbreaks`: published outbreaks compared with the model.

Arrays of four columns are (everybody, class 1, class 2, class 3). Times are int64 microseconds UTC. Invalid input
raises `far.InvalidInputError` with the `field`; a broken internal invariant raises `ArithmeticError`.
"""
