"""The page of what the model believes."""
