"""A day's classes at once, and the published rows: what tests require of the ladder."""

import pandas as pd

from exports.policy.verified import QUASI, ClassPolicy, Generalised, generalise_by_zip


def generalise(counts: pd.DataFrame, policy: ClassPolicy) -> Generalised:
    """Return the classes of a day whose counts are in memory."""
    parts = list(generalise_by_zip([counts], policy))
    return Generalised(
        pd.concat([part.classes for part in parts]), sum(part.published for part in parts), parts[-1].dropped
    )


def class_of(rows: pd.DataFrame, generalised: Generalised) -> pd.DataFrame:
    """Return the published `QUASI` of each row (columns `QUASI`), same index; dropped rows are missing."""
    keys = pd.MultiIndex.from_frame(rows[list(QUASI)])
    known = keys.isin(generalised.classes.index)
    published = generalised.classes.loc[keys[known], list(QUASI)]
    published.index = rows.index[known]
    return published
