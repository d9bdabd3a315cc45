"""Programs of the Makefile. `environment` and `wheelhouse` run on a bare Python."""
