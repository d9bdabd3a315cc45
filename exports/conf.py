"""Settings of this room, each with its default; a deployment sets them in `crowdtrace.settings`.

What reads the settings is loaded by every process; the libraries behind their types only by those that use them.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from django.conf import settings

if TYPE_CHECKING:
    from exports.engine.engine import Limits
    from exports.lake.storage import Storage
    from exports.policy.profile import Limits as DriftLimits
    from exports.policy.verified import ClassPolicy

# A day is closed this many days after it began: scans may come late by as much, and no later one counts.
LATENESS: Final = dt.timedelta(days=3)


def _get(name: str, default: Any) -> Any:
    return getattr(settings, name, default)


def database() -> str:
    """Name of the dataset's database, as researchers write it."""
    return str(_get("DATASET_DATABASE", "covid-19"))


def publisher() -> str:
    """Who publishes the dataset, as citations name them."""
    return str(_get("DATASET_PUBLISHER", "CrowdTrace"))


def budget() -> float:
    """Epsilon that one release may cost one secret for its day."""
    return float(_get("DATASET_EPSILON", 1.0))


def readings() -> bool:
    """Whether temperature and oxygen are stored for the dataset."""
    return bool(settings.PUBLISH_READINGS)


def publishes_verified_rows() -> bool:
    """Whether real rows of marked passes are written for approved organisations."""
    return bool(settings.PUBLISH_VERIFIED_ROWS)


def storage() -> Storage:
    """Where the lake lies."""
    from exports.lake.storage import Storage

    return Storage(
        url=settings.LAKE_URL,
        endpoint=_get("LAKE_S3_ENDPOINT", ""),
        region=_get("LAKE_S3_REGION", "us-east-1"),
        access_key=_get("LAKE_S3_ACCESS_KEY", ""),
        secret_key=_get("LAKE_S3_SECRET_KEY", ""),
    )


def catalogue_url() -> str:
    """PostgreSQL of the lake's catalogue: the deployment's own, unless one is named."""
    return str(_get("LAKE_CATALOGUE_URL", "")) or database_url()


def database_url() -> str:
    """The deployment's own PostgreSQL, for connections beside Django's."""
    given = settings.DATABASES["default"]
    user, password = quote(str(given["USER"]), safe=""), quote(str(given["PASSWORD"]), safe="")
    name = quote(str(given["NAME"]), safe="")
    return f"postgresql://{user}:{password}@{given['HOST']}:{given['PORT'] or 5432}/{name}"


def glue_endpoint() -> str | None:
    """Address of the Glue that catalogues the lake, empty for Amazon's own; `None` where PostgreSQL does."""
    return str(_get("LAKE_GLUE_ENDPOINT", "")) if _get("LAKE_CATALOGUE", "postgres") == "glue" else None


def athena_mode() -> str:
    """What answers Athena's protocol at /athena: `local`, `forward` (Athena itself), or nothing."""
    return str(settings.ATHENA)


def athena_work_group() -> str:
    """The workgroup that queries run in."""
    return str(_get("ATHENA_WORKGROUP", "")) or f"{database()}-researchers"


def athena_endpoint() -> str | None:
    """Address of the Athena that queries are forwarded to; `None` for Amazon's own."""
    return str(_get("ATHENA_ENDPOINT", "")) or None


def drift_limits() -> DriftLimits:
    """How far a day may move from the one before it to be published unseen."""
    from exports.policy.profile import Limits

    return Limits(**_get("DATASET_DRIFT_LIMITS", {}))


def class_policy() -> ClassPolicy:
    """What a class of the verified tier must meet."""
    from exports.policy.verified import ClassPolicy

    return ClassPolicy(**_get("VERIFIED_CLASSES", {}))


def query_limits() -> Limits:
    """What one query may use."""
    from exports.engine.engine import Limits

    return Limits(**_get("QUERY_LIMITS", {}))


def work_folder() -> Path:
    """A folder of this machine for locks of running queries."""
    import tempfile

    return Path(str(_get("QUERY_SLOTS", tempfile.gettempdir())))
