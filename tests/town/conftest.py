"""The running copy of the pages' tests shows the demonstration too."""

from tests.site.conftest import copy  # noqa: F401
