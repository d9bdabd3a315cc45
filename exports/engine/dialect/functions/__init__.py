"""Functions whose SQL depends on the types of their arguments, or on constants."""
