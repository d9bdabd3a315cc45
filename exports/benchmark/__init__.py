"""A place for better algorithms: readings of the open release, scored against a simulated town's truth."""
