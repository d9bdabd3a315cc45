"""Pages and statistics for the people who run a venue. Begin at `dashboard`."""
