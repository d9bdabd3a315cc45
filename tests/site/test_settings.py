"""Every variable of the environment that is read is in the operators' document, and every one there is read."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from django.conf import settings

ROOT: Final = Path(settings.BASE_DIR)
READERS: Final = ("crowdtrace/settings.py", "crowdtrace/site/management/commands/serve.py", "embedded/home.py")
FUNCTIONS: Final = ("_secret", "_key")
MAPPINGS: Final = ("environ", "environment")
OF_TESTS_AND_TOOLS: Final = {"DJANGO_SETTINGS_MODULE", "NAME_FILE"}


def read_variables(source: str) -> Iterator[str]:
    """Yield names that a module reads: `env.str("NAME")`, `_secret("NAME", ...)`, `os.environ.get("NAME")`."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name = node.args[0].value if isinstance(node.args[0], ast.Constant) else None
        match node.func:
            case ast.Name(id=function) if function in FUNCTIONS and isinstance(name, str):
                yield name
            case ast.Attribute(value=ast.Name(id="env")) if isinstance(name, str):
                yield name
            case ast.Attribute(attr="get", value=(ast.Name(id=mapping) | ast.Attribute(attr=mapping))) if (
                mapping in MAPPINGS and isinstance(name, str)
            ):
                yield name


def documented_variables(text: str) -> Iterator[str]:
    """Yield names in the first column of tables."""
    for cell in re.findall(r"^\| (`[A-Z].*?) \|", text, flags=re.MULTILINE):
        yield from re.findall(r"`([A-Z][A-Z0-9_]+)(?:=[^`]*)?`", cell)


def test_variables_that_are_read_and_those_of_the_document_are_the_same() -> None:
    document = (ROOT / "docs" / "operators.md").read_text()
    read = {name for path in READERS for name in read_variables((ROOT / path).read_text())} - OF_TESTS_AND_TOOLS
    named = set(re.findall(r"`([A-Z][A-Z0-9_]+)(?:=[^`]*)?`", document))
    assert len(read) > 50
    assert sorted(read - named) == []
    assert sorted(set(documented_variables(document)) - read) == []


def test_a_variable_that_is_missing_on_either_side_is_found() -> None:
    assert set(read_variables('X = env.str("NEW", default="")\nY = _key("K", "")\nos.environ.get("HERE")')) == {
        "NEW",
        "K",
        "HERE",
    }
    assert set(documented_variables("| `ONE`, `TWO=1` | text with `THREE` |\n| `name` | |")) == {"ONE", "TWO"}
