"""Problem details of this app."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.web.problems import FieldError, Invalid, NotFound, Problem, TooMany, Unavailable
from exports.engine.errors import QueryBusyError, QueryError
from exports.lake.errors import LakeAwayError
from exports.selectors import UnknownReleaseError

RETRY_SECONDS = 2


class RangeNotSatisfiable(Problem):
    """A requested part begins past the end of a file of `size` bytes."""

    status = HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
    slug = "range-not-satisfiable"
    title = gettext_lazy("The file has no such part")
    help = gettext_lazy("Ask for bytes within the size that the list of files and the header Content-Range name.")

    def __init__(self, size: int) -> None:
        super().__init__(headers={"Content-Range": f"bytes */{size}"})


class QueryInvalid(Invalid):
    """A query is refused, fails or exceeds a limit; the problem has the position and similar known names."""

    def __init__(self, error: QueryError, pointer: str) -> None:
        super().__init__(errors=[FieldError(pointer, _located(error), error.code)])
        self.error = error

    def body(self) -> dict[str, Any]:
        """Return the members of the problem; positions in the text count from 1 and are null if unknown."""
        place = {"line": self.error.line, "column": self.error.column, "nearest": list(self.error.nearest)}
        return super().body() | place


def _located(error: QueryError) -> str:
    if error.line is None:
        return error.detail
    place = {"line": error.line, "column": error.column, "detail": error.detail}
    return _("Line %(line)d, column %(column)d: %(detail)s") % place


@contextmanager
def query_problems(pointer: str) -> Iterator[None]:
    """Convert errors of a query to problems; `pointer` is the location of its text in the request."""
    try:
        yield
    except QueryError as error:
        raise QueryInvalid(error, pointer) from error
    except QueryBusyError as error:
        raise TooMany(_("As many queries are running as may."), retry_after=RETRY_SECONDS) from error
    except LakeAwayError as error:
        raise Unavailable from error
    except UnknownReleaseError as error:
        raise NotFound(_("There is no release for that day.")) from error
