"""The open dataset: releases, the lake, queries, the verified tier and erasure. Begin with `release/closed_days.py`."""
