"""Make real rows of the verified tier from a stream of codes: generalised like their class, with a token.

Of what an outsider might know, a row holds only the values of its class (`exports.policy.verified.QUASI`); the limit in
force is left out, because it identifies the venue. `risklevel` is that of the published ZIP.
"""

import datetime as dt
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from exports.dataset.engines import arrow_schema
from exports.dataset.tables import ANSWERS, RISKLEVELS, VERIFIED
from exports.policy.domain import ANSWER_AXES, RESULT, Axis
from exports.policy.rows import values_of
from exports.policy.verified import ANY, LADDER, QUASI, published_value

# Axes of `QUASI`, in its order.
QUASI_AXES: Final = ("zip", "hour", "readingtype", "accesslevel", "type_of_scan", "location_maxcapacity")
# A row's own values, as recorded, which no outsider knows.
OWN: Final = ("duration", "m_score", "s_score", "temp", "o2")
# Columns of codes.
CODES: Final = (*QUASI_AXES, *ANSWERS, "result", *OWN)
TOKEN_BYTES: Final = 16
Codes = Mapping[str, NDArray[np.int64]]
_SCHEMA: Final = arrow_schema(VERIFIED)


def token(key: bytes, tag: bytes) -> bytes:
    """Return a pass's token. Without the day's random key, which is deleted, it looks like a random number."""
    return hmac.digest(key, tag, hashlib.sha256)[:TOKEN_BYTES]


@dataclass(frozen=True)
class RowMaker:
    """A maker of one day's rows. `axes`: by name; `levels`: index in `RISKLEVELS`, by published ZIP and pattern.

    A pattern of answers is 8 symptoms + 4 diagnosed + 2 contact + near.
    """

    day: dt.date
    axes: Mapping[str, Axis]
    levels: Mapping[str, Sequence[int]]

    def batch(self, codes: Codes, steps: NDArray[np.int64], tokens: list[str]) -> pa.RecordBatch:
        """Return rows in the schema of the table; `steps` is the step of the ladder of each row's class."""
        count = len(tokens)
        made = {
            "scandate": self._published("hour", codes, steps),
            "scannerdevice_zipcode": self._published("zip", codes, steps),
            "userid": pa.array(tokens, pa.string()),
            "scan_date": pa.repeat(pa.scalar(self.day, pa.date32()), count),
            "risklevel": self._risklevel(codes, steps),
        }
        for name in ("readingtype", "accesslevel", "type_of_scan", "location_maxcapacity"):
            made[name] = self._published(name, codes, steps)
        for axis in (*ANSWER_AXES, RESULT, *(self.axes[name] for name in OWN if name in self.axes)):
            kind = _SCHEMA.field(axis.name).type
            made[axis.name] = values_of(axis, kind).take(pa.array(codes[axis.name]))
        columns = [
            made[field.name].cast(field.type) if field.name in made else pa.nulls(count, field.type)
            for field in _SCHEMA
        ]
        return pa.RecordBatch.from_arrays(columns, schema=_SCHEMA)

    def _published(self, name: str, codes: Codes, steps: NDArray[np.int64]) -> pa.Array:
        return self._values[name].take(pa.array(steps * len(self.axes[name].values) + codes[name]))

    def _risklevel(self, codes: Codes, steps: NDArray[np.int64]) -> pa.Array:
        pattern = sum(codes[name] << (3 - place) for place, name in enumerate(ANSWERS))
        zips = np.where(steps == len(LADDER) - 1, 0, codes["zip"])
        table = np.array([self.levels[zip3] for zip3 in self.axes["zip"].values])
        return pa.array(RISKLEVELS).take(pa.array(table[zips, pattern]))

    @cached_property
    def _values(self) -> dict[str, pa.Array]:
        """Return the published value for each step and code of an axis, one step after the other."""
        found = {}
        for quasi, name in zip(QUASI, QUASI_AXES, strict=True):
            texts = [
                published_value(quasi, value, step) for step in range(len(LADDER)) for value in self.axes[name].values
            ]
            found[name] = pa.array([self._cell(name, text) for text in texts])
        return found

    def _cell(self, name: str, text: str) -> str | int | None:
        if name == "hour":
            return f"{self.day.isoformat()}T{text}:30:00.000Z"
        if name == "zip":
            return text + "00" if text else ""
        if text == ANY:
            return None
        return int(text) if name == "location_maxcapacity" else text
