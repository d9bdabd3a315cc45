"""Estimates that learn from reported results: pure, no clock, seeds passed in.

- `cells.cells_of(...)`, `cells.added(...)`, `cells.coarsened(...)`: what is kept of reporters.
- `posterior.fit(cells, prior, period=, seed=)` -> `Estimate`.
- `gate.learn(...)` -> `Learned`: refit, and whether the new estimate takes over.
- `separation.separated(...)`: scale and prevalence apart, with series and the renewal identity.
"""
