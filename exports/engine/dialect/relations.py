"""The relations of a FROM clause and their columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from exports.engine.dialect.types import Type


@dataclass(frozen=True)
class Output:
    """A column of a relation. `name` is empty if the text gives none; `written` is its name in DuckDB."""

    name: str | None
    written: str
    type: Type


@dataclass(frozen=True)
class Relation:
    """A relation of a FROM clause, under its name in the query."""

    alias: str
    columns: tuple[Output, ...]
