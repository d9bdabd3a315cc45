"""API of owners: each view parses, calls one service and serialises. Begin with `venues`."""
