"""Athena's dialect in DuckDB: a text is typed by Athena's rules and translated, or refused with an explanation.

`words` refuses words of other dialects. `types` has Athena's types and their coercions, `casts` the SQL of casts. The
writers of expressions build on each other: `writer`, `names`, `literals`, `operators`, `conditions`, `casting`,
`calling`, `expressions`; `scopes` has the values that they pass around. `calls` is the table of functions, and
`functions` has those whose SQL depends on the types or constants of their arguments. `queries` writes queries.
Anything not known to return the same rows in both engines is refused.
"""
