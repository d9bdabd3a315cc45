"""Page speed, as counts a day. Begin at `counts`."""
