"""The API of owners: parses, calls one service, serialises. Begin at `venues`."""
