"""Every URL of the project has one view, and every name one URL."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from django.urls import URLPattern, URLResolver, get_resolver

PARAMETER = re.compile(r"<[^<>]+>|\(\?P<\w+>(?:[^()]|\([^()]*\))*\)")


def patterns(
    found: Iterable[URLPattern | URLResolver], address: str = "", namespace: str = ""
) -> Iterator[tuple[str, str]]:
    """Yield each URL with `*` for its parameters, however these are written, and its name."""
    for each in found:
        below = address + PARAMETER.sub("*", str(each.pattern)).lstrip("^")
        if isinstance(each, URLResolver):
            yield from patterns(each.url_patterns, below, f"{namespace}{each.namespace or ''}:".lstrip(":"))
        else:
            yield re.sub(r"(\\Z|\$)$", "", below), f"{namespace}{each.name}" if each.name else ""


FOUND = list(patterns(get_resolver().url_patterns))


def repeated(values: Iterable[str]) -> list[str]:
    return [value for value, times in Counter(values).items() if times > 1]


def test_the_walk_sees_both_kinds_of_patterns() -> None:
    assert ("api/v1/owner/venues/*/statistics", "owner-statistics") in FOUND
    assert ("api/v1/passes", "passes") in FOUND


def test_every_url_has_one_view() -> None:
    assert repeated(address for address, _name in FOUND) == []


def test_every_name_has_one_url() -> None:
    assert repeated(name for _address, name in FOUND if name) == []
