"""Renderers of responses."""

from collections.abc import Iterable, Mapping
from typing import Any

from rest_framework import renderers
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


class JSONRenderer(renderers.JSONRenderer):
    """Compact JSON, one text for each value: an indent requested in `Accept` would give two texts the same ETag."""

    def get_indent(self, accepted_media_type: str, renderer_context: Mapping[str, Any]) -> None:  # noqa: ARG002
        """Return `None`, for no indent."""
        return


class OneForm(DefaultContentNegotiation):
    """Content negotiation that always selects the first renderer of a view, for clients that do not negotiate."""

    def select_renderer(
        self,
        request: Request,  # noqa: ARG002
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,  # noqa: ARG002
    ) -> tuple[BaseRenderer, str]:
        """Return the renderer and its media type."""
        first = next(iter(renderers))
        return first, str(first.media_type)
