"""Pages of visitors and doors; personal data is processed in the browser (`passes/frontend`). Begin with `views`."""
