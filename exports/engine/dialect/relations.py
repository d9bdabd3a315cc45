"""What a FROM clause brings into a query."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from exports.engine.dialect.types import Type


@dataclass(frozen=True)
class Output:
    """A column of a relation; `name` is missing where the text gives none, `written` is its name in DuckDB."""

    name: str | None
    written: str
    type: Type


@dataclass(frozen=True)
class Relation:
    """A relation of a FROM clause, under its name in the query."""

    alias: str
    columns: tuple[Output, ...]
