"""The documents of `docs/` as pages, with the claims that tests back. Begin at `views`."""
