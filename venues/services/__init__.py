"""Writes of the app. Begin with `venues` and `accounts`."""
