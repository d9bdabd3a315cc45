"""Erasure by the holder: in the database at once, then in the lake in batches. Begin with `requests.py`."""
