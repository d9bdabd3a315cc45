"""The front of a web process. It handles slow clients, so that threads of the application never wait for one.

A request is read completely, up to the size limit of its URL and for `BODY_SECONDS` at most. Only then does it take a
thread, in the lane that `WEB_LANES` names for its URL: doors have threads that no other request can take. A request
that finds no free place gets 503 with `Retry-After`. The response leaves its thread as a whole; long files are read one
part at a time, each in a thread. The connection of a client that receives nothing for `ANSWER_SECONDS` is closed.

A response of the application at a URL of `ANSWER_MOMENTS`, errors included, is sent at a moment of its own
(`common.web.moments`), after its thread is free again. A refusal for lack of a thread contains no information and is
sent at once.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse
from django.utils import translation

from common import measures
from common.database import limit_waits
from common.web.gateway import WHOLE_BYTES, Answer, Application, Environ, as_answer, call, environ_of, set_body
from common.web.lanes import Full, Lane
from common.web.middleware import SecurityHeadersMiddleware, body_limit
from common.web.moments import moments_of, wait_for_moment
from common.web.problems import BadRequest, Problem, ServerError, TookTooLong, Unavailable, answer
from common.web.stalled import let_go

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

RETRY_SECONDS: Final = 2
"""Seconds after which a request that found no place may be retried."""
FILE_THREADS: Final = 2
"""Threads that read long files, part by part."""
CLOSE: Final = (b"connection", b"close")

log = logging.getLogger(__name__)


class Front:
    """The ASGI application in front of a WSGI application."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._lanes = {name: _lane(name, **limits) for name, limits in settings.WEB_LANES.items()}
        self._files = ThreadPoolExecutor(FILE_THREADS, thread_name_prefix="files")
        self._large_bytes = 0  # of bodies that are being read, beyond the limit of every URL

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Respond to one request."""
        if scope["type"] != "http":
            raise ValueError("only HTTP is served")  # tells the server that lifespan is not supported
        environ = environ_of(scope)
        try:
            await self._read(environ, receive)
        except Problem as problem:
            # The rest of the body may still arrive; it must not be taken for another request.
            await self._send(send, refusal(environ, problem, CLOSE))
            let_go(scope.get("client"))  # the server does not always close it
            return
        await self._send(send, await self._answer(environ))

    async def _answer(self, environ: Environ) -> Answer:
        """Return the application's response, at the moment when it may be sent."""
        arrived, path = asyncio.get_running_loop().time(), environ["PATH_INFO"]
        body_bytes = environ["wsgi.input"].getbuffer().nbytes  # of what was read, not of what was promised
        name = settings.WEB_LANE_OF.get(path, settings.WEB_LANE_OF_OTHERS)
        try:
            found = await self._lanes[name].run(partial(call, self._application, environ))
        except Full:
            measures.count(measures.TURNED_AWAY, name)
            return refusal(environ, Unavailable(retry_after=RETRY_SECONDS))
        except Exception:
            log.exception("the application failed")
            found = refusal(environ, ServerError())
        measures.observe(measures.REQUESTS, asyncio.get_running_loop().time() - arrived, name)
        measures.count(measures.RESPONSES, name, f"{found.status // 100}xx")
        if moments := moments_of(path):
            await wait_for_moment(moments, arrived, body_bytes, found.moment_part)
        return found

    async def _read(self, environ: Environ, receive: Receive) -> None:
        """Attach the body to the request.

        A body that is too long is not read (or no further): the application refuses it by its length. Raise
        `BadRequest` for a body that ends early, `TookTooLong`, and `Unavailable` if others fill the memory.
        """
        declared, limit = environ.get("CONTENT_LENGTH", ""), body_limit(environ["PATH_INFO"])
        if declared.isdecimal() and int(declared[:20]) > limit:
            return
        if not declared and "HTTP_TRANSFER_ENCODING" not in environ:
            return
        large = 0
        body = bytearray()
        try:
            async with asyncio.timeout(settings.BODY_SECONDS):
                more = True
                while more and len(body) <= limit:
                    message = await receive()
                    if message["type"] != "http.request":
                        raise BadRequest
                    body += message.get("body", b"")
                    more = message.get("more_body", False)
                    self._large_bytes -= large
                    large = max(0, len(body) - settings.BODY_LIMIT_BYTES)
                    self._large_bytes += large
                    if self._large_bytes > settings.LARGE_BODIES_BYTES:
                        raise Unavailable(retry_after=RETRY_SECONDS)
        except TimeoutError:
            raise TookTooLong from None
        finally:
            self._large_bytes -= large
        set_body(environ, bytes(body))

    async def _send(self, send: Send, found: Answer) -> None:
        """Send the response. If the client stops receiving, return early, which closes the connection."""
        try:
            await send({"type": "http.response.start", "status": found.status, "headers": found.headers})
            at = 0
            while found.rest is not None or len(found.body) - at > WHOLE_BYTES:
                part = found.body[at : at + WHOLE_BYTES] or await self._next_part(found)
                if not part:
                    break
                at += len(part)
                async with asyncio.timeout(settings.ANSWER_SECONDS):
                    await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body", "body": found.body[at:]})
        except TimeoutError:
            return
        finally:
            if found.rest is not None:
                await self._in_files(found.rest.response.close)

    async def _next_part(self, found: Answer) -> bytes:
        return await self._in_files(found.rest.read) if found.rest is not None else b""

    def _in_files(self, work: Callable[[], Any]) -> Awaitable[Any]:
        return asyncio.get_running_loop().run_in_executor(self._files, work)


def _lane(name: str, *, database: float, **limits: Any) -> Lane:
    return Lane(name, **limits, prepare=partial(limit_waits, database))


def refusal(environ: Environ, problem: Problem, *headers: tuple[bytes, bytes]) -> Answer:
    """Return the response to a request that gets no thread, in the format and language of any other refusal."""

    def refuse(request: HttpRequest) -> HttpResponse:
        return answer(request, problem)

    request = WSGIRequest(environ)
    with translation.override(translation.get_language_from_request(request)):
        response = SecurityHeadersMiddleware(refuse)(request)
    found = as_answer(response, b"" if environ["REQUEST_METHOD"] == "HEAD" else b"".join(response))
    return Answer(found.status, [*found.headers, *headers], found.body)
