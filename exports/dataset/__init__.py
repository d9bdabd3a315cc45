"""Tables and columns of the dataset, and every schema and description made from them. Begin with `tables.py`."""
