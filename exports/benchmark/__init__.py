"""The benchmark: predictions from the open release, scored against a simulated town's truth. Begin with `score.py`."""
