"""The truth of a simulated town, from the files that `manage.py simulate --truth-out` writes."""

import datetime as dt
import json
from pathlib import Path
from typing import Final

import pandas as pd
import pyarrow.parquet as pq

from common.logs import kind_of

PLAN: Final = "plan.json"


class NoTruthError(LookupError):
    """A folder without a town's truth; the text says what is missing."""


def read_truth(folder: Path) -> pd.DataFrame:
    """Read visits and infectious visits by `day` and `zip` (three digits of the venue), for lines with a visit.

    Visits of people without the app count too: the release sees only a part of the crowd.
    """
    try:
        start = dt.date.fromisoformat(json.loads((folder / PLAN).read_text(encoding="utf-8"))["start"])
        visits = pq.read_table(folder / "visits.parquet", columns=["day", "venue", "infectious"]).to_pandas()
        venues = pq.read_table(folder / "venues.parquet", columns=["zip3"]).to_pandas()
        zips = venues["zip3"].to_numpy()[visits["venue"]]
    except FileNotFoundError as error:
        raise NoTruthError(f"{folder} holds no truth of a town: {Path(str(error.filename)).name} is missing") from error
    except (OSError, LookupError, TypeError, ValueError) as error:
        # A broken Parquet file is a ValueError or an OSError.
        raise NoTruthError(f"{folder} holds no truth of a town as simulate writes it ({kind_of(error)})") from error
    dated = {number: (start + dt.timedelta(days=int(number))).isoformat() for number in visits["day"].unique()}
    lines = pd.DataFrame(
        {
            "day": visits["day"].map(dated),
            "zip": zips,
            "infectious": visits["infectious"].astype(int),
        }
    )
    return lines.groupby(["day", "zip"])["infectious"].agg(visits="size", infectious="sum").sort_index()
