"""A small evaluator of IAM policies: the template's own statements decide what a role may do.

It supports what the template uses: Allow and Deny, actions and resources with wildcards, the condition operators below,
and trust policies. Anything else is an error, so that no statement is ignored. Semantics are those of the IAM User
Guide ("Policy evaluation logic", "IAM JSON policy elements: Condition operators").
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

Context = Mapping[str, str]
OPERATORS: Final = {"StringEquals", "StringLike", "Bool"}
ELEMENTS: Final = {"Sid", "Effect", "Action", "Resource", "Principal", "Condition"}


@dataclass(frozen=True)
class Policy:
    """Statements with every name resolved."""

    statements: tuple[Mapping[str, Any], ...] = field(repr=False)

    def allows(self, action: str, resource: str, context: Context | None = None) -> bool:
        """Return whether a statement allows it and none denies it."""
        effects = {one["Effect"] for one in self.statements if _matches(one, action, resource, context or {})}
        return effects == {"Allow"}


def policy(statements: Iterable[Mapping[str, Any]]) -> Policy:
    """Return the policy of these statements; raises `ValueError` for an element that is not known here."""
    made = tuple(statements)
    for one in made:
        if unknown := one.keys() - ELEMENTS:
            raise ValueError(f"the evaluator does not know {sorted(unknown)}")
        for operator in one.get("Condition", {}):
            if operator.removesuffix("IfExists") not in OPERATORS:
                raise ValueError(f"the evaluator does not know {operator}")
    return Policy(made)


def trusts(document: Mapping[str, Any], principal: str, context: Context | None = None) -> bool:
    """Return whether a trust policy lets a principal (an ARN, or the name of a service) assume the role."""
    found = policy(document["Statement"])
    named = [one for one in found.statements if principal in _texts(*one["Principal"].values())]
    return Policy(tuple({**one, "Resource": "*"} for one in named)).allows("sts:AssumeRole", "*", context)


def _matches(statement: Mapping[str, Any], action: str, resource: str, context: Context) -> bool:
    return (
        any(_like(pattern.lower(), action.lower()) for pattern in _texts(statement["Action"]))
        and any(_like(pattern, resource) for pattern in _texts(statement["Resource"]))
        and all(
            _holds(operator, name, _texts(values), context)
            for operator, keys in statement.get("Condition", {}).items()
            for name, values in keys.items()
        )
    )


def _holds(operator: str, name: str, wanted: list[str], context: Context) -> bool:
    if name not in context:
        return operator.endswith("IfExists")
    given = context[name]
    match operator.removesuffix("IfExists"):
        case "StringLike":
            return any(_like(pattern, given) for pattern in wanted)
        case "Bool":
            return any(one.lower() == given.lower() for one in wanted)
        case _:
            return given in wanted


def _texts(*values: str | list[str]) -> list[str]:
    return [text for value in values for text in ([value] if isinstance(value, str) else value)]


def _like(pattern: str, text: str) -> bool:
    """Return whether a pattern with `*` and `?` matches the whole text."""
    parts = (".*" if each == "*" else "." if each == "?" else re.escape(each) for each in pattern)
    return re.fullmatch("".join(parts), text, flags=re.DOTALL) is not None
