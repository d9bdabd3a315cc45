"""The API of visitors, doors, devices and owners: parses, calls one service, serialises. Addresses are in `passes.urls`."""
