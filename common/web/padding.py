"""Responses whose size says nothing of what is in them: a member `pad` fills them up."""

from typing import Any

from common.web.renderers import JSONRenderer


def padded(body: dict[str, Any], *, step: int) -> dict[str, Any]:
    """Return the body with a `pad` that makes its JSON a multiple of `step` bytes long."""
    missing = -len(JSONRenderer().render(body | {"pad": ""})) % step
    return body | {"pad": "0" * missing}
