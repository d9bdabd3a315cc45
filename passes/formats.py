"""Formats of a credential. Separate from `render`, whose libraries check-ins and doors do not need."""

from enum import StrEnum
from typing import Final


class Format(StrEnum):
    """The formats of a credential."""

    SVG = "svg"
    PNG = "png"
    NDEF = "ndef"
    PKPASS = "pkpass"

    @property
    def content_type(self) -> str:
        """Return the media type of the bytes."""
        return _CONTENT_TYPES[self]


_CONTENT_TYPES: Final = {
    Format.SVG: "image/svg+xml",
    Format.PNG: "image/png",
    Format.NDEF: "application/octet-stream",  # there is no registered type for a raw NDEF message
    Format.PKPASS: "application/vnd.apple.pkpass",
}
