"""Announcing a release: signed webhooks to registered URLs. Begin with `webhooks.py`."""
