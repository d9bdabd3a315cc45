"""Text files that people hand to commands, as editors and spreadsheets write them."""

import codecs
from pathlib import Path
from typing import Final

# Those of UTF-32 first: in little-endian order they begin like that of UTF-16.
_MARKS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class UnreadableFileError(ValueError):
    """A file that cannot be read as text; the text is a sentence."""


def read_text(path: Path) -> str:
    """Return the text of a file in UTF-8, or in what its byte order mark says, without the mark.

    Raises `UnreadableFileError` for a file that is missing, is a folder, may not be read or holds no text.
    """
    return text_of(path, read_bytes(path))


def read_bytes(path: Path) -> bytes:
    """Return what is in a file; raises `UnreadableFileError`."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise UnreadableFileError(f"There is no file {path}.") from None
    except IsADirectoryError:
        raise UnreadableFileError(f"{path} is a folder, not a file.") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "its name is no path"
        raise UnreadableFileError(f"{path} cannot be read: {reason}.") from None


def text_of(path: Path, content: bytes) -> str:
    """Return the text of a file's content; raises `UnreadableFileError`."""
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), "utf-8-sig")
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding != "utf-8-sig":
            raise UnreadableFileError(f"{path} is not text in {encoding.upper()}, as its first bytes say.") from None
        raise UnreadableFileError(f"{path} is not text in UTF-8: byte {error.start + 1} is no part of it.") from None
