"""Athena's dialect in DuckDB: a text is typed by Athena's rules and written again, or refused with a sentence.

`words` refuses words of other dialects. `types` has Athena's types and what they become in each other, `casts` the
SQL of casts. The writers of expressions build on each other: `writer`, `names`, `literals`, `operators`,
`conditions`, `casting`, `calling`, `expressions`; `scopes` has what they pass around. `calls` is the table of
functions, and `functions` has those whose value depends on the types or the constants given. `queries` writes
queries. What is not known to give the same rows there and here is refused.
"""
