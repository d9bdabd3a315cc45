"""Athena's protocol, answered by the query engine or forwarded to Athena. Begin with `service.py`."""
