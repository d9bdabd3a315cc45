"""The error of a lake whose bucket or catalogue does not respond."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from common.away import AwayError

_SILENT: Final = re.compile(
    r"AWS Error (NETWORK_CONNECTION|SERVICE_UNAVAILABLE|SLOW_DOWN|INTERNAL_FAILURE|REQUEST_TIMEOUT|THROTTLING"
    r"|UNKNOWN \(HTTP status 5\d\d\))"
)
"""pyarrow's words for an S3 that does not respond; its others, such as ACCESS_DENIED, are of the configuration."""


class LakeAwayError(AwayError):
    """The lake's files or its catalogue cannot be reached at the moment; try again later."""


@contextmanager
def reaching_the_lake() -> Iterator[None]:
    """Raise `LakeAwayError` for the errors of libraries that say that a bucket or a catalogue does not respond.

    pyarrow raises `OSError` without a number for S3, boto3 errors of its own, and pyiceberg those of SQLAlchemy.
    """
    try:
        yield
    except LakeAwayError:
        raise
    except Exception as error:
        if _is_away(error):
            raise LakeAwayError("the lake cannot be read at the moment") from error
        raise


def _is_away(error: Exception) -> bool:
    if isinstance(error, OSError):
        return _SILENT.search(str(error)) is not None
    from botocore.exceptions import ClientError, CredentialRetrievalError, HTTPClientError
    from botocore.exceptions import ConnectionError as EndpointError
    from psycopg import OperationalError
    from sqlalchemy.exc import OperationalError as SqlAlchemyError

    if isinstance(error, ClientError):
        return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)) >= 500
    return isinstance(
        error, (EndpointError, HTTPClientError, CredentialRetrievalError, OperationalError, SqlAlchemyError)
    )
