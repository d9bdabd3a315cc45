"""Responses whose size says nothing of what is in them: a member `pad` fills them up.

They are sent with `UNCHANGED`: a proxy that compressed them would undo it.
"""

from typing import Any, Final

from common.web.renderers import JSONRenderer

UNCHANGED: Final = {"Cache-Control": "no-store, no-transform"}


def padded(body: dict[str, Any], *, step: int) -> dict[str, Any]:
    """Return the body with a `pad` that makes its JSON a multiple of `step` bytes long."""
    missing = -len(JSONRenderer().render(body | {"pad": ""})) % step
    return body | {"pad": "0" * missing}
