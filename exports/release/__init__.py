"""Release a closed day to the open and the verified tier, in resumable steps. Begin with `closed_days.py`."""
