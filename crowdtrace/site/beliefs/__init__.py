"""The page that shows the model's estimates."""
