"""The evaluator of policies denies what it should, so that its permissions can be trusted."""

from typing import Any

import pytest

from tests.exports.iam import policy, trusts

READ: dict[str, Any] = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::lake/open/*"}
LIST: dict[str, Any] = {"Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": "arn:aws:s3:::lake"}


def listing(operator: str, *prefixes: str) -> dict[str, Any]:
    return LIST | {"Condition": {operator: {"s3:prefix": list(prefixes)}}}


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("s3:GetObject", "arn:aws:s3:::lake/verified/a"),
        ("s3:GetObject", "arn:aws:s3:::lake/open"),
        ("s3:GetObject", "arn:aws:s3:::other/open/a"),
        ("s3:GetObjectVersion", "arn:aws:s3:::lake/open/a"),
        ("s3:PutObject", "arn:aws:s3:::lake/open/a"),
        ("s3:GetObject", "arn:aws:s3:::LAKE/open/a"),
    ],
)
def test_actions_that_no_statement_allows_are_denied(action: str, resource: str) -> None:
    assert not policy([READ]).allows(action, resource)
    assert policy([READ]).allows("s3:GetObject", "arn:aws:s3:::lake/open/a/b")
    assert policy([READ]).allows("S3:getobject", "arn:aws:s3:::lake/open/a/b")
    assert not policy([]).allows(action, resource)


def test_a_denial_wins_whatever_the_order() -> None:
    deny = {
        "Effect": "Deny",
        "Action": "s3:*",
        "Resource": "*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    for statements in ([READ, deny], [deny, READ]):
        found = policy(statements)
        assert not found.allows("s3:GetObject", "arn:aws:s3:::lake/open/a", {"aws:SecureTransport": "false"})
        assert found.allows("s3:GetObject", "arn:aws:s3:::lake/open/a", {"aws:SecureTransport": "true"})
        assert found.allows("s3:GetObject", "arn:aws:s3:::lake/open/a")


@pytest.mark.parametrize(
    ("operator", "context", "allowed"),
    [
        ("StringLike", {"s3:prefix": "open/x/"}, True),
        ("StringLike", {"s3:prefix": "verified/"}, False),
        ("StringLike", {"s3:prefix": ""}, False),
        ("StringLike", {}, False),
        ("StringLikeIfExists", {}, True),
        ("StringLikeIfExists", {"s3:prefix": "verified/"}, False),
        ("StringEquals", {"s3:prefix": "open/*"}, True),
        ("StringEquals", {"s3:prefix": "open/x/"}, False),
    ],
)
def test_conditions_hold_only_for_what_they_name(operator: str, context: dict[str, str], allowed: bool) -> None:
    assert policy([listing(operator, "open/*")]).allows("s3:ListBucket", "arn:aws:s3:::lake", context) is allowed


def test_every_condition_of_a_statement_must_hold() -> None:
    both = listing("StringLike", "open/*")
    both["Condition"] = both["Condition"] | {"Bool": {"aws:SecureTransport": "true"}}
    given = {"s3:prefix": "open/"}
    assert not policy([both]).allows("s3:ListBucket", "arn:aws:s3:::lake", given)
    assert policy([both]).allows("s3:ListBucket", "arn:aws:s3:::lake", given | {"aws:SecureTransport": "true"})


@pytest.mark.parametrize(
    "statement",
    [
        READ | {"NotAction": "s3:PutObject"},
        READ | {"NotResource": "*"},
        READ | {"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}},
        READ | {"Condition": {"ForAllValues:StringLike": {"s3:prefix": "a"}}},
    ],
)
def test_what_the_evaluator_does_not_know_is_an_error(statement: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="does not know"):
        policy([statement])


def test_only_the_principal_that_a_trust_policy_names_assumes_the_role() -> None:
    document = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "arn:web"}, "Action": "sts:AssumeRole"}]}
    assert trusts(document, "arn:web")
    assert not trusts(document, "arn:release")
    condition = {"StringEqualsIfExists": {"aws:SourceAccount": "1"}}
    service = {"Effect": "Allow", "Principal": {"Service": "ecs"}, "Action": "sts:AssumeRole", "Condition": condition}
    assert trusts({"Statement": [service]}, "ecs", {"aws:SourceAccount": "1"})
    assert trusts({"Statement": [service]}, "ecs")
    assert not trusts({"Statement": [service]}, "ecs", {"aws:SourceAccount": "2"})
