"""Estimates that learn: cells of reported results, the nightly fit, current estimates. Begin with `nightly`."""
