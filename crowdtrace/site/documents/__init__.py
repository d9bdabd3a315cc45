"""The documents of `docs/` as pages, with the claims that tests support. Begin at `views`."""
