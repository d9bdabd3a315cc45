"""Statistics for the people who run a venue: drawn once for each closed day and week. Begin with `draws.py`."""
