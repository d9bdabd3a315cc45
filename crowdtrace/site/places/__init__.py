"""The search for places, and the scouting card of a place. Begin at `views`."""
