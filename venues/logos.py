"""Pictures that hosts print on a poster: read strictly, drawn once, kept nowhere."""

import io
from typing import Final

from PIL import Image, ImageOps

MOST_BYTES: Final = 1024 * 1024
MOST_POINTS: Final = 4000
"""Width and height at most: a small file may unpack to a picture that fills the memory."""
SHOWN_POINTS: Final = 900
FORMATS: Final = ("PNG", "JPEG")


class BadLogo(ValueError):
    """What was sent is no picture that is drawn here."""


def clean_logo(data: bytes) -> bytes:
    """Return a picture as a small PNG on white, without what a camera wrote into it; raise `BadLogo`."""
    if len(data) > MOST_BYTES:
        raise BadLogo
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as found:
            if max(found.size) > MOST_POINTS:
                raise BadLogo
            found.thumbnail((SHOWN_POINTS, SHOWN_POINTS))
            drawn = ImageOps.exif_transpose(found).convert("RGBA")  # a camera notes which way is up
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise BadLogo from error
    white = Image.new("RGB", drawn.size, "white")
    white.paste(drawn, mask=drawn.getchannel("A"))
    out = io.BytesIO()
    white.save(out, "PNG")
    return out.getvalue()
