"""Retry a request without repeating its effect (draft-ietf-httpapi-idempotency-key-header-07).

A POST may carry `Idempotency-Key`: 16 to 128 visible characters, best a random UUID. The first successful response is
stored for a day and returned for retries; a refused request changed nothing and is simply processed again. A retry that
arrives while the first request is in progress gets 409 with `Retry-After`; the same key with another body gets 422.

Stored are a keyed hash of caller, URL and key; a keyed hash of the body; and the response, encrypted with a key derived
from the master key and the Idempotency-Key, which itself is not stored. The response is written in the same transaction
as the effect, so that both or neither are committed. The mark *in progress* is written before; a mark whose process
died is taken over after a minute.
"""

import datetime as dt
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Final

from django.db import connection, transaction
from django.http import HttpResponse
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.crypto import b64decode, b64encode, decrypt_with, derived_key, encrypt_with, keyed_hash
from common.models import RememberedAnswer
from common.time import utc_now
from common.web.problems import InProgress, Invalid, KeyReused
from common.web.renderers import JSONRenderer

HEADER: Final = "Idempotency-Key"
KEY_PATTERN: Final = r'^("[!#-~]{16,128}"|[!#-~]{16,128})$'
TAKEN_OVER_AFTER: Final = dt.timedelta(minutes=1)
KEPT_HEADERS: Final = ("Location", "ETag")

Handler = Callable[..., Response | HttpResponse]


@dataclass(frozen=True)
class _Names:
    """The hashes that identify a request; none of them reveals the key, the caller or the body."""

    row: bytes
    body: bytes
    secret: bytes


def idempotent(handler: Handler) -> Handler:
    """Make a handler of an API view safe to retry. It runs in a separate transaction."""

    @wraps(handler)
    def repeatable(view: APIView, request: Request, *args: Any, **kwargs: Any) -> Response | HttpResponse:
        key = read_key(request)
        if key is None:
            return handler(view, request, *args, **kwargs)
        names = _names(request, key)
        stamp = utc_now()
        known = _claim(names, stamp)
        if known is not None:
            return known
        try:
            with transaction.atomic():
                response = handler(view, request, *args, **kwargs)
                if 200 <= response.status_code < 300:
                    return _remember(names, stamp, response)
        except BaseException:
            _forget(names, stamp)
            raise
        _forget(names, stamp)
        return response

    repeatable.is_idempotent = True  # type: ignore[attr-defined]
    return repeatable


def read_key(request: Request) -> str | None:
    """Return the key of a request without quotes; `None` if there is none. Raise `Invalid`."""
    text = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if text is None:
        return None
    if not re.fullmatch(KEY_PATTERN, text):
        raise Invalid.field(f"{HEADER}:", _("16 to 128 visible characters, best a random UUID."), "format")
    return str(text).strip('"')


def _names(request: Request, key: str) -> _Names:
    user = getattr(request.user, "pk", None)
    caller = [request.META.get("HTTP_AUTHORIZATION", ""), "" if user is None else str(user)]
    scope = json.dumps([request.method, request.path, caller, key]).encode()
    body = json.dumps([request.content_type]).encode() + request._request.body
    return _Names(
        row=keyed_hash("idempotency", scope),
        body=keyed_hash("idempotency body", hashlib.sha256(scope).digest() + hashlib.sha256(body).digest()),
        secret=hashlib.sha256(derived_key("idempotency") + scope).digest(),
    )


def _claim(names: _Names, stamp: dt.datetime) -> HttpResponse | None:
    """Mark the request as in progress, or return its stored response. Raise `InProgress` or `KeyReused`."""
    if _insert(names, stamp):
        return None
    row = RememberedAnswer.objects.filter(key_hash=names.row).first()
    if row is None:
        raise InProgress
    if bytes(row.request_hash) != names.body:
        raise KeyReused
    if row.status is not None and row.answer is not None:
        return _recall(names, bytes(row.answer))
    if abs(stamp - row.at) < TAKEN_OVER_AFTER:  # a mark of the future is from before the clock was set back
        raise InProgress
    taken = RememberedAnswer.objects.filter(key_hash=names.row, at=row.at, status=None).update(at=stamp)
    if not taken:
        raise InProgress
    return None


def _insert(names: _Names, stamp: dt.datetime) -> bool:
    """Write the mark in a single statement, so that only one of two equal requests is first; return whether it was."""
    table = connection.ops.quote_name(RememberedAnswer._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (key_hash, request_hash, at) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",  # noqa: S608
            [names.row, names.body, stamp],
        )
        return bool(cursor.rowcount == 1)


def _remember(names: _Names, stamp: dt.datetime, response: Response | HttpResponse) -> HttpResponse:
    """Store the response together with the effect.

    If the mark was taken over, raise `InProgress`, which undoes both.
    """
    if isinstance(response, Response):
        body = JSONRenderer().render(response.data) if response.data is not None else b""
        content_type = "application/json"
    else:
        body, content_type = response.content, response["Content-Type"]
    headers = {name: response[name] for name in KEPT_HEADERS if name in response}
    kept = [response.status_code, headers | {"Content-Type": content_type}, b64encode(body)]
    answer = encrypt_with(names.secret, json.dumps(kept).encode())
    row = RememberedAnswer.objects.filter(key_hash=names.row, at=stamp, status=None)
    if not row.update(status=response.status_code, answer=answer):
        raise InProgress
    return _recall(names, answer)


def _recall(names: _Names, answer: bytes) -> HttpResponse:
    status, headers, body = json.loads(decrypt_with(names.secret, answer))
    return HttpResponse(b64decode(body), status=status, headers=headers)


def _forget(names: _Names, stamp: dt.datetime) -> None:
    RememberedAnswer.objects.filter(key_hash=names.row, at=stamp, status=None).delete()
