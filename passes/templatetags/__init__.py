"""Template tags of the built assets."""
