"""Names: columns, fields of rows and arguments of lambdas."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches

from sqlglot import exp

from exports.engine.dialect.scopes import Lambda, Scope, Typed
from exports.engine.dialect.types import Type, named, quoted
from exports.engine.dialect.writer import Writer
from exports.engine.errors import QueryError


class Names(Writer):
    """Writes names."""

    def _write_identifier(self, node: exp.Expr) -> Typed:
        return self._name(node, node.name, "")

    def _write_column(self, node: exp.Expr) -> Typed:
        if isinstance(node.this, exp.Star):
            raise self.refuse(node, "syntax", "A star is allowed only after SELECT and in count(*).")
        return self._name(node, node.name, node.args["table"].name if node.args.get("table") else "")

    def _name(self, node: exp.Expr, name: str, table: str) -> Typed:
        key = name.lower()
        if not table:
            for variables in reversed(self._variables):
                if key in variables:
                    return variables[key]
        else:
            for variables in reversed(self._variables):
                if table.lower() in variables:
                    return self._field(node, variables[table.lower()], name)
        scope: Scope | None = self.scope
        while scope is not None:
            found = self._in_scope(scope, node, key, table.lower())
            if found is not None:
                return found
            scope = scope.outer
        raise self._unknown(node, name, table)

    def _in_scope(self, scope: Scope, node: exp.Expr, key: str, table: str) -> Typed | None:
        if not table and key in scope.outputs:
            return scope.outputs[key]
        if not table and key in scope.merged:
            return scope.merged[key]
        found = [
            Typed(f"{named(relation.alias)}.{named(column.written)}", column.type)
            for relation in scope.relations
            if not table or relation.alias.lower() == table
            for column in relation.columns
            if (column.name or "").lower() == key and (relation.alias.lower(), key) not in scope.hidden
        ]
        if len(found) > 1:
            raise self.refuse(node, "unknown-name", f"The column {key} is ambiguous: name its table.")
        if found:
            return found[0]
        if table:  # a field of a row column
            whole = self._in_scope(scope, node, table, "")
            if whole is not None and whole.type.name == "row":
                return self._field(node, whole, key)
        return None

    def _unknown(self, node: exp.Expr, name: str, table: str) -> QueryError:
        known: list[str] = []
        scope: Scope | None = self.scope
        while scope is not None:
            known += [column.name or "" for each in scope.relations for column in each.columns]
            scope = scope.outer
        aliases = [each.alias for each in self.scope.relations]
        if table and table.lower() not in {each.lower() for each in aliases}:
            near = get_close_matches(table.lower(), aliases, n=3, cutoff=0.2)
            detail = f"There is no table {table[:100]} in this query."
        else:
            near = get_close_matches(name.lower()[:100], [each for each in dict.fromkeys(known) if each], n=3)
            detail = f"There is no column {name[:100]}."
            if name.lower() in ("current_user", "session_user"):
                detail = f"The function {name} is not available."
        hint = f" Did you mean {near[0]}?" if near else ""
        return self.refuse(node, "unknown-name", detail + hint, near)

    def _field(self, node: exp.Expr, whole: Typed, name: str) -> Typed:
        if whole.type.name != "row":
            raise self.refuse(node, "wrong-types", f"A value of type {whole.type} has no field {name}.")
        if whole.type.names == tuple(f"field{number}" for number in range(len(whole.type.of))):
            detail = "The fields of this row have no names: write row[1], or cast it to ROW(name type)."
            raise self.refuse(node, "unknown-name", detail)
        for each, kind in zip(whole.type.names, whole.type.of, strict=True):
            if each.lower() == name.lower():
                return Typed(f"struct_extract({whole.sql}, {quoted(each)})", kind)
        near = get_close_matches(name, whole.type.names, n=3)
        raise self.refuse(node, "unknown-name", f"The row has no field {name}.", near)

    def _write_dot(self, node: exp.Expr) -> Typed:
        if isinstance(node.expression, exp.Anonymous):
            raise self.refuse(node, "unknown-name", "Functions have no schema here.")
        return self._field(node, self.write(node.this), node.expression.name)

    @contextmanager
    def variables(self, names: Sequence[str], kinds: Sequence[Type]) -> Iterator[None]:
        """Make the arguments of a lambda visible to its body."""
        self._variables.append(
            {name.lower(): Typed(named(name), kind) for name, kind in zip(names, kinds, strict=True)}
        )
        try:
            yield
        finally:
            self._variables.pop()

    def lambda_(self, given: Typed | Lambda, kinds: Sequence[Type], node: exp.Expr) -> tuple[str, Typed]:
        """Write a lambda with arguments of these types; return their names, and its value."""
        if not isinstance(given, Lambda) or len(given.names) != len(kinds):
            raise self.refuse(
                node, "wrong-types", f"A lambda of {len(kinds)} arguments is expected here, such as x -> x + 1."
            )
        with self.variables(given.names, kinds):
            return ", ".join(map(named, given.names)), self.write(given.node.this)
