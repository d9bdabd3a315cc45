"""API of shields, cards and air: each view parses, calls one function and serialises. Begin with `views`."""
