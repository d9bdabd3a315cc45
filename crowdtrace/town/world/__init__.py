"""A simulated town whose truth is known: people, habits, venues, answers, and an epidemic by the dose model. Pure.

- `plan.TownPlan(visitors=, venues=, days=, seed=, ...)`: the parameters.
- `town.Town(plan)`: `.venues`, `.people`, and `.next_day()` -> `TownDay`, one calendar day after another.
- `truth`: what really happened, as columns; none of it goes into the product's tables.

The same plan gives the same town on any machine with the same numpy. All randomness comes from named streams of the
seed.
"""
