"""A simulation of Amazon's control planes on loopback, and the template as CloudFormation would resolve it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.request import Request, urlopen

from moto.server import ThreadedMotoServer

from exports.dataset.cloudformation import template

PSEUDO: Final = {
    "AWS::AccountId": "123456789012",
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::StackName": "x",
}
_MISSING: Final = object()


def arn_of(role: str) -> str:
    """Return the ARN that a role has here."""
    name = "x-verified-reader" if role == "VerifiedReaderRole" else role
    return f"arn:aws:iam::{PSEUDO['AWS::AccountId']}:role/{name}"


def resources(given: dict[str, Any] | None = None, **parameters: str) -> dict[str, Any]:
    """Return the resources of a template, by default of the deployment's, with names and conditions resolved."""
    found = given or template()
    defaults = {name: parameter.get("Default", "lake") for name, parameter in found["Parameters"].items()}
    names = defaults | PSEUDO | parameters
    names |= {"Bucket": names.get("BucketName", ""), "OpenDatabase": names["Database"]}
    names |= {"VerifiedDatabase": f"{names['Database']}-verified", "WorkGroup": f"{names['Database']}-researchers"}
    names |= {"Results": names.get("ResultsBucketName", "")}
    made: dict[str, Any] = _resolved(found["Resources"], names, found.get("Conditions", {}))
    return made


def _resolved(node: Any, names: dict[str, Any], conditions: dict[str, Any]) -> Any:
    match node:
        case {"Ref": "AWS::NoValue"}:
            return _MISSING
        case {"Ref": name}:
            return names[name]
        case {"Fn::Sub": str(pattern)}:
            for name, value in names.items():
                pattern = pattern.replace(f"${{{name}}}", str(value))
            assert "${" not in pattern.replace("${!", "")
            return pattern.replace("${!", "${")
        case {"Fn::GetAtt": [name, "Arn"]}:
            return arn_of(name)
        case {"Fn::If": [name, then, otherwise]}:
            holds = _resolved(conditions[name], names, conditions)
            return _resolved(then if holds else otherwise, names, conditions)
        case {"Fn::Not": [one]}:
            return not _resolved(one, names, conditions)
        case {"Fn::Equals": [one, other]}:
            return _resolved(one, names, conditions) == _resolved(other, names, conditions)
        case dict():
            made = {key: _resolved(value, names, conditions) for key, value in node.items()}
            return {key: value for key, value in made.items() if value is not _MISSING}
        case list():
            found = (_resolved(each, names, conditions) for each in node)
            return [each for each in found if each is not _MISSING]
    return node


@contextmanager
def stand_in() -> Iterator[str]:
    """Yield the URL of a reset simulation: all servers of one process share their state."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        address = "http://{}:{}".format(*server.get_host_and_port())
        urlopen(Request(f"{address}/moto-api/reset", method="POST")).close()
        yield address
    finally:
        server.stop()
