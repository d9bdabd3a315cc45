"""The front of a web process: it holds what is slow, so that threads of the application never wait for a client.

A request is read whole, up to the limit of its address and for `BODY_SECONDS` at most, and only then takes a thread, of
the lane that `WEB_LANES` names for its address: doors have threads that nothing else can take. One that finds no place
gets 503 with `Retry-After`. The answer leaves its thread whole; of long files a thread reads one part at a time. A
client that takes nothing for `ANSWER_SECONDS` is let go.

What the application answers at an address of `ANSWER_MOMENTS`, an error included, leaves at a moment of its own
(`common.web.moments`): its thread is free before. A refusal for want of a thread knows nothing and leaves at once.
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
from common.web.gateway import WHOLE_BYTES, Answer, Application, Environ, as_answer, call, environ_of, set_body
from common.web.lanes import Full, Lane
from common.web.middleware import SecurityHeadersMiddleware, body_limit
from common.web.moments import moments_of, wait_for_moment
from common.web.problems import BadRequest, Problem, ServerError, TookTooLong, Unavailable, answer

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

RETRY_SECONDS: Final = 2
"""After which a request that found no place may come again."""
FILE_THREADS: Final = 2
"""They read long files, part by part."""
CLOSE: Final = (b"connection", b"close")

log = logging.getLogger(__name__)


class Front:
    """The ASGI application in front of a WSGI application."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._lanes = {name: Lane(name, **limits) for name, limits in settings.WEB_LANES.items()}
        self._files = ThreadPoolExecutor(FILE_THREADS, thread_name_prefix="files")
        self._large_bytes = 0  # of bodies that are being read, beyond what any address takes

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            raise ValueError("only HTTP is served")  # how an application says that it knows no lifespan
        environ = environ_of(scope)
        try:
            await self._read(environ, receive)
        except Problem as problem:
            # The rest of the body may still come; it must not be taken for a request.
            await self._send(send, refusal(environ, problem, CLOSE))
            return
        await self._send(send, await self._answer(environ))

    async def _answer(self, environ: Environ) -> Answer:
        """The application's answer, at the moment when it may leave."""
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
            await wait_for_moment(moments, arrived, body_bytes)
        return found

    async def _read(self, environ: Environ, receive: Receive) -> None:
        """Give the request its body.

        One that is too long is not read (or no further): the application refuses it, by its length. Raises
        `BadRequest` for one that ends early, `TookTooLong`, and `Unavailable` where others fill the memory.
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
        """Send the answer; return, which ends the connection, once the client takes no more of it."""
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


def refusal(environ: Environ, problem: Problem, *headers: tuple[bytes, bytes]) -> Answer:
    """The answer to a request that no thread takes, in the form and language of any other refusal."""

    def refuse(request: HttpRequest) -> HttpResponse:
        return answer(request, problem)

    request = WSGIRequest(environ)
    with translation.override(translation.get_language_from_request(request)):
        response = SecurityHeadersMiddleware(refuse)(request)
    found = as_answer(response, b"" if environ["REQUEST_METHOD"] == "HEAD" else b"".join(response))
    return Answer(found.status, [*found.headers, *headers], found.body)
