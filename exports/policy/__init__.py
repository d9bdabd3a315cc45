"""The release policy as pure functions of counts: the open tier's draw and rows, the verified tier's classes.

Nothing here reads a database, a clock or a file. Begin with `domain.py`, then `draw.py`.
"""
