"""Files to copy for one host or several: units, containers, manifests, a proxy. They agree with code and documents."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from common.web import server
from embedded.home import CHECKOUT

FOLDER = CHECKOUT / "infrastructure"
UNITS = sorted((FOLDER / "systemd").glob("*.service"))
MANIFESTS = sorted(path for path in (FOLDER / "kubernetes").glob("*.yaml") if path.stem != "kustomization")
OPERATORS = (CHECKOUT / "docs" / "operators.md").read_text()
REQUIRED = {
    "DATABASE_URL",
    "REDIS_URL",
    "LIMITS_URL",
    "LAKE_URL",
    "SECRET_KEY",
    "PEPPER",
    "MASTER_KEY",
    "ALLOWED_HOSTS",
    "PUBLIC_ORIGIN",
    "TRUSTED_PROXIES",
}
SECRETS = {"DATABASE_URL", "SECRET_KEY", "PEPPER", "MASTER_KEY"}
Command = tuple[str, ...]


def web(host: str, port: str) -> Command:
    """Return the arguments of Python that start the web server, as `make run` starts it."""
    made = server.command("crowdtrace.asgi:application", host=host, port=1, workers=2)[1:]
    made[made.index("--port") + 1] = port
    return tuple(made)


def documented(word: str) -> Command:
    """Return the arguments of Python of the one command in `docs/operators.md` that has a word in it."""
    block = re.search(r"```\npython manage.py migrate\n(.*?)```", OPERATORS, re.DOTALL)
    assert block is not None
    (line,) = (one for one in block[1].replace("\\\n", "").splitlines() if word in one)
    return tuple(shlex.split(line)[1:])


def without_schedule(command: Command) -> Command:
    """Return a command without the schedule's file, whose path differs in each of them."""
    return tuple(
        "FILE" if before == "--schedule" else each for before, each in zip(("", *command), command, strict=False)
    )


def units() -> Iterator[Command]:
    for path in UNITS:
        yield tuple(shlex.split(re.findall(r"^ExecStart=(.*)$", path.read_text(), re.MULTILINE)[0])[1:])


def compose() -> dict[str, Any]:
    return dict(yaml.safe_load((FOLDER / "container" / "compose.yaml").read_text()))


def manifests(kind: str) -> list[dict[str, Any]]:
    every = [one for path in MANIFESTS for one in yaml.safe_load_all(path.read_text())]
    return [one for one in every if one["kind"] == kind]


def containers() -> Iterator[dict[str, Any]]:
    for kind in ("Deployment", "Job"):
        for one in manifests(kind):
            yield from one["spec"]["template"]["spec"]["containers"]


def image() -> Command:
    text = (FOLDER / "container" / "Dockerfile").read_text().replace("\\\n", "")
    return tuple(json.loads(re.findall(r"^CMD (.*)$", text, re.MULTILINE)[0])[1:])


TASKS = {without_schedule(documented(" worker ")), without_schedule(documented(" beat "))}
MIGRATE = ("manage.py", "migrate", "--no-input")


def test_every_layout_starts_the_processes_that_the_documents_name() -> None:
    assert {without_schedule(one) for one in units()} == {web("127.0.0.1", "%i"), MIGRATE} | TASKS
    assert image() == web("0.0.0.0", "8000")
    ours = [each for each in compose()["services"].values() if each["image"] == "crowdtrace"]
    assert {without_schedule(tuple(each["command"][1:])) for each in ours if "command" in each} == {MIGRATE} | TASKS
    theirs = [tuple(each["command"][1:]) for each in containers() if "command" in each]
    assert {without_schedule(one) for one in theirs} == {MIGRATE} | TASKS


def test_the_documented_command_of_the_web_server_is_that_of_the_code() -> None:
    (line,) = (documented("webserver"),)
    ours = web("127.0.0.1", "8000")
    assert set(line) <= set(ours) | {"2"}
    assert set(server.OPTIONS) - set(line) == {"--log-level", "warning"}


def settings_of_layouts() -> dict[str, set[str]]:
    """Return names of the settings that each layout gives, without `_FILE`."""
    example = (FOLDER / "systemd" / "crowdtrace.env.example").read_text()
    given = re.findall(r"^([A-Z_]+)=", example, re.MULTILINE)
    worker = (FOLDER / "systemd" / "crowdtrace-worker.service").read_text()
    by_file = [
        name for line in re.findall(r"^Environment=(.*)$", worker, re.MULTILINE) for name in re.findall(r"(\w+)=", line)
    ]
    every = {
        "systemd": {*given, *by_file},
        "compose": set(compose()["x-crowdtrace"]["environment"]),
        "kubernetes": set(manifests("ConfigMap")[0]["data"]),
    }
    return {layout: {name.removesuffix("_FILE") for name in names} for layout, names in every.items()}


@pytest.mark.parametrize("layout", ["systemd", "compose", "kubernetes"])
def test_a_layout_gives_each_setting_that_is_needed_and_none_that_no_document_explains(layout: str) -> None:
    names = settings_of_layouts()[layout]
    assert names >= REQUIRED
    unknown = {name for name in names - {"NUMBA_CACHE_DIR"} if f"`{name}`" not in OPERATORS}
    assert unknown == set()


def test_no_secret_is_in_an_environment() -> None:
    example = (FOLDER / "systemd" / "crowdtrace.env.example").read_text()
    assert not SECRETS & set(re.findall(r"^([A-Z_]+)=", example, re.MULTILINE))
    for names in (compose()["x-crowdtrace"]["environment"], manifests("ConfigMap")[0]["data"]):
        assert not SECRETS & set(names)


def test_there_is_one_schedule_and_the_old_one_ends_first() -> None:
    (schedule,) = (one for one in manifests("Deployment") if one["metadata"]["name"] == "crowdtrace-schedule")
    assert (schedule["spec"]["replicas"], schedule["spec"]["strategy"]) == (1, {"type": "Recreate"})


def test_each_container_runs_without_privileges_on_a_file_system_that_it_cannot_change() -> None:
    for each in containers():
        assert each["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
    ours = compose()["x-crowdtrace"]
    assert (ours["read_only"], ours["cap_drop"]) == (True, ["ALL"])


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_manifests_have_the_fields_that_kubernetes_knows(path: Path) -> None:
    objects = list(yaml.safe_load_all(path.read_text()))
    assert objects
    for one in objects:
        kubernetes_validate.validate(one, "1.34", strict=True)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_units_have_no_error(tmp_path: Path) -> None:
    for path in UNITS:
        text = path.read_text().replace("/opt/crowdtrace/.venv/bin/python", sys.executable)
        (tmp_path / path.name.replace("@", "@8000")).write_text(text)
    found = subprocess.run(
        ["systemd-analyze", "verify", "--recursive-errors=no", *map(str, sorted(tmp_path.iterdir()))],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (found.returncode, found.stderr) == (0, "")


def test_the_proxy_keeps_no_log_compresses_nothing_and_takes_bodies_as_large_as_the_server_does(settings: Any) -> None:
    text = (FOLDER / "proxy" / "nginx.conf").read_text()
    for line in ("access_log off;", "error_log /dev/null;", "gzip off;"):
        assert line in text
    size = re.search(r"client_max_body_size (\d+)m;", text)
    assert size is not None
    assert int(size[1]) * 1024 * 1024 == settings.DATA_UPLOAD_MAX_MEMORY_SIZE
