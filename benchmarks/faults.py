"""Break each part of a running copy while six doors scan, and print what was lost, doubled and seen: the fault table.

Each row is one fault on one copy of `manage.py serve`, in a temporary home. The doors send a steady number of scans a
second and wait 1.2 s for a response, like a kiosk, which then decides by itself; a scan without a response is sent
again until it has one. The fault comes after a quarter of the scans. Afterwards the database is compared with every
response that a door received.

- lost: acknowledged scans that are not in the database. doubled: scans or visits that are there twice.
  changed: scans whose stored result is another one than the door received
- alone: scans that the doors decide themselves
- recovered: seconds from the end of the fault (a kill, or the end of a pause) until the part did its work again: the
  store answers `/readyz`, limits are counted, a task that was sent is done, the schedule sent a task
- gap: the longest time without any response to a door
- seen: what `/readyz` reported meanwhile, with its slowest response

    python -m benchmarks.faults [--scans 400] [--rate 20] [--pause 30] [--only NAME ...] [--home FOLDER]

`--scans 100000 --rate 100` is the long form. Faults with `clock` need libfaketime (Debian's `libfaketime`), those with
`disk` need a mount namespace (`unshare`), which ordinary users have where the kernel allows user namespaces.
"""

import argparse
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psutil
from redis import Redis, RedisError

import embedded
from embedded import valkey
from embedded.home import CHECKOUT
from embedded.network import free_port
from embedded.processes import Record, wait_until
from tests.live import Copy, environment, running

KIOSK_SECONDS: Final = 1.2
"""How long a kiosk waits for a response (LIVE_TIMEOUT_MS in passes/frontend/door/link.js)."""
RECOVERY_SECONDS: Final = 300.0
SAMPLE_SECONDS: Final = 0.25
STORES: Final = ("postgres", "valkey", "limits")
PROGRAMS: Final = ("web server", "worker", "schedule")
DONE: Final = "crowdtrace:tasks:done"


@dataclass
class Seen:
    """What an operator saw: states of `/readyz` and how long it took at most."""

    states: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0

    def __str__(self) -> str:
        return ", ".join(name for name, _ in self.states.most_common()) + f"; at most {self.slowest:.1f} s"


class Patient:
    """A running copy, its parts, and what they can do at the moment."""

    def __init__(self, copy: Copy) -> None:
        self.copy, self.home = copy, copy.home

    def processes(self, part: str) -> list[psutil.Process]:
        """Return the processes of a part, the first one to be killed before the others."""
        if part in STORES:
            record = Record.read(self.home / "run" / f"{part}.json")
            assert record is not None
            first = psutil.Process(record.pid)
            return [first, *first.children(recursive=True)]
        programs = json.loads((self.home / "run" / "programs.json").read_text())
        first = psutil.Process(programs[PROGRAMS.index(part)]["pid"])
        return [first, *first.children(recursive=True)]

    def store(self, name: str) -> "Redis":
        """Return a client of one of the Valkeys."""
        which = valkey.BROKER if name == "valkey" else valkey.LIMITS
        record = Record.read(valkey.record_path(self.home, which))
        if record is None:
            raise ConnectionError
        return Redis.from_url(valkey.url(self.home, record), socket_timeout=1, socket_connect_timeout=1)

    def get(self, path: str, *, seconds: float = 10.0) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers and body of a response; status 0 if there is none."""
        connection = http.client.HTTPConnection("127.0.0.1", self.copy.port, timeout=seconds)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, {key.lower(): value for key, value in response.getheaders()}, response.read()
        except (OSError, http.client.HTTPException):
            return 0, {}, b""
        finally:
            connection.close()

    def ready(self) -> str:
        """Return what `/readyz` reports, in a few words."""
        status, _, body = self.get("/readyz")
        if not status:
            return "no answer"
        with suppress(ValueError, KeyError, AttributeError):
            missing = json.loads(body).get("missing")
            if missing is not None:
                return f"{status} " + ("+".join(missing) or "ok")
        return str(status)

    def done_at(self, task: str) -> str:
        """Return when a task was last done."""
        try:
            found: Any = self.store("valkey").hget(DONE, task)
        except (RedisError, OSError):
            return ""
        return found.decode() if found else ""

    def send(self, task: str) -> None:
        """Have the worker do a task."""
        from celery import Celery

        record = Record.read(valkey.record_path(self.home, valkey.BROKER))
        if record is None:
            return
        with (
            suppress(Exception),
            Celery(set_as_current=False, broker=valkey.url(self.home, record)) as application,
        ):
            application.send_task(task, ignore_result=True, retry=False)

    def works(self, part: str) -> Callable[[], bool]:
        """Return the function that says whether a part does its work again, from this moment on."""
        if part in ("worker", "schedule"):
            task = "passes.keys" if part == "worker" else "passes.alerts"
            before = self.done_at(task)
            if part == "worker":
                self.send(task)
            return lambda: self.done_at(task) > before
        if part == "limits":
            return lambda: "ratelimit" in self.get("/api/v1/venues?limit=1")[1]
        return lambda: self.ready() == "200 ok"


@contextmanager
def watched(patient: Patient) -> Iterator[Seen]:
    """Look at `/readyz` all the time."""
    seen, over = Seen(), threading.Event()

    def look() -> None:
        while not over.wait(SAMPLE_SECONDS):
            began = time.monotonic()
            seen.states[patient.ready()] += 1
            seen.slowest = max(seen.slowest, time.monotonic() - began)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def killed(part: str, patient: Patient, _pause: float) -> None:
    """Kill a part with SIGKILL."""
    patient.processes(part)[0].kill()


def paused(part: str, patient: Patient, pause: float) -> None:
    """Stop a part and all its processes for a while, then let it continue."""
    processes = patient.processes(part)
    for process in processes:
        process.suspend()
    try:
        time.sleep(pause)
    finally:
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.resume()


FAULTS: Final = {"killed": killed, "paused": paused}


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    fault: str
    found: dict[str, Any]
    recovered: float | None
    seen: Seen
    said: str

    def __str__(self) -> str:
        recovered = "not" if self.recovered is None else f"{self.recovered:.1f}"
        counts = " | ".join(str(self.found[name]) for name in ("acknowledged", "lost", "doubled", "changed", "alone"))
        return f"| {self.fault} | {counts} | {recovered} | {self.found['longest']:.1f} | {self.seen} | {self.said} |"


HEAD: Final = (
    "| Fault | Scans | Lost | Doubled | Changed | Alone | Recovered (s) | Gap (s) | `/readyz` | Supervisor |\n"
    "|---|---|---|---|---|---|---|---|---|---|"
)


@contextmanager
def scanning(home: Path, addresses: list[str], scans: int, rate: float) -> "Iterator[subprocess.Popen[str]]":
    """Run the doors."""
    command = [sys.executable, "-m", "tests.doors", ",".join(addresses), str(scans)]
    command += ["--rate", str(rate), "--patience", str(KIOSK_SECONDS)]
    with subprocess.Popen(
        command, cwd=CHECKOUT, env=environment(home), stdout=subprocess.PIPE, text=True
    ) as doors:
        yield doors


def until(doors: "subprocess.Popen[str]", scans: int) -> None:
    """Wait until as many scans are acknowledged."""
    assert doors.stdout is not None
    for line in doors.stdout:
        done = re.fullmatch(r"acknowledged (\d+)\n", line)
        if done and int(done[1]) >= scans:
            return


def run(patient: Patient, kind: str, part: str, *, scans: int, rate: float, pause: float) -> Row:
    """Do one fault."""
    before = len(patient.copy.said)
    with scanning(patient.home, [f"http://127.0.0.1:{patient.copy.port}"], scans, rate) as doors:
        until(doors, scans // 4)
        with watched(patient) as seen:
            works = patient.works(part) if part == "schedule" else None
            FAULTS[kind](part, patient, pause)
            ended = time.monotonic()
            works = works or patient.works(part)
            came = wait_until(works, seconds=RECOVERY_SECONDS)
            recovered = time.monotonic() - ended
        assert doors.stdout is not None
        *_, last = doors.stdout
    if doors.returncode:
        raise RuntimeError("the doors failed")
    said = " ".join(re.sub(r"; see \S+", "", patient.copy.said[before:]).split())
    return Row(f"{part} {kind}", json.loads(last), recovered if came else None, seen, said)


def main() -> None:
    """Run the faults and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scans", type=int, default=400)
    parser.add_argument("--rate", type=float, default=20)
    parser.add_argument("--pause", type=float, default=30)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--home", type=Path, help="use this home, and keep it")
    given = parser.parse_args()
    names = [(kind, part) for part in (*STORES, *PROGRAMS) for kind in FAULTS]
    print(HEAD, flush=True)
    with tempfile.TemporaryDirectory(prefix="crowdtrace-faults-") as folder:
        home = given.home or Path(folder) / "home"
        try:
            with running(home, free_port()) as copy:
                for kind, part in names:
                    if not given.only or any(word in f"{part} {kind}" for word in given.only):
                        row = run(Patient(copy), kind, part, scans=given.scans, rate=given.rate, pause=given.pause)
                        print(row, flush=True)
        finally:
            if not given.home:
                embedded.destroy(home)


if __name__ == "__main__":
    main()
