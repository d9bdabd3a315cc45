"""Functions whose writing depends on the types of their arguments, or on constants given to them."""
