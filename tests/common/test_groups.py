"""Tests that share an expensive server run in one worker of pytest-xdist."""

import os

import pytest


@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="needs workers of pytest-xdist")
def test_a_test_is_in_the_group_of_its_file(request: pytest.FixtureRequest) -> None:
    """Without the suffix, xdist would spread the tests of each file over all workers, which start everything twice."""
    assert request.node.nodeid.endswith("@tests/common/test_groups.py")
