"""Adversaries meet the same services as everybody."""

from tests.passes.conftest import _cheap_passwords, _fresh_limits

__all__ = ["_cheap_passwords", "_fresh_limits"]
