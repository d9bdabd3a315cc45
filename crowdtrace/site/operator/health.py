"""Health endpoints: whether the process responds, and whether it can work."""

import logging
from collections.abc import Callable, Mapping
from typing import Final

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from redis import RedisError

from common import valkey
from common.tables import migrations_missing
from common.time import deployment_zone, utc_now
from common.web.problems import MethodNotAllowed
from exports.lake import deployment
from passes.models import IssuerKey

log = logging.getLogger(__name__)

READING: Final = ("GET", "HEAD")


def healthz(request: HttpRequest) -> HttpResponse:
    """Respond with 200 as long as the process responds; check nothing else."""
    _only_reading(request)
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> HttpResponse:
    """Respond with 200 if everything that requests need is available, else 503 and the names of what is missing."""
    _only_reading(request)
    missing = [name for name, is_there in states(CHECKS).items() if is_there is False]
    body = {"status": "missing" if missing else "ok", "missing": missing}
    return JsonResponse(body, status=503 if missing else 200, headers={"Retry-After": "5"} if missing else {})


def states(checks: Mapping[str, Callable[[], bool]]) -> dict[str, bool | None]:
    """Return whether each check passes; `None` if it uses a database that has just failed to respond.

    Each further query would wait as long as the first.
    """
    found: dict[str, bool | None] = {}
    for name, check in checks.items():
        unknown = name in ASK_DATABASE and found.get("database") is False
        found[name] = None if unknown else passes(name, check)
    return found


def _only_reading(request: HttpRequest) -> None:
    if request.method not in READING:
        raise MethodNotAllowed(READING)


def passes(name: str, check: Callable[[], bool]) -> bool:
    """Return whether a check passes. A store that does not respond fails its check, and the error is logged."""
    try:
        return check()
    except (DatabaseError, RedisError) as error:
        log.warning("not ready: %s", name, exc_info=error)
        return False


def _database() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return bool(cursor.fetchone() == (1,))


def _valkey() -> bool:
    return bool(valkey.client().ping())


def _limits() -> bool:
    return bool(valkey.limits().ping())


def _migrations() -> bool:
    return not migrations_missing()


def _secrets() -> bool:
    """Check that secrets are set: without an environment the settings use zeros, which suffice for tools only."""
    return any(settings.MASTER_KEY) and any(settings.PEPPER)


def _issuer_key() -> bool:
    """Check that the key which signs today's passes exists."""
    return IssuerKey.objects.filter(epoch=utc_now().astimezone(deployment_zone()).date()).exists()


ASK_DATABASE: Final = ("migrations", "issuer key")
CHECKS: Final[dict[str, Callable[[], bool]]] = {
    "database": _database,
    "valkey": _valkey,
    "migrations": _migrations,
    "secrets": _secrets,
    "issuer key": _issuer_key,
}
WITHOUT: Final[dict[str, Callable[[], bool]]] = {"limits": _limits, "lake": deployment.responds}
"""Parts that requests can do without, so that a server without them is still ready."""
