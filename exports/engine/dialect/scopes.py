"""What a query sees: typed expressions, lambdas, and the names of its relations."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlglot import exp

from exports.engine.dialect.types import Type

if TYPE_CHECKING:
    from exports.engine.dialect.relations import Relation


@dataclass(frozen=True)
class Typed:
    """An expression in DuckDB's words, with its type in Athena. `constant`: the text or number it was written as."""

    sql: str
    type: Type
    constant: str | None = None


@dataclass(frozen=True)
class Lambda:
    """A lambda that waits for the types of its arguments."""

    node: exp.Lambda

    @property
    def names(self) -> list[str]:
        """The names of its arguments."""
        return [each.name for each in self.node.expressions]


@dataclass
class Scope:
    """The relations that an expression sees, those of the query around it, and the names of lambdas."""

    relations: list[Relation] = field(default_factory=list)
    outer: Scope | None = None
    merged: dict[str, Typed] = field(default_factory=dict)
    """Columns of USING, which belong to no relation alone."""
    hidden: set[tuple[str, str]] = field(default_factory=set)
    """Tables and their columns that USING has merged: only the merged column has the name."""
    outputs: dict[str, Typed] = field(default_factory=dict)
    """Names that ORDER BY sees before those of relations."""
