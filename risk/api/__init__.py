"""The API of shields, cards and air: parses, calls one function, serialises. Begin at `views`."""
