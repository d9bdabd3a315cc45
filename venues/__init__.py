"""Organisations, venues, their rules, doors, devices and events, and owners' accounts. Begin at `models`, then `services`."""
