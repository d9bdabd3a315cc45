"""What somebody typed into a form that was sent after the session had ended: it waits for the log-in.

It waits in the anonymous session of this browser, for ten minutes, and is given back once, to the page it was typed
into. What opens something (passwords, codes, tokens) is never kept.
"""

import datetime as dt
import re
from typing import Final

from django.http import HttpRequest

from common.time import utc_now
from common.web import throttles
from common.web.problems import Problem

LIVES: Final = dt.timedelta(minutes=10)
MOST_CHARACTERS: Final = 8_000
"""Of all fields together; no form of ours takes more."""
_KEY: Final = "typed"
_SECRET: Final = re.compile("password|code|token")


def keep(request: HttpRequest) -> None:
    """Keep what a refused form holds. It counts as an attempt to log in, so that nobody fills our tables this way."""
    if request.method != "POST":
        return
    try:
        throttles.check(request, "login")
    except Problem:
        return
    fields = {name: value for name, value in request.POST.items() if not _SECRET.search(name)}
    if fields and sum(len(name) + len(str(value)) for name, value in fields.items()) <= MOST_CHARACTERS:
        request.session[_KEY] = [request.path, (utc_now() + LIVES).timestamp(), fields]
        request.session.set_expiry(int(LIVES.total_seconds()))


def take(request: HttpRequest) -> dict[str, str] | None:
    """What was typed into this page, once; `None` where nothing waits."""
    path, until, fields = request.session.get(_KEY, ("", 0.0, {}))
    if path != request.path:
        return None
    del request.session[_KEY]
    return fields if utc_now().timestamp() < until else None
