"""Page speed, as daily counts. Begin at `counts`."""
