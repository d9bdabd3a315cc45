"""The Valkey clients of a process."""

from functools import lru_cache

from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry


@lru_cache(maxsize=4)
def _client(url: str) -> "Redis":
    # One immediate retry: a connection that the server closed while idle is opened again.
    return Redis.from_url(
        url,
        socket_timeout=settings.STORE_SECONDS,
        socket_connect_timeout=settings.STORE_SECONDS,
        retry=Retry(NoBackoff(), 1),
        decode_responses=False,
    )


def client() -> "Redis":
    """Return the client of `REDIS_URL`, the broker and cache. It is thread-safe: connections come from a pool."""
    return _client(settings.REDIS_URL)


def limits() -> "Redis":
    """Return the client of `LIMITS_URL`, where rate limits are counted."""
    return _client(settings.LIMITS_URL)
