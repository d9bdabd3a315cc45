"""Write a software bill of materials (CycloneDX 1.6, JSON) from the locks: `make sbom`.

    python tools/sbom.py sbom.cdx.json

What the deployment runs is `required`; what only builds, tests or compares is `excluded`. Names, versions and hashes
are those of the locks. The same locks give the same bytes: the serial number follows from the content, and there is no
time in it.
"""

import base64
import json
import re
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL

ROOT: Final = Path(__file__).resolve().parents[1]
NAMESPACE: Final = uuid.UUID("6f0c9d0e-5a0b-5a55-9a5e-0d2c1c9e7b11")
RUNS: Final = ("base.txt",)
TOOLS: Final = ("dev.txt", "peers.txt", "spark.txt")
_PIN: Final = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(?:\[[^]]*\])?==(?P<version>[^ ;\\]+)")
_HASH: Final = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_ALGORITHMS: Final = {"sha1": HashAlgorithm.SHA_1, "sha256": HashAlgorithm.SHA_256, "sha512": HashAlgorithm.SHA_512}


def bill(root: Path = ROOT) -> Bom:
    """Return the bill of the locks below `root`."""
    found: dict[str, Component] = {}
    for names, scope in ((RUNS, ComponentScope.REQUIRED), (TOOLS, ComponentScope.EXCLUDED)):
        for name in names:
            for one in python_packages((root / "locks" / name).read_text(), scope):
                found.setdefault(str(one.purl), one)
    for one in browser_packages(json.loads((root / "package-lock.json").read_text())):
        found.setdefault(str(one.purl), one)
    version = json.loads((root / "package.json").read_text())["version"]
    bom = Bom(components=found.values())
    ours = Component(name="crowdtrace", version=version, type=ComponentType.APPLICATION, bom_ref="crowdtrace")
    bom.metadata.component = ours
    bom.register_dependency(ours, [one for one in found.values() if one.scope is ComponentScope.REQUIRED])
    bom.serial_number = uuid.uuid5(NAMESPACE, "\n".join(sorted(f"{key} {found[key].scope}" for key in found)))
    return bom


def python_packages(lock: str, scope: ComponentScope) -> Iterator[Component]:
    """Yield the packages of a lock of pip."""
    for entry in lock.replace("\\\n", " ").splitlines():
        if pin := _PIN.match(entry.strip()):
            name = re.sub(r"[-_.]+", "-", pin["name"]).lower()
            hashes = [HashType(alg=HashAlgorithm.SHA_256, content=value) for value in _HASH.findall(entry)]
            yield _component(PackageURL("pypi", None, name, pin["version"]), scope, hashes)


def browser_packages(lock: dict[str, Any]) -> Iterator[Component]:
    """Yield the packages of npm's lock: those that pages carry, and those that build them."""
    for place, one in lock["packages"].items():
        if not place:
            continue
        namespace, _, name = place.rpartition("node_modules/")[2].rpartition("/")
        algorithm, _, digest = one.get("integrity", "").partition("-")
        known = _ALGORITHMS.get(algorithm)
        hashes = [HashType(alg=known, content=base64.b64decode(digest).hex())] if known else []
        scope = ComponentScope.EXCLUDED if one.get("dev") or one.get("optional") else ComponentScope.REQUIRED
        yield _component(PackageURL("npm", namespace or None, name, one["version"]), scope, hashes)


def _component(purl: PackageURL, scope: ComponentScope, hashes: list[HashType]) -> Component:
    return Component(
        name=f"{purl.namespace}/{purl.name}" if purl.namespace else purl.name,
        version=purl.version,
        type=ComponentType.LIBRARY,
        scope=scope,
        purl=purl,
        bom_ref=str(purl),
        hashes=hashes,
    )


def as_json(bom: Bom) -> str:
    """Return the bill as text."""
    text = make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=1)
    content = json.loads(text)
    content["metadata"].pop("timestamp", None)
    content["metadata"].pop("tools", None)
    return json.dumps(content, indent=1) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(as_json(bill()))
