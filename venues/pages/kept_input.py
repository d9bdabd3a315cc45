"""Input of a form that was sent after the session had ended: it is kept until the log-in.

It is kept in the anonymous session of this browser, for ten minutes, and returned once, to the page it was entered on.
Secrets (passwords, codes, tokens) are never kept.
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
"""Limit of all fields together, in characters; no form of ours takes more."""
_KEY: Final = "typed"
_SECRET: Final = re.compile("password|code|token")


def keep(request: HttpRequest) -> None:
    """Keep the content of a refused form.

    It counts as an attempt to log in, so that nobody can fill our tables this way.
    """
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
    """Return the input for this page, once; `None` if nothing was kept."""
    path, until, fields = request.session.get(_KEY, ("", 0.0, {}))
    if path != request.path:
        return None
    del request.session[_KEY]
    return fields if utc_now().timestamp() < until else None
