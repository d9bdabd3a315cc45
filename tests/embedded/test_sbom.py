"""The software bill of materials says what the locks say."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from tools.sbom import as_json, bill

ROOT = Path(__file__).resolve().parents[2]
PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^ ;\\]+)", re.MULTILINE)


@pytest.fixture(scope="module")
def text() -> str:
    return as_json(bill())


@pytest.fixture(scope="module")
def components(text: str) -> dict[str, Any]:
    return {one["purl"]: one for one in json.loads(text)["components"]}


def test_it_is_valid(text: str) -> None:
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None


def test_it_is_the_same_each_time(text: str) -> None:
    assert as_json(bill()) == text


@pytest.mark.parametrize("lock", ["base", "dev", "peers", "spark"])
def test_every_pinned_package_of_python_is_there_with_its_hashes(lock: str, components: dict[str, Any]) -> None:
    locked = (ROOT / "locks" / f"{lock}.txt").read_text()
    pins = PIN.findall(locked)
    assert len(pins) > 5
    hashes = {one["content"] for each in components.values() for one in each.get("hashes", [])}
    for name, version in pins:
        purl = f"pkg:pypi/{re.sub('[-_.]+', '-', name).lower()}@{version}"
        assert purl in components, purl
        assert components[purl]["scope"] == "required" or lock != "base"
    assert set(re.findall("sha256:([0-9a-f]{64})", locked)) <= hashes


def test_packages_in_pages_are_distinguished_from_build_tools(components: dict[str, Any]) -> None:
    scopes = {purl: one["scope"] for purl, one in components.items() if purl.startswith("pkg:npm/")}
    assert any("qr@" in purl and scope == "required" for purl, scope in scopes.items())
    assert any("esbuild@" in purl and scope == "excluded" for purl, scope in scopes.items())
    lock = json.loads((ROOT / "package-lock.json").read_text())
    assert len(scopes) == len(
        {(name.rpartition("node_modules/")[2], one["version"]) for name, one in lock["packages"].items() if name}
    )


def test_it_names_no_address(text: str) -> None:
    assert set(re.findall(r"https?://[^\"]+", text)) == {"http://cyclonedx.org/schema/bom-1.6.schema.json"}
