"""Pages of visitors and doors; what is personal happens in the browser (`passes/frontend`). Begin at `views`."""
