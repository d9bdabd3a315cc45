"""The tables of the open dataset, described once.

Everything else that describes a column is generated from here: Athena's DDL, Glue's definition, the Arrow and Iceberg
schemas (`exports.dataset.engines`), the data dictionary, `datapackage.json`, Croissant
(`exports.dataset.descriptors`) and the checks before a release. The names and types of the first 22 columns are the
contract: published queries depend on them.
"""

import csv
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from importlib.resources import files
from typing import Final, Literal

Kind = Literal["string", "bigint", "double", "boolean", "date"]


class Zone(StrEnum):
    """The zone of a table, which decides who may read it; `ZONES` describes them."""

    LANDING = "landing"
    VERIFIED = "verified"
    OPEN = "open"
    LIVE = "live"


@dataclass(frozen=True)
class ZoneDescription:
    """The contents of a zone, their sensitivity, owner and readers."""

    zone: Zone
    meaning: str
    sensitivity: str
    readers: str
    kept: str
    owner: str = "the operator of the deployment"


ZONES: Final = (
    ZoneDescription(
        Zone.LANDING,
        "Passes, refusals and scans as they came in: rows of the operational database. No file of the lake lies here.",
        "answers and visits of people, joined to no person",
        "the programs of the deployment; nobody by hand",
        "14 days from the epoch's end",
    ),
    ZoneDescription(
        Zone.VERIFIED,
        "Real scans of marked passes in classes of at least 30, diverse in what must not be learnt.",
        "rows of people, generalised; the open tier's bound does not hold towards readers",
        "organisations that the operator approved, with credentials that expire; every access is audited",
        "until erased by their holders",
    ),
    ZoneDescription(
        Zone.OPEN,
        "Synthetic rows and the noisy counts they are drawn from, released once a closed day.",
        "nothing of a person beyond the stated bound (differential privacy)",
        "anyone, without an account",
        "for good: released counts are public and cannot be recalled",
    ),
    ZoneDescription(
        Zone.LIVE,
        "How busy areas were half an hour ago, made when it is asked for.",
        "bands of whole areas; outside the release's guarantee",
        "anyone, without an account",
        "not at all",
    ),
)


class Sensitivity(StrEnum):
    """What a value of a column could reveal about a person."""

    NOTHING = "nothing"  # describes the table, a place or a day
    SYNTHETIC = "synthetic"  # drawn from noisy counts, belongs to nobody
    INDIRECT = "indirect"  # could identify a visit, so it is generalised
    HEALTH = "health"  # an answer or a reading, protected by the diversity of its class


@dataclass(frozen=True)
class Column:
    """One column: `minimum` and `maximum` are inclusive and in `unit`; `values` lists all a text may be."""

    name: str
    kind: Kind
    meaning: str
    required: bool = False
    unit: str = ""
    values: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    pattern: str = ""
    sensitivity: Sensitivity = Sensitivity.NOTHING


@dataclass(frozen=True)
class Table:
    """One table. `partition` names its identity partition; rows of a day are sorted by `sort`."""

    name: str
    zone: Zone
    title: str
    meaning: str
    columns: tuple[Column, ...]
    owner: str = "the operator of the deployment"
    partition: str = ""
    sort: tuple[str, ...] = ()

    def column(self, name: str) -> Column:
        """Return the column of that name; raise `KeyError`."""
        return {column.name: column for column in self.columns}[name]

    @property
    def names(self) -> tuple[str, ...]:
        """Return the columns' names, in order."""
        return tuple(column.name for column in self.columns)


RESULTS: Final = ("Approved", "Declined")
OUTCOMES: Final = ("Approved", "Declined", "Refused")
RISKLEVELS: Final = ("Low", "Moderate", "High")
SCAN_TYPES: Final = ("Checkin", "Checkout")
ACCESSLEVELS: Final = ("Private", "Public")
READINGTYPES: Final = ("Gate", "Personal")
ANSWERS: Final = ("symptoms", "diagnosed", "contact", "near")

SCANDATE_PATTERN: Final = r"\d{4}-\d{2}-\d{2}T\d{2}:[0-5]\d:[0-5]\d\.\d{3}Z"
ZIP_PATTERN: Final = r"(\d{3}00)?"
# The ends of the histograms' bins. No living person has a temperature or oxygen saturation outside of them.
TEMPERATURE_F: Final = (94.0, 106.0)
OXYGEN_PERCENT: Final = (80, 100)

_SCAN_DATE = Column("scan_date", "date", "the epoch's calendar day; partition of the table", required=True)


def _crowd_columns(
    *, person: Sensitivity, health: Sensitivity, token: str, time: str, place: str
) -> tuple[Column, ...]:
    return (
        Column(
            "scandate",
            "string",
            f"time of the scan as an ISO 8601 text; {time}",
            required=True,
            pattern=SCANDATE_PATTERN,
            sensitivity=person,
        ),
        Column("scannerdeviceid", "string", "token of the scanning device; always null, it would name the place"),
        Column(
            "scannerdevice_zipcode",
            "string",
            f"ZIP of the device's place; {place}; empty text when unknown",
            required=True,
            pattern=ZIP_PATTERN,
            sensitivity=person,
        ),
        Column(
            "location_maxcapacity",
            "bigint",
            "people the place can hold, as the lower end of its band",
            unit="people",
            minimum=0,
            sensitivity=person,
        ),
        Column(
            "location_capacity_enforcedlimit",
            "bigint",
            "limit in force in percent of capacity, as the lower end of its band",
            unit="percent",
            minimum=0,
            maximum=100,
            sensitivity=person,
        ),
        Column("location_op_hours", "string", "opening hours of the place; always null, they would name the place"),
        Column("userdeviceid", "string", "token of the visitor's phone; always null, a phone has none"),
        Column(
            "type_of_scan",
            "string",
            "Checkin or Checkout: Checkout if the pass ever checked out; null where noise exceeds what it would show",
            values=SCAN_TYPES,
            sensitivity=person,
        ),
        Column("userid", "string", f"token of the visitor; {token}"),
        Column(
            "duration",
            "bigint",
            "seconds taken to answer the survey (not dwell time), as the middle of its bin",
            unit="seconds",
            minimum=0,
            maximum=3600,
            sensitivity=person,
        ),
        Column(
            "risklevel",
            "string",
            "class given by the platform: chance of being infectious from the answers and the area's published "
            "prevalence",
            required=True,
            values=RISKLEVELS,
            sensitivity=health,
        ),
        Column(
            "accesslevel",
            "string",
            "kind of door: Public or Private; null where noise exceeds what it would show",
            values=ACCESSLEVELS,
            sensitivity=person,
        ),
        Column(
            "readingtype",
            "string",
            "kind of scanner: Gate (kiosk) or Personal (smart phone); null where noise exceeds what it would show",
            values=READINGTYPES,
            sensitivity=person,
        ),
        Column(
            "temp",
            "double",
            "temperature reading, as the middle of its bin; null where readings are not published",
            unit="degrees Fahrenheit",
            minimum=TEMPERATURE_F[0],
            maximum=TEMPERATURE_F[1],
            sensitivity=health,
        ),
        Column(
            "o2",
            "bigint",
            "blood oxygen reading, as the middle of its bin; null where readings are not published",
            unit="percent",
            minimum=OXYGEN_PERCENT[0],
            maximum=OXYGEN_PERCENT[1],
            sensitivity=health,
        ),
        Column(
            "symptoms",
            "boolean",
            "past 2 weeks: shortness of breath, fever, loss of taste or smell, new cough",
            required=True,
            sensitivity=health,
        ),
        Column(
            "diagnosed",
            "boolean",
            "past 2 weeks: diagnosed or waiting for a test result",
            required=True,
            sensitivity=health,
        ),
        Column(
            "contact",
            "boolean",
            "past 2 weeks: in contact with someone diagnosed or waiting",
            required=True,
            sensitivity=health,
        ),
        Column("near", "boolean", "past 2 weeks: near someone with those symptoms", required=True, sensitivity=health),
        Column(
            "m_score",
            "double",
            "mask usage score of the visit, 1 (nobody) to 5 (everybody), by the pass's own rating; null if not rated",
            minimum=1,
            maximum=5,
            sensitivity=person,
        ),
        Column(
            "s_score",
            "double",
            "social distancing score of the visit, 1 to 5, by the pass's own rating; null if not rated",
            minimum=1,
            maximum=5,
            sensitivity=person,
        ),
        Column(
            "result",
            "string",
            "Approved or Declined: the server's own verdict on the pass at its first Checkin scan, or the refusal at "
            "check-in; a full or closed place, a replay and the device do not count against a pass",
            required=True,
            values=RESULTS,
            sensitivity=health,
        ),
        _SCAN_DATE,
    )


CROWD_TRACING: Final = Table(
    name="aspirevc_crowd_tracing",
    zone=Zone.OPEN,
    title="Crowd tracing scans",
    meaning="Synthetic scans, drawn from counts released once a day under differential privacy. No row is a person's.",
    columns=_crowd_columns(
        person=Sensitivity.SYNTHETIC,
        health=Sensitivity.SYNTHETIC,
        token="always null, a stable token would single people out",  # noqa: S106 - a meaning, no secret
        time="the epoch's day and local hour at half past, written with Z, after midnight 23; noon sharp where noise "
        "exceeds what the hours would show",
        place="three digits and 00",
    ),
    partition="scan_date",
    sort=("scannerdevice_zipcode",),
)

ZIP3: Final = Table(
    name="aspirevc_crowd_tracing_zipcode_3digits",
    zone=Zone.OPEN,
    title="States of 3-digit ZIP codes",
    meaning="One row for each 3-digit ZIP code that is in use, with its state or territory.",
    columns=(
        Column("zip", "string", "first three digits of a ZIP code", required=True, pattern=r"\d{3}"),
        Column("state", "string", "USPS abbreviation of the state or territory", required=True, pattern=r"[A-Z]{2}"),
    ),
    sort=("zip",),
)

DP_COUNTS: Final = Table(
    name="aspirevc_crowd_tracing_dp_counts",
    zone=Zone.OPEN,
    title="Noisy counts behind the scans",
    meaning="Every count that was drawn for a day, with the scale of its noise, and the interval of the counted "
    "check-ins behind it. The rows of aspirevc_crowd_tracing hold nothing that is not in here.",
    columns=(
        _SCAN_DATE,
        Column("measure", "string", "which table of counts: the attributes it counts by", required=True),
        Column("zip", "string", "first three digits of the ZIP, empty when unknown; null if not counted by"),
        Column("risklevel", "string", "class of risk; null if not counted by", values=RISKLEVELS),
        Column(
            "result",
            "string",
            "Approved, Declined at a door or Refused at check-in (both Declined in the rows); null if not counted by",
            values=OUTCOMES,
        ),
        Column("symptoms", "boolean", "answer; null if not counted by"),
        Column("diagnosed", "boolean", "answer; null if not counted by"),
        Column("contact", "boolean", "answer; null if not counted by"),
        Column("near", "boolean", "answer; null if not counted by"),
        Column("bucket", "string", "hour, value or bin of the one attribute in `measure`; null if there is none"),
        Column("noisy_count", "bigint", "the count of marked passes with its noise; may be negative", required=True),
        Column(
            "noise_scale",
            "double",
            "scale b of the discrete Laplace noise: P(x) ~ exp(-|x|/b)",
            required=True,
            minimum=0,
        ),
        Column(
            "low",
            "bigint",
            "lower end of the 95 % interval of the counted check-ins: the marked passes behind noisy_count and the one "
            "in ten that a coin leaves out",
            required=True,
        ),
        Column("high", "bigint", "upper end of the 95 % interval of the counted check-ins", required=True),
        Column(
            "suppressed",
            "boolean",
            "too small to publish for its ZIP: its rows are under the empty ZIP",
            required=True,
        ),
        Column("released_count", "bigint", "rows of the day in this cell; null where the column is null for the day"),
    ),
    partition="scan_date",
    sort=("measure", "zip"),
)

GEO_TYPES: Final = ("nation", "state", "zip3")
SIGNAL_NAMES: Final = (
    "checkins", "approved", "declined", "refused", "low", "moderate", "high", *ANSWERS,
)  # fmt: skip

SIGNALS: Final = Table(
    name="aspirevc_crowd_tracing_signals",
    zone=Zone.OPEN,
    title="Signals",
    meaning="Counted check-ins by day and by week, unbiased and with their standard errors: negative values are kept, "
    "none is suppressed. Use these for estimates; the rows of aspirevc_crowd_tracing are a convenience.",
    columns=(
        Column(
            "geo_type",
            "string",
            "nation (the whole deployment), state or zip3 (3-digit ZIP area)",
            required=True,
            values=GEO_TYPES,
        ),
        Column(
            "geo_value",
            "string",
            "us, letters of the state in small letters, or the three digits; empty text where the ZIP is unknown",
            required=True,
        ),
        Column(
            "time_value",
            "string",
            "a day as 2021-03-01, or an ISO week as 2021-W09 (Monday to Sunday)",
            required=True,
            pattern=r"\d{4}-(\d{2}-\d{2}|W\d{2})",
        ),
        Column("signal", "string", "what is counted", required=True, values=SIGNAL_NAMES),
        Column("value", "double", "counted check-ins; may be negative", required=True, unit="check-ins"),
        Column("stderr", "double", "standard error of value", required=True, unit="check-ins", minimum=0),
        Column(
            "sample_size",
            "bigint",
            "all counted check-ins of the same area and time, estimated and not below 0",
            required=True,
            unit="check-ins",
            minimum=0,
        ),
        Column("scan_date", "date", "the day, or the last day of the week; partition of the table", required=True),
    ),
    partition="scan_date",
    sort=("geo_type", "geo_value", "signal"),
)

VERIFIED: Final = Table(
    name="aspirevc_crowd_tracing_verified",
    zone=Zone.VERIFIED,
    title="Crowd tracing scans, verified tier",
    meaning="Real scans of marked passes in classes of at least 30, for approved organisations. The open tier's bound "
    "does not hold towards its readers.",
    columns=_crowd_columns(
        person=Sensitivity.INDIRECT,
        health=Sensitivity.HEALTH,
        token="a fresh random token for each pass, never the same for two",  # noqa: S106 - a meaning, no secret
        time="generalised to the hour, a part of the day, or noon",
        place="three digits and 00, or empty",
    ),
    partition="scan_date",
    sort=("scannerdevice_zipcode",),
)

LIVE_CROWD: Final = Table(
    name="live_crowd",
    zone=Zone.LIVE,
    title="Live crowd bands",
    meaning="How busy an area was half an hour ago, as a band. Outside the release's guarantee.",
    columns=(
        Column("zip", "string", "first three digits of the venues' ZIP", required=True, pattern=r"\d{3}"),
        Column("state", "string", "USPS abbreviation of the state or territory"),
        Column("as_of", "string", "end of the half hour that was counted, ISO 8601 with Z", required=True),
        Column("venues", "bigint", "verified venues behind the band, at least 3", required=True, minimum=3),
        Column(
            "band",
            "string",
            "people inside against the places' enforced capacity",
            required=True,
            values=("empty", "quiet", "busy", "full"),
        ),
    ),
    sort=("zip",),
)

_DAILY_COUNTS: Final = (
    ("total", "of the day and state"),
    ("approved", "whose result is Approved"),
    ("declined", "whose result is Declined"),
    ("low", "of risklevel Low"),
    ("moderate", "of risklevel Moderate"),
    ("high", "of risklevel High"),
    ("symptoms", "that say yes to symptoms"),
    ("diagnosed", "that say yes to diagnosed"),
    ("contact", "that say yes to contact"),
    ("near", "that say yes to near"),
)

DAILY: Final = Table(
    name="daily_by_state",
    zone=Zone.OPEN,
    title="Daily counts by state",
    meaning="The rows of aspirevc_crowd_tracing counted by day and state, as one CSV file for those without SQL.",
    columns=(
        _SCAN_DATE,
        Column(
            "state",
            "string",
            "USPS abbreviation of the state or territory; null where the ZIP is unknown or too small to publish",
            pattern=r"[A-Z]{2}",
        ),
        *(
            Column(f"{name}_count", "bigint", f"rows {meaning}", required=True, unit="rows", minimum=0)
            for name, meaning in _DAILY_COUNTS
        ),
        *(
            Column(
                f"{name}_stderr",
                "double",
                f"standard error of the rows {meaning}; null where no count of the state tells",
                unit="rows",
                minimum=0,
            )
            for name, meaning in _DAILY_COUNTS
        ),
    ),
    sort=("scan_date", "state"),
)
# Tables of the lake that anyone may read.
OPEN_TABLES: Final = (CROWD_TRACING, ZIP3, DP_COUNTS, SIGNALS)
TABLES: Final = (*OPEN_TABLES, DAILY, VERIFIED, LIVE_CROWD)


def table(name: str) -> Table:
    """Return the table of that name; raise `KeyError`."""
    return {each.name: each for each in TABLES}[name]


@lru_cache(maxsize=1)
def states_by_zip3() -> dict[str, str]:
    """Return the state of each 3-digit ZIP code in use, from the list of `venues`."""
    text = (files("venues") / "data" / "zip3.csv").read_text(encoding="utf-8")
    return {row["zip3"]: row["state"] for row in csv.DictReader(text.splitlines())}
