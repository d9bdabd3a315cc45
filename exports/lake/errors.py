"""The error of a lake whose bucket or catalogue does not respond."""

from collections.abc import Iterator
from contextlib import contextmanager


class LakeAwayError(ConnectionError):
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
        # pyarrow's words for S3. Other errors are of files on this machine; a refusal is one of the configuration.
        return "AWS Error" in str(error) and "ACCESS_DENIED" not in str(error)
    from botocore.exceptions import BotoCoreError, ClientError
    from psycopg import OperationalError
    from sqlalchemy.exc import OperationalError as SqlAlchemyError

    if isinstance(error, ClientError):
        return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)) >= 500
    return isinstance(error, (BotoCoreError, OperationalError, SqlAlchemyError))
