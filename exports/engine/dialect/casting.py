"""Write casts, the types that they name, and arrays and rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from sqlglot import exp

from exports.engine.dialect import types as t
from exports.engine.dialect.casts import cast
from exports.engine.dialect.conditions import Conditions
from exports.engine.dialect.scopes import Typed
from exports.engine.dialect.types import Type, named, quoted

TYPES: Final[dict[str, Type]] = {
    "BOOLEAN": t.BOOLEAN, "TINYINT": t.TINYINT, "SMALLINT": t.SMALLINT, "INT": t.INTEGER, "BIGINT": t.BIGINT,
    "FLOAT": t.REAL, "DOUBLE": t.DOUBLE, "VARCHAR": t.VARCHAR, "VARBINARY": t.VARBINARY, "DATE": t.DATE,
    "JSON": t.JSON,
}  # fmt: skip
# Type names of other engines that the parser accepts.
FOREIGN_TYPES: Final = {
    "float": "real", "float4": "real", "float8": "double", "bool": "boolean", "int1": "tinyint", "int2": "smallint",
    "int4": "integer", "int8": "bigint", "string": "varchar", "text": "varchar", "long": "bigint", "short": "smallint",
    "byte": "tinyint", "signed": "bigint", "datetime": "timestamp", "bytea": "varbinary", "blob": "varbinary",
    "binary": "varbinary",
}  # fmt: skip


class Casting(Conditions):
    """Writes casts, arrays, rows and subscripts."""

    def _write_cast(self, node: exp.Expr) -> Typed:
        kind, length = self.type_of(node.args["to"])
        given = node.this
        if node.args.get("format") is not None:
            raise self.refuse(node, "syntax", "A cast has no FORMAT: use date_parse or date_format.")
        if not node.meta.get("call") and isinstance(given, exp.Literal) and given.args.get("is_string"):
            literal = self._moment(node, str(given.this), kind)
            if literal is not None:
                return literal
            if kind.name == "decimal" and not node.args["to"].expressions:
                return self._decimal_literal(node, str(given.this))
        return self.cast_to(node, self.write(given), kind, length)

    def cast_to(self, node: exp.Expr, found: Typed, kind: Type, length: int = 0) -> Typed:
        """Write a cast."""
        if kind.zone and found.type.zone:
            kind = replace(kind, zone=found.type.zone)
        written = cast(found.sql, found.type, kind, self.fail, length=length)
        if written is None:
            raise self.refuse(node, "wrong-types", f"A cast of {found.type} to {kind} is not offered.")
        return Typed(written, kind)

    def _write_trycast(self, node: exp.Expr) -> Typed:
        self._trying += 1
        failures = self._failures
        try:
            found = self._write_cast(node)
        finally:
            self._trying -= 1
        if self._failures > failures and found.type.of:
            detail = f"try_cast to {found.type} is not offered: use transform with try_cast of each element."
            raise self.refuse(node, "not-the-same", detail)
        return replace(found, sql=f"TRY({found.sql})")

    def type_of(self, node: exp.Expr) -> tuple[Type, int]:
        """Return the type that a cast names, and the length of a varchar."""
        name = node.this.name if isinstance(node, exp.DataType) and hasattr(node.this, "name") else str(node)
        word = str(node.meta.get("word", "")).lower()
        if word in FOREIGN_TYPES:
            own = FOREIGN_TYPES[word]
            raise self.refuse(node, "not-offered", f"Athena has no type {word}. Use {own}.", (own,))
        given = [each.this.name for each in node.expressions if isinstance(each, exp.DataTypeParam)]
        numbers = [int(each) for each in given if each.isdigit()]
        match name:
            case "VARCHAR":
                if numbers and not numbers[0]:
                    raise self.refuse(node, "not-offered", "A varchar has a length of 1 or more here.")
                return t.VARCHAR, numbers[0] if numbers else 0
            case "DECIMAL":
                digits, scale = (*numbers, 38, 0)[:2] if numbers else (38, 0)
                scale = numbers[1] if numbers[1:] else 0
                if not 1 <= digits <= t.MOST_DIGITS or scale > digits:
                    raise self.refuse(node, "bad-value", "A decimal has 1 to 38 digits.")
                return t.decimal(digits, scale), 0
            case "TIMESTAMP" | "TIMESTAMPTZ":
                digits = numbers[0] if numbers else 3
                if digits > 6:
                    raise self.refuse(node, "not-offered", "Times have at most 6 digits of a second here.")
                return (t.timestamp(digits) if name == "TIMESTAMP" else t.zoned(digits)), 0
            case "ARRAY" if len(node.expressions) == 1:
                return t.array(self.type_of(node.expressions[0])[0]), 0
            case "MAP" if len(node.expressions) == 2:
                return t.mapping(*(self.type_of(each)[0] for each in node.expressions)), 0
            case "STRUCT":
                names, kinds = [], []
                for number, each in enumerate(node.expressions):
                    is_named = isinstance(each, exp.ColumnDef)
                    names.append(each.name if is_named else f"field{number}")
                    kinds.append(self.type_of(each.args["kind"] if is_named else each)[0])
                return t.row(tuple(names), tuple(kinds)), 0
        if name in TYPES:
            return TYPES[name], 0
        hint = "varchar" if name in ("TEXT", "CHAR", "NCHAR", "NVARCHAR") else ""
        detail = f"The type {node.sql('trino')[:60].lower()} is not offered." + (f" Use {hint}." if hint else "")
        raise self.refuse(node, "not-offered", detail, (hint,) if hint else ())

    def _write_array(self, node: exp.Expr) -> Typed:
        values = [self.write(each) for each in node.expressions]
        if not values:
            return Typed("[]", t.array(t.UNKNOWN))
        kind = self.common_type(node, values, "ARRAY")
        return Typed("[" + ", ".join(self.as_type(node, each, kind) for each in values) + "]", t.array(kind))

    def _write_tuple(self, node: exp.Expr) -> Typed:
        return self.row(node, [self.write(each) for each in node.expressions])

    def row(self, node: exp.Expr, values: Sequence[Typed]) -> Typed:
        """Write a row without names: Athena prints its fields as field0, field1."""
        if not values:
            raise self.refuse(node, "syntax", "A row has fields.")
        names = tuple(f"field{number}" for number in range(len(values)))
        parts = ", ".join(
            f"{named(name)}: {self.as_type(node, each, each.type)}" for name, each in zip(names, values, strict=True)
        )
        return Typed(f"{{{parts}}}", t.row(names, tuple(each.type for each in values)))

    def _write_bracket(self, node: exp.Expr) -> Typed:
        whole, (at, *_) = self.write(node.this), node.expressions
        key = self.write(at)
        if whole.type.name == "row" and key.constant and key.constant.isdigit():
            number = int(key.constant)
            if not 1 <= number <= len(whole.type.of):
                raise self.refuse(node, "wrong-types", f"The row has {len(whole.type.of)} fields.")
            each, kind = whole.type.names[number - 1], whole.type.of[number - 1]
            return Typed(f"struct_extract({whole.sql}, {quoted(each)})", kind)
        if whole.type.name == "map":
            found = self.as_type(node, key, whole.type.of[0])
            absent = f"{whole.sql} IS NOT NULL AND NOT map_contains({whole.sql}, {found})"
            return Typed(
                f"CASE WHEN {absent} THEN {self.fail('Key not present in map')} ELSE {whole.sql}[{found}] END",
                whole.type.of[1],
            )
        if whole.type.name != "array":
            raise self.refuse(node, "wrong-types", f"A value of type {whole.type} has no element in brackets.")
        place_ = self.as_type(node, key, t.BIGINT)
        beyond = f"{place_} < 1 OR {place_} > len({whole.sql})"
        wrong = self.fail("Array subscripts are from 1 to the number of elements: element_at gives null beyond")
        return Typed(f"CASE WHEN {beyond} THEN {wrong} ELSE {whole.sql}[{place_}] END", whole.type.of[0])
