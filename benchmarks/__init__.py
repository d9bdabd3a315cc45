"""Benchmarks that print ratios to a named peer or floor; `make bench` runs all of them."""
