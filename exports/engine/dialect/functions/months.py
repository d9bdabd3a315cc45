"""Count complete months between two times."""

from __future__ import annotations


def months_between(begin: str, end: str, size: int) -> str:
    """Write the number of complete months between two times, divided by `size`.

    The last day of a month completes a month that began on a later day: 31 January to 29 February is one month.
    """
    first = f"CASE WHEN {begin} <= {end} THEN {begin} ELSE {end} END"
    last = f"CASE WHEN {begin} <= {end} THEN {end} ELSE {begin} END"
    is_last = f"day({first}) > day({last}) AND CAST({last} AS DATE) = last_day({last})"
    days = f"CASE WHEN {is_last} THEN day({first}) - day({last}) ELSE 0 END"
    between = f"CAST(date_sub('month', {first} - to_days(CAST({days} AS INTEGER)), {last}) AS BIGINT)"
    return f"(CASE WHEN {begin} <= {end} THEN 1 ELSE -1 END * ({between} // {size}))"
