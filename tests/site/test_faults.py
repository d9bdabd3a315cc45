"""Parts of a running copy are killed while six doors scan: nothing acknowledged is lost, none counts twice."""

import json
import os
import re
import signal
import subprocess
import sys

import pytest

from benchmarks import faults
from embedded.home import CHECKOUT
from embedded.processes import Record, wait_until
from tests.live import PATIENCE_S, Copy, environment

SCANS = 240
PARTS = ("postgres", "valkey", "limits", "web server", "worker", "schedule")
TITLES = {"postgres": "PostgreSQL", "valkey": "Valkey (valkey)", "limits": "Valkey (limits)"}


def kill(copy: Copy, part: str) -> None:
    """End one part as a power failure would."""
    if part in TITLES:
        record = Record.read(copy.home / "run" / f"{part}.json")
        assert record is not None
        os.kill(record.pid, signal.SIGKILL)
    else:
        programs = json.loads((copy.home / "run" / "programs.json").read_text())
        os.kill(programs[PARTS.index(part) - len(TITLES)]["pid"], signal.SIGKILL)


def recovered(copy: Copy, part: str) -> bool:
    """Return whether the copy reports it."""
    said = f"{TITLES[part]} is running again" if part in TITLES else f"The {part} ended with -9 and is being restarted"
    return said in copy.said


def is_ready(copy: Copy) -> bool:
    """Return whether the copy is ready; a restarted web server may not accept connections yet."""
    try:
        return copy.answer("/readyz")[0] == 200
    except OSError:
        return False


def test_whatever_is_killed_while_doors_scan_comes_back_and_no_answer_is_lost_or_counted_twice(copy: Copy) -> None:
    left = list(PARTS)
    last = ""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.doors", f"http://127.0.0.1:{copy.port}", str(SCANS)],
        cwd=CHECKOUT,
        env=environment(copy.home),
        stdout=subprocess.PIPE,
        text=True,
    ) as doors:
        assert doors.stdout is not None
        for line in doors.stdout:
            last = line
            done = re.fullmatch(r"acknowledged (\d+)\n", line)
            if left and done and int(done[1]) >= SCANS * (len(PARTS) - len(left)) / len(PARTS):
                kill(copy, left.pop(0))
    assert doors.returncode == 0
    assert left == []
    found = json.loads(last)
    assert {name: found[name] for name in ("lost", "doubled", "changed")} == {"lost": 0, "doubled": 0, "changed": 0}
    assert found["acknowledged"] == found["visits"] == SCANS
    assert wait_until(lambda: all(recovered(copy, part) for part in PARTS), seconds=PATIENCE_S)
    assert wait_until(lambda: is_ready(copy), seconds=PATIENCE_S)


@pytest.mark.long
@pytest.mark.parametrize("part", [*PARTS, "second web host"])
def test_a_part_that_is_paused_or_gone_loses_and_doubles_nothing(copy: Copy, part: str) -> None:
    """Some rows of docs/reliability.md, with few scans and short pauses."""
    kind = "gone" if part == "second web host" else "paused"
    found = faults.one(copy, part, kind, scans=200, rate=20.0, pause=5.0)
    assert {name: found.found[name] for name in ("lost", "doubled", "changed")} == {
        "lost": 0,
        "doubled": 0,
        "changed": 0,
    }
    assert found.recovered is not None
