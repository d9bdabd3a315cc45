"""Pictures that hosts print on a poster: read strictly, drawn once, kept nowhere."""

import io
from typing import Final

from PIL import ExifTags, Image, ImageOps

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
            small = _in_8_bits(found)
            small.thumbnail((SHOWN_POINTS, SHOWN_POINTS))
            drawn = _upright(small.convert("RGBA"), _orientation(found))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise BadLogo from error
    white = Image.new("RGB", drawn.size, "white")
    white.paste(drawn, mask=drawn.getchannel("A"))
    out = io.BytesIO()
    white.save(out, "PNG")
    return out.getvalue()


def _in_8_bits(image: Image.Image) -> Image.Image:
    """Return a grey picture of 16 bits with 8; Pillow would cut off its values instead of dividing them."""
    return image.point(lambda value: value / 257).convert("L") if image.mode.startswith("I") else image


def _orientation(image: Image.Image) -> int | None:
    """Return how a camera was held; nothing if its notes are damaged."""
    try:
        noted = image.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # Pillow raises errors of many kinds for damaged notes
        return None
    return noted if isinstance(noted, int) else None


def _upright(image: Image.Image, orientation: int | None) -> Image.Image:
    """Return a picture turned as its camera was held, without any other note: Pillow fails to copy a damaged one."""
    image.info.clear()
    if orientation is None:
        return image
    image.getexif()[ExifTags.Base.Orientation] = orientation
    return ImageOps.exif_transpose(image)
