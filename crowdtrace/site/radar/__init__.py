"""The radar page: map, table and fan chart of the newest forecast or of an earlier one."""
