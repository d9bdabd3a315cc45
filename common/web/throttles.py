"""Rate limits in Valkey, shared by all web processes.

Windows slide (two counters, the older one weighted by the part of it that still counts; the scripts are those of the
`limits` library, atomic in the server). A request takes one round trip. If Valkey is unavailable, requests pass,
because a door must not close over a lost counter; this is logged once a minute.

No IP address is stored. The counter's name contains an HMAC of it under a random key that changes each day (UTC) and
lives in the memory of web processes and of the Valkey at `LIMITS_URL`, which writes nothing to disk (it is encrypted
there too); it expires with its day.

Responses carry `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-10), refusals `Retry-After`.
"""

import datetime as dt
import hashlib
import hmac
import logging
import math
import secrets
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple

import limits
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from limits.storage import RedisStorage
from redis import Redis, RedisError
from redis.exceptions import ConnectionError, NoScriptError  # noqa: A004 - the library's name
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from common import measures, valkey
from common.crypto import Unreadable, decrypt, encrypt
from common.outage import Outage
from common.time import utc_now
from common.web import problems
from common.web.clients import client_network, wide_network
from common.web.problems import Forbidden, TooMany, Unauthorized

if TYPE_CHECKING:
    # The settings of the API name this module, so it is imported before views are.
    from rest_framework.views import APIView

PREFIX: Final = "crowdtrace:limit"
KEY_NAME: Final = "crowdtrace:limit-key"
KEY_LIVES: Final = dt.timedelta(days=1, minutes=5)  # one day, and a margin for clocks that differ
ROUNDING_SECONDS: Final = 0.002  # lifetimes of counters are in whole milliseconds

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Verdict:
    """The result of a limit for one request."""

    scope: str
    allowed: bool
    quota: int
    window: int  # seconds
    remaining: int
    reset: int  # seconds until more requests are allowed; after a refusal, until one more is


@dataclass(frozen=True)
class Window:
    """The two counters of a sliding window of `seconds`.

    `current` counts in full, `previous` with the weight `previous_s / seconds`. `current_s` is the remaining lifetime
    of the current counter: its window ends, and it becomes the previous one, `seconds` before that.
    """

    quota: int
    seconds: int
    previous: int
    previous_s: float
    current: int
    current_s: float

    @property
    def shift(self) -> float:
        """Return the seconds until the current counter becomes the previous one."""
        return max(0.0, self.current_s - self.seconds)

    def remaining(self) -> int:
        """Return how many more requests are allowed now."""
        return max(0, self.quota - self.current - math.floor(self.previous * self.previous_s / self.seconds))

    def wait(self) -> float:
        """Return the seconds until one more request is allowed, if none is counted before; 0 if one is allowed now."""
        if self.remaining():
            return 0.0
        if self.current < self.quota:
            # The previous counter must decay until its share is below the rest of the quota.
            return max(0.0, self.previous_s - (self.quota - self.current) * self.seconds / self.previous)
        # The current counter becomes the previous one and decays as well.
        return self.shift + self.seconds * (1 - self.quota / self.current)


class _Counting(NamedTuple):
    """A counter and the number to add."""

    key: str
    quota: int
    window: int
    cost: int


_Counted = tuple[int, list[bytes | int | None]]
"""Whether the script allowed it, and the counters with their remaining lifetimes."""


class _Store:
    """The counters in one Valkey: count and read several windows in one round trip.

    Of the library's storage it uses the texts of two scripts and nothing else; `tests/common/web/test_throttles.py`
    compares keys, counts and lifetimes with those that the library's own class has.
    """

    _COUNT: Final = b"""
        local function acquire(KEYS, ARGV) %b end
        local function read(KEYS, ARGV) %b end
        local window = tonumber(ARGV[2]) * 1000
        if redis.call('pttl', KEYS[1]) > window or redis.call('pttl', KEYS[2]) > 2 * window then
            -- The server's clock was set back: these would count for as long as it was.
            redis.call('del', KEYS[1], KEYS[2])
        end
        return {acquire(KEYS, ARGV), read(KEYS, {ARGV[2]})}
    """ % (RedisStorage.SCRIPT_ACQUIRE_SLIDING_WINDOW, RedisStorage.SCRIPT_SLIDING_WINDOW)

    def __init__(self, client: "Redis") -> None:
        self._pool = client.connection_pool
        self._script = client.register_script(self._COUNT)
        self._kept: list[Any] = []

    def count(self, asked: Sequence[_Counting]) -> list[_Counted]:
        calls = [(_keys(one.key), [one.quota, one.window, one.cost]) for one in asked]
        try:
            return self._ask(calls)
        except (NoScriptError, ConnectionError):
            # The server lost the script, or closed the connection: use the client's slower way, which sends both again.
            return [self._script(keys, arguments) for keys, arguments in calls]

    def _ask(self, calls: list[tuple[list[str], list[int]]]) -> list[_Counted]:
        """Run the script for all calls in one round trip, without the client's wrapping, in a third of the time.

        Connections are taken from the pool permanently, as many as there are threads that count at the same time,
        because taking one and returning it takes longer than the command. A connection that the server closed in the
        meantime fails, and `count` then uses the client's way.
        """
        try:
            connection = self._kept.pop()
        except IndexError:
            connection = self._pool.get_connection()
        try:
            commands = [("EVALSHA", self._script.sha, len(keys), *keys, *arguments) for keys, arguments in calls]
            connection.send_packed_command(connection.pack_commands(commands))
            answers: list[_Counted] = [connection.read_response() for _ in commands]
        except BaseException:
            connection.disconnect()  # a pending response must not be taken for that of another request
            self._pool.release(connection)
            raise
        self._kept.append(connection)
        return answers


def _keys(key: str) -> list[str]:
    """Return the keys of the previous and the current counter, as the library names them."""
    return [f"{PREFIX}:{{{key}}}/-1", f"{PREFIX}:{{{key}}}"]


@lru_cache(maxsize=4)
def _store(client: "Redis") -> _Store:
    return _Store(client)


@lru_cache(maxsize=64)
def _limit(text: str) -> tuple[int, int]:
    item = limits.parse(text)
    return item.amount, item.get_expiry()


outage: Final = Outage("rate limits are off because Valkey is not available")


class Asked(NamedTuple):
    """A count: `cost` requests of `identity` against the limit `scope` of the settings."""

    scope: str
    identity: bytes | str
    cost: int = 1


def quota(scope: str) -> int:
    """Return how many requests a limit of the settings allows in its window."""
    return _limit(settings.THROTTLES[scope])[0]


def hit(scope: str, identity: bytes | str, *, cost: int = 1) -> Verdict | None:
    """Count `cost` requests of `identity` against the limit `scope` of the settings; `None` if Valkey is not available.

    `identity` is hashed with the key of the day before it is sent anywhere.
    """
    verdicts = hit_all(Asked(scope, identity, cost))
    return verdicts[0] if verdicts else None


def hit_all(*asked: Asked) -> list[Verdict]:
    """Count against several limits in one round trip, each separately; empty if Valkey is not available."""
    if outage.lasts():
        return []
    try:
        counted = _store(valkey.limits()).count([_counting(one) for one in asked])
    except RedisError as error:
        outage.note(error)
        return []
    outage.clear()
    verdicts = [_verdict(one.scope, *answer) for one, answer in zip(asked, counted, strict=True)]
    for verdict in verdicts:
        if not verdict.allowed:
            measures.count(measures.LIMITED, verdict.scope)
    return verdicts


def _counting(asked: Asked) -> _Counting:
    quota, window = _limit(settings.THROTTLES[asked.scope])
    key = f"{asked.scope}/{quota}/{window}/{_pseudonym(asked.scope, asked.identity)}"
    return _Counting(key, quota, window, asked.cost)


def _verdict(scope: str, passes: int, counters: Sequence[bytes | int | None]) -> Verdict:
    quota, window = _limit(settings.THROTTLES[scope])
    allowed = bool(passes)
    previous, previous_ms, current, current_ms = (max(0, int(value or 0)) for value in counters)
    counted = Window(quota, window, previous, previous_ms / 1000, current, current_ms / 1000)
    reset = math.ceil(counted.shift) if allowed else max(1, math.ceil(counted.wait() + ROUNDING_SECONDS))
    return Verdict(scope, allowed, quota, window, counted.remaining() if allowed else 0, reset)


# The day's key --------------------------------------------------------------------------------------------------------
class _DayKey(NamedTuple):
    day: str
    url: str
    key: bytes
    started: hmac.HMAC  # with its key set, to be copied: creating one is slower than the hash


_key_of_day: _DayKey | None = None
_key_lock = threading.Lock()


def _day_key() -> _DayKey:
    global _key_of_day  # noqa: PLW0603
    day = utc_now().date().isoformat()
    known = _key_of_day
    if known is not None and known[:2] == (day, settings.LIMITS_URL):
        return known
    with _key_lock:
        key = _shared_key(day)
        _key_of_day = _DayKey(day, settings.LIMITS_URL, key, hmac.new(key, digestmod=hashlib.sha256))
        return _key_of_day


def _shared_key(day: str) -> bytes:
    """Return the key that all processes use on `day`; the first to ask creates it."""
    name = f"{KEY_NAME}:{day}"
    client = valkey.limits()
    proposed = encrypt("rate-limit-key", secrets.token_bytes(32))
    stored = client.set(name, proposed, nx=True, get=True, ex=int(KEY_LIVES.total_seconds()))
    try:
        return decrypt("rate-limit-key", stored if isinstance(stored, bytes) else proposed)
    except Unreadable:
        # Left by a deployment with another master key.
        client.set(name, proposed, ex=int(KEY_LIVES.total_seconds()))
        return decrypt("rate-limit-key", proposed)


def _pseudonym(scope: str, identity: bytes | str) -> str:
    value = identity if isinstance(identity, bytes) else identity.encode("utf-8", "backslashreplace")
    keyed = _day_key().started.copy()
    keyed.update(scope.encode() + b"\0" + value)
    return keyed.digest()[:16].hex()


# Use by views ---------------------------------------------------------------------------------------------------------
def check(request: HttpRequest, scope: str, identity: bytes | str | None = None, *, cost: int = 1) -> None:
    """Count a request of a plain view, by its IP address unless `identity` is given. Raise `TooMany`."""
    verdict = _count(request, scope, client_network(request) if identity is None else identity, cost=cost)
    if verdict is not None and not verdict.allowed:
        raise TooMany(retry_after=verdict.reset)


def check_all(request: HttpRequest, *asked: Asked, quietly: Sequence[Asked] = ()) -> None:
    """Count a request against several limits at once.

    Raise `TooMany`. Headers report a quiet limit only if it refuses.
    """
    verdicts = hit_all(*asked, *quietly)
    request.__dict__.setdefault("rate_limit_verdicts", []).extend(
        verdict for at, verdict in enumerate(verdicts) if at < len(asked) or not verdict.allowed
    )
    for verdict in verdicts:
        if not verdict.allowed:
            raise TooMany(retry_after=verdict.reset)


def exception_handler(exc: Exception, context: Mapping[str, Any]) -> HttpResponse:
    """Handle an exception like `problems.exception_handler`, and count failed authentication by IP address.

    Views authenticate before they count, so that devices behind one address do not share a limit. Without this handler,
    tokens could be guessed without limit, with a database query for each.
    """
    request: HttpRequest = context["request"]._request
    problem = problems.from_exception(exc)
    if isinstance(problem, Unauthorized | Forbidden) and "rate_limit_verdicts" not in request.__dict__:
        try:
            check(request, AddressThrottle.scope)
        except TooMany as refusal:
            exc = refusal
    return problems.exception_handler(exc, context)


def _count(request: HttpRequest, scope: str, identity: bytes | str, *, cost: int = 1) -> Verdict | None:
    verdict = hit(scope, identity, cost=cost)
    if verdict is not None:
        request.__dict__.setdefault("rate_limit_verdicts", []).append(verdict)
    return verdict


def write_headers(request: HttpRequest, response: HttpResponseBase) -> None:
    """Report the limits that this request was counted against."""
    verdicts: list[Verdict] | None = request.__dict__.get("rate_limit_verdicts")
    if verdicts:
        response.headers["RateLimit-Policy"] = ", ".join(f'"{v.scope}";q={v.quota};w={v.window}' for v in verdicts)
        response.headers["RateLimit"] = ", ".join(f'"{v.scope}";r={v.remaining};t={v.reset}' for v in verdicts)


class AddressThrottle(BaseThrottle):
    """Limit requests of one IP address."""

    scope: ClassVar[str] = "address"
    _verdict: Verdict | None = None

    def identity(self, request: Request, view: "APIView") -> bytes | str:  # noqa: ARG002
        """Return the identity to count."""
        return client_network(request._request)

    def allow_request(self, request: Request, view: "APIView") -> bool:
        """Count the request."""
        self._verdict = _count(request._request, self.scope, self.identity(request, view))
        return self._verdict is None or self._verdict.allowed

    def wait(self) -> float | None:
        """Return the seconds until one more request is allowed."""
        return None if self._verdict is None else float(self._verdict.reset)


class DrawThrottle(AddressThrottle):
    """Limit registration and draws of tickets."""

    scope = "draw"


class RegistrationThrottle(AddressThrottle):
    """Limit registration for a whole network.

    A stadium is one, so the limit only slows down the mass creation of keys.
    """

    scope = "registration"

    def identity(self, request: Request, view: "APIView") -> str:  # noqa: ARG002
        """Return the identity to count."""
        return wide_network(request._request)


class LoginThrottle(AddressThrottle):
    """Limit attempts to log in."""

    scope = "login"


class EnrolThrottle(AddressThrottle):
    """Limit attempts to enrol a device."""

    scope = "enrol"


class DeviceThrottle(AddressThrottle):
    """Limit requests of one device, wherever it is; `request.auth` is the device and has a `public_id`."""

    scope = "device"

    def identity(self, request: Request, view: "APIView") -> bytes | str:
        """Return the device's public id; its IP address if it is not authenticated."""
        public_id: Any = getattr(request.auth, "public_id", None)
        return str(public_id) if public_id else super().identity(request, view)
