"""The API of visitors, doors, devices and owners: parses, calls one service, serialises. Begin at `passes.urls`."""
