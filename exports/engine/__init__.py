"""Running researchers' SQL on the open tables: checked first, then run in a process of its own that can be killed."""
