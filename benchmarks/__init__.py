"""Measurements with ratios against a named peer or floor; `make bench` runs all."""
