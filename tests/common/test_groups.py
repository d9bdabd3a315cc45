"""Tests that share an expensive server run in one worker of pytest-xdist, and find it started once."""

import ast
import os
import re
from collections.abc import Iterator

import pytest

from embedded.home import CHECKOUT

SHARED = re.compile(r"@pytest\.fixture\(scope=\"(?!function)\w+\".*\)\ndef (\w+)")


@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="needs workers of pytest-xdist")
def test_a_test_is_in_the_group_of_its_file(request: pytest.FixtureRequest) -> None:
    """Without the suffix, xdist would spread the tests of each file over all workers, which start everything twice."""
    assert request.node.nodeid.endswith("@tests/common/test_groups.py")


def imported(source: str) -> Iterator[tuple[str, str]]:
    """Yield the module and the name of each import from a conftest in a source."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.endswith("conftest"):
            yield from ((node.module, each.name) for each in node.names)


def test_a_fixture_that_outlives_a_test_is_imported_nowhere() -> None:
    """For pytest, an imported fixture is another one, so a server would be started twice."""
    sources = {
        ".".join(path.relative_to(CHECKOUT).with_suffix("").parts): path.read_text(encoding="utf-8")
        for path in (CHECKOUT / "tests").rglob("*.py")
    }
    shared = {(module, name) for module, source in sources.items() for name in SHARED.findall(source)}
    assert {("tests.conftest", "copy"), ("tests.venues.conftest", "shared_world")} <= shared
    found = {each for source in sources.values() if "conftest import" in source for each in imported(source)}
    assert found
    assert not found & shared
