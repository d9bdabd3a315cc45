"""A simulated town in the product's own tables, the demonstration, and comparators. Begin at `simulation`."""
