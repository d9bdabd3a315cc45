"""Text files that people hand to commands, as editors and spreadsheets write them."""

import codecs
from pathlib import Path
from typing import Final

_UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class UnreadableFileError(ValueError):
    """A file that cannot be read as text; the text is a sentence."""


def read_text(path: Path) -> str:
    """Return the text of a file in UTF-8, or in what its byte order mark says, without the mark.

    Raises `UnreadableFileError` for a file that is missing, is a folder, may not be read or holds no text.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise UnreadableFileError(f"There is no file {path}.") from None
    except IsADirectoryError:
        raise UnreadableFileError(f"{path} is a folder, not a file.") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "its name is no path"
        raise UnreadableFileError(f"{path} cannot be read: {reason}.") from None
    try:
        return content.decode("utf-16" if content.startswith(_UTF_16) else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableFileError(f"{path} is not text in UTF-8: byte {error.start + 1} is no part of it.") from None
