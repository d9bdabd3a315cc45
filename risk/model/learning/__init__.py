"""Estimates that learn from reported results: pure, without a clock, with seeds passed in.

- `cells.cells_of(...)`, `cells.added(...)`, `cells.coarsened(...)`: what is stored about reporters.
- `posterior.fit(cells, prior, period=, seed=)` -> `Estimate`.
- `gate.learn(...)` -> `Learned`: refit, and decide whether the new estimate takes effect.
- `separation.separated(...)`: scale and prevalence separately, using series and the renewal identity.
"""
