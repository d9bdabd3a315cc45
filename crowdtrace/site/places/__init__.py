"""The search for places and the card of one. Begin at `views`."""
