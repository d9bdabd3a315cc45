"""Days in the URLs of these pages."""

import datetime as dt

from django.http import HttpRequest
from django.utils.translation import gettext as _

from common.web.problems import NotFound


def day_of(request: HttpRequest, name: str) -> dt.date | None:
    """Return the day of a URL; `None` if there is none."""
    text = request.GET.get(name, "")
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError:
        raise NotFound(_("There is no release for that day.")) from None
