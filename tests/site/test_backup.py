"""A drill: a copy is backed up while doors scan, its home is destroyed, and another home continues from there."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import embedded
from embedded.home import CHECKOUT
from embedded.network import free_port
from tests.live import environment, manage, running

SCANS = 900


@pytest.fixture
def homes(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    made = tmp_path / "first", tmp_path / "second"
    yield made
    for home in made:
        embedded.destroy(home)


def drill(home: Path, *arguments: str) -> str:
    return subprocess.run(
        [sys.executable, "-m", "tests.drill", *arguments],
        cwd=CHECKOUT,
        env=environment(home),
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout


def doors_of(home: Path, port: int) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tests.doors", f"http://127.0.0.1:{port}", str(SCANS)]
    return subprocess.Popen(command, cwd=CHECKOUT, env=environment(home), stdout=subprocess.PIPE, text=True)


@pytest.mark.long
def test_a_home_that_was_backed_up_under_scans_goes_on_in_another(homes: tuple[Path, Path], tmp_path: Path) -> None:
    (home, other), port = homes, free_port()
    backup, keys, known, owners = (str(tmp_path / name) for name in ("backup", "keys", "known.json", "owners"))
    with running(home, port):
        drill(home, "prepare", known, owners)
        with doors_of(home, port) as doors:
            assert doors.stdout is not None
            lines = iter(doors.stdout)
            assert next(lines).startswith("acknowledged")
            manage(home, "backup", backup, "--secrets", keys)
            *_, last = lines
        found = json.loads(last)
        assert (found["lost"], found["doubled"], found["acknowledged"]) == (0, 0, SCANS)
        manage(home, "forget", "--owners", owners)
        manage(home, "release")
        manage(home, "backup", backup, "--logs")
        before: dict[str, Any] = json.loads(drill(home, "look", known))
    answered = manage(home, "query", "select count(*) from aspirevc_crowd_tracing", "--format", "json")
    embedded.destroy(home)

    assert "Erasures and draws are known until" in manage(other, "restore", backup, "--secrets", keys)
    manage(other, "release")
    after: dict[str, Any] = json.loads(drill(other, "look", known))

    assert after["lights"] == before["lights"] == {"green": "Approved", "red": "Declined"}
    assert after["later"] == "Approved"
    first = {name: one["given"][1] for name, one in json.loads(Path(known).read_text())["visitors"].items()}
    for name in ("green", "later", "unwell"):
        assert after["repeated"][name] == [200, first[name]]
    assert first["unwell"]["go"] is False
    assert set(after["spent"].values()) == {409}
    assert after["keys"] == before["keys"] != []
    assert (before["erased"], after["erased"]) == (0, 0)
    assert 0 < after["scans"] <= before["scans"]
    assert after["doubled"] == 0
    assert after["releases"] == before["releases"] != []
    query = manage(other, "query", "select count(*) from aspirevc_crowd_tracing", "--format", "json")
    assert json.loads(query)["rows"] == json.loads(answered)["rows"]
