"""The scope of an expression: its relations and names; typed expressions and lambdas."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlglot import exp

from exports.engine.dialect.types import Type

if TYPE_CHECKING:
    from exports.engine.dialect.relations import Relation


@dataclass(frozen=True)
class Typed:
    """An expression in DuckDB's SQL, with its type in Athena. `constant`: its literal text or number."""

    sql: str
    type: Type
    constant: str | None = None


@dataclass(frozen=True)
class Lambda:
    """A lambda that is written once the types of its arguments are known."""

    node: exp.Lambda

    @property
    def names(self) -> list[str]:
        """Return the names of its arguments."""
        return [each.name for each in self.node.expressions]


@dataclass
class Scope:
    """The relations that an expression sees, those of the outer query, and the arguments of lambdas."""

    relations: list[Relation] = field(default_factory=list)
    outer: Scope | None = None
    merged: dict[str, Typed] = field(default_factory=dict)
    """Columns of USING, which belong to no single relation."""
    hidden: set[tuple[str, str]] = field(default_factory=set)
    """Columns that USING has merged, by table: only the merged column has the name."""
    outputs: dict[str, Typed] = field(default_factory=dict)
    """Names that take precedence over those of relations in ORDER BY."""
