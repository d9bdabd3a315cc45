"""Structure that the layers contract in `pyproject.toml` cannot check: circles, new packages, facades, SQL."""

import ast
import re
import tomllib
from collections.abc import Iterator
from graphlib import TopologicalSorter
from itertools import chain
from pathlib import Path
from typing import Final

import grimp
import pytest
from django.apps import apps

from embedded.home import CHECKOUT

# Folders with Python files that are not part of the running system; nothing in it imports them.
AROUND: Final = {"benchmarks", "docs", "tests", "tools"}
# Packages in which no `__init__.py` passes on what another file defines.
WITHOUT_FACADES: Final = ("crowdtrace", "exports", "venues", "common")
# Packages in which no file but `reads.py` names another app's table.
READING_IN_READS: Final = ("crowdtrace", "exports", "risk", "passes", "venues", "common", "embedded")

_LINTER: Final = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
LAYERS: Final = [
    name.strip()
    for contract in _LINTER["contracts"]
    if contract["type"] == "layers"
    for layer in contract["layers"]
    for name in layer.split("|")
]
APP_OF_TABLE: Final = {
    model._meta.db_table: model._meta.app_config.name for model in apps.get_models(include_auto_created=True)
}
_TABLE: Final = re.compile(rf"\b(?:{'|'.join(map(re.escape, APP_OF_TABLE))})\b")


def packages() -> set[str]:
    """Return the top-level packages of the running system."""
    folders = {file.parent.name for file in CHECKOUT.glob("*/*.py")}
    return {name for name in folders if name.isidentifier()} - AROUND


# Imports --------------------------------------------------------------------------------------------------------------
def test_no_files_import_each_other_in_a_circle() -> None:
    """Imports in functions and for type checkers count too. A circle raises `CycleError`, which names its files."""
    graph = grimp.build_graph(*sorted(packages() | AROUND - {"tools"}), cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    assert len(list(TopologicalSorter(imports).static_order())) > 500


def test_every_package_has_a_place_in_the_layers_contract() -> None:
    parts = {f"crowdtrace.{path.stem}" for path in (CHECKOUT / "crowdtrace").iterdir() if path.stem[0].isalpha()}
    assert set(_LINTER["root_packages"]) == packages()
    assert set(LAYERS) == packages() - {"crowdtrace"} | parts


@pytest.mark.parametrize("package", WITHOUT_FACADES)
def test_a_package_passes_on_nothing_of_its_files(package: str) -> None:
    """A name is imported from the file that defines it, so that an import leads to the code."""
    inits = (CHECKOUT / package).rglob("__init__.py")
    assert not {str(init.relative_to(CHECKOUT)): found for init in inits if (found := project_imports(init))}


def project_imports(file: Path) -> list[str]:
    """Return the packages of this project that a file imports from, the empty text for a relative import."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    named = [each.name for node in ast.walk(tree) if isinstance(node, ast.Import) for each in node.names]
    named += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) if not node.level]
    relative = ["" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) if node.level]
    return relative + [name for name in named if name.partition(".")[0] in packages()]


# The map --------------------------------------------------------------------------------------------------------------
def test_the_map_of_the_code_names_files_that_exist_and_every_app() -> None:
    text = (CHECKOUT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = {name for name in re.findall(r"`([\w./]+)`", text) if "/" in name and not name.startswith("/")}
    here = {name for name in named if name.partition("/")[0] in packages() | AROUND}
    assert len(here) > 40
    assert not {name for name in here if not (CHECKOUT / name).exists()}
    assert {f"{name}/" for name in packages() - {"crowdtrace"}} <= named


def test_the_map_of_the_code_names_what_its_files_define() -> None:
    text = (CHECKOUT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = re.findall(r"`(\w+)` (?:in|of each table in) `([\w./]+)`", text)
    assert len(named) > 12
    assert not [(name, file) for name, file in named if name not in (CHECKOUT / file).read_text(encoding="utf-8")]


# Tables ---------------------------------------------------------------------------------------------------------------
def tables_named(file: Path) -> set[str]:
    """Return the tables of installed apps that a file of SQL names, or a Python file in its strings."""
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".sql":
        return set(_TABLE.findall(text))
    strings = (node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant))
    return set(chain.from_iterable(_TABLE.findall(each) for each in strings if isinstance(each, str)))


def app_of(file: Path) -> str:
    """Return the layer that a file belongs to: its app, or `crowdtrace.urls` and the like."""
    parts = file.relative_to(CHECKOUT).with_suffix("").parts
    return ".".join(parts[: 2 if parts[0] == "crowdtrace" else 1])


def sources(package: str) -> Iterator[Path]:
    """Yield files of code and SQL, except migrations, which move rows between tables once."""
    for file in sorted((CHECKOUT / package).rglob("*")):
        if file.suffix in {".py", ".sql"} and "migrations" not in file.parts:
            yield file


@pytest.mark.parametrize("package", READING_IN_READS)
def test_another_app_s_table_is_named_in_reads_alone(package: str) -> None:
    hidden = {
        str(file.relative_to(CHECKOUT)): foreign
        for file in sources(package)
        if file.name != "reads.py"
        and (foreign := {table for table in tables_named(file) if APP_OF_TABLE[table] != app_of(file)})
    }
    assert not hidden


def test_reads_name_tables_of_their_own_app_and_of_layers_below() -> None:
    for file in CHECKOUT.glob("*/reads.py"):
        below = LAYERS[LAYERS.index(app_of(file)) :]
        assert {APP_OF_TABLE[table] for table in tables_named(file)} <= set(below), file
    assert not [file for package in packages() for file in (CHECKOUT / package).glob("*/**/reads.py")]


def test_a_table_is_found_in_any_string_but_in_no_comment(tmp_path: Path) -> None:
    file = tmp_path / "some.py"
    file.write_text(
        '# risk_airhour\nSQL = f"SELECT {1} FROM passes_pass AS p"\nprint(b"x", "passes_visits", passes_scan)'
    )
    assert tables_named(file) == {"passes_pass"}
    query = tmp_path / "some.sql"
    query.write_text('DELETE FROM "venues_venue" USING passes_visit')
    assert tables_named(query) == {"venues_venue", "passes_visit"}
