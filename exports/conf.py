"""Settings of this app, each with its default; a deployment sets them in `crowdtrace.settings`.

Settings that configure an object are read by its module: `exports.lake.deployment`, `exports.engine.deployment`
and `exports.release.thresholds`. This module is loaded by every process and imports no library.
"""

import datetime as dt
from typing import Any, Final
from urllib.parse import quote

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

# A day closes this long after it began. Scans that arrive later do not count.
LATENESS: Final = dt.timedelta(days=3)


def _get(name: str, default: Any) -> Any:
    return getattr(settings, name, default)


def database() -> str:
    """Return the name of the dataset's database, as researchers write it."""
    return str(_get("DATASET_DATABASE", "covid-19"))


def publisher() -> str:
    """Return the publisher of the dataset, as citations name it."""
    return str(_get("DATASET_PUBLISHER", "CrowdTrace"))


def budget() -> float:
    """Return the epsilon that one release may spend on one secret for its day."""
    return float(settings.DATASET_EPSILON)


def statistics_budget() -> float:
    """Return the epsilon that all figures for people who run venues may spend on one secret for one day."""
    return float(settings.OWNER_STATISTICS_EPSILON)


def weekly_from() -> dt.date | None:
    """Return the Monday from which whole weeks are drawn as one, for small deployments; `None`: draw single days.

    Raise `ImproperlyConfigured` for anything but a Monday.
    """
    given = str(_get("DATASET_WEEKLY_FROM", ""))
    if not given:
        return None
    try:
        day = dt.date.fromisoformat(given)
    except ValueError:
        day = dt.date.min + dt.timedelta(days=1)
    if day.weekday():
        raise ImproperlyConfigured(f"DATASET_WEEKLY_FROM must be a Monday such as 2026-12-07, not {given}")
    return day


def readings() -> bool:
    """Return whether temperature and oxygen are stored for the dataset."""
    return bool(settings.PUBLISH_READINGS)


def publishes_verified_rows() -> bool:
    """Return whether real rows of marked passes are written for approved organisations."""
    return bool(settings.PUBLISH_VERIFIED_ROWS)


def catalogue_url() -> str:
    """Return the URL of the lake's PostgreSQL catalogue: the deployment's own database by default."""
    return str(_get("LAKE_CATALOGUE_URL", "")) or database_url()


def database_url() -> str:
    """Return the URL of the deployment's own PostgreSQL, for connections outside Django."""
    given = settings.DATABASES["default"]
    user, password = quote(str(given["USER"]), safe=""), quote(str(given["PASSWORD"]), safe="")
    name = quote(str(given["NAME"]), safe="")
    return f"postgresql://{user}:{password}@{given['HOST']}:{given['PORT'] or 5432}/{name}"


def glue_endpoint() -> str | None:
    """Return the endpoint of the lake's Glue catalogue, empty for Amazon's own; `None` if PostgreSQL holds it."""
    return str(_get("LAKE_GLUE_ENDPOINT", "")) if _get("LAKE_CATALOGUE", "postgres") == "glue" else None


def benchmark_folder() -> str:
    """Return the folder of a contest whose leaderboard is shown; empty without one."""
    return str(_get("BENCHMARK_FOLDER", ""))


def verified_role() -> str:
    """Return the ARN of the role that the web server assumes to read the verified tier; empty: it reads as itself."""
    return str(_get("LAKE_VERIFIED_ROLE", ""))


def athena_mode() -> str:
    """Return what answers Athena's protocol at /athena: `local`, `forward` (Athena itself), or nothing."""
    return str(settings.ATHENA)


def athena_work_group() -> str:
    """Return the workgroup that queries run in."""
    return str(_get("ATHENA_WORKGROUP", "")) or f"{database()}-researchers"


def athena_endpoint() -> str | None:
    """Return the endpoint of the Athena that queries are forwarded to; `None` for Amazon's own."""
    return str(_get("ATHENA_ENDPOINT", "")) or None


def athena_results_bytes() -> int:
    """Return the bytes that the results of all queries of Athena's protocol may take together."""
    return int(_get("ATHENA_RESULTS_MB", 256)) * 1024 * 1024
