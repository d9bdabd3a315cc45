"""Athena's dialect in DuckDB: a text is typed by Athena's rules and written again, or refused with a sentence.

`types` has Athena's types and what they become in each other; `calls` the table of functions, `special` those whose
value depends on the types or the constants given; `expressions` types and writes expressions, `queries` queries. What
is not known to give the same rows there and here is refused.
"""
