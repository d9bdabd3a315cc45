"""Organisations, venues, their rules, doors, devices and events; accounts of owners. Begin with `models`."""
