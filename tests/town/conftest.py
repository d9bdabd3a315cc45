"""The running copy of the tests of pages also shows the demonstration."""

from tests.site.conftest import copy  # noqa: F401
