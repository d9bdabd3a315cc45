"""Run researchers' SQL on the open tables, each query in a process that can be killed. Begin with `run.py`."""
