"""API of visitors, doors, devices and owners: each view parses, calls one service and serialises. See `passes.urls`."""
