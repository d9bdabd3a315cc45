"""Estimates that learn: cells of reported results, the nightly fit, and what the model believes. Begin at `nightly`."""
