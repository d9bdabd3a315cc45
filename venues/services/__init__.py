"""Writes of the app. Begin at `venues` and `accounts`."""
