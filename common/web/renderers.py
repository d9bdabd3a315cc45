"""How answers are written."""

from collections.abc import Iterable, Mapping
from typing import Any

from rest_framework import renderers
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


class JSONRenderer(renderers.JSONRenderer):
    """Compact JSON, one text a value: an indent asked for in `Accept` would give one ETag to two texts."""

    def get_indent(self, accepted_media_type: str, renderer_context: Mapping[str, Any]) -> None:  # noqa: ARG002
        """None."""
        return


class OneForm(DefaultContentNegotiation):
    """The first renderer of a view, whatever `Accept` says: for programs that know what they get."""

    def select_renderer(
        self,
        request: Request,  # noqa: ARG002
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,  # noqa: ARG002
    ) -> tuple[BaseRenderer, str]:
        """The renderer and its media type."""
        first = next(iter(renderers))
        return first, str(first.media_type)
