"""Erasure by the holder: in the database immediately, then in the lake in batches. Begin with `requests.py`."""
