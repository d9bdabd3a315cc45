"""Pages of the operator: status and health. Begin at `status`."""
