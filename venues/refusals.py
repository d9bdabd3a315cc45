"""Problems of this app with a code that a program can act on."""

from collections.abc import Mapping
from typing import Any

from common.web.problems import Conflict, FieldError, Unauthorized


def conflict(code: str, detail: Any, *, pointer: str = "") -> Conflict:
    """Return a 409 whose only error has this code."""
    return Conflict(detail, errors=[FieldError(pointer, detail, code)])


def too_many(detail: str, most: int) -> Conflict:
    """Return a 409 for exceeding a limit of `most`; `detail` names the limit as `%(most)d`."""
    return conflict("too_many", detail % {"most": most})


class NotLoggedIn(Unauthorized):
    """A 401 of log-in; its only error has the code `wrong_credentials`, `second_factor_needed` or `wrong_code`."""

    def __init__(
        self, code: str = "", detail: Any = None, *, scheme: str = "Session", headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail, scheme=scheme, headers=headers)
        self.errors = [FieldError("", self.detail, code)]
