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

`--scans 100000 --rate 100` is the long form. Faults with `clock` need a C compiler for `clock.c` (libfaketime 0.9.10
breaks `time.sleep` of Python 3.11) and Linux; PostgreSQL, which is started without it, keeps the true clock. Those with
`disk` need a mount namespace: root has it, ordinary users where the kernel allows user namespaces.
"""

import argparse
import hashlib
import http.client
import json
import os
import re
import secrets
import shutil
import socket
import struct
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
from embedded.accounts import STATE
from embedded.home import CHECKOUT, home_name
from embedded.network import free_port
from embedded.postgres import STAMP
from embedded.processes import Record, wait_until
from tests.exports.s3 import s3_server
from tests.live import Copy, environment, running

KIOSK_SECONDS: Final = 1.2
"""How long a kiosk waits for a response (LIVE_TIMEOUT_MS in passes/frontend/door/link.js)."""
RECOVERY_SECONDS: Final = 300.0
SAMPLE_SECONDS: Final = 0.25
DISK_MIB: Final = 1024
STORES: Final = ("postgres", "valkey", "limits")
PROGRAMS: Final = ("web server", "worker", "schedule")
QUERY: Final = 'SELECT count(*) + {0} - {0} FROM "covid-19"."aspirevc_crowd_tracing"'
SECOND_HOST: Final = """if True:
    import subprocess, sys
    import embedded
    from common.web.server import command
    with embedded.services(embedded.home()):
        line = command("crowdtrace.asgi:application", host="127.0.0.1", port=int(sys.argv[1]), workers=1)
        subprocess.run(line, check=False)
"""
"""A second web server on the database, broker and lake of a home."""
DONE: Final = "crowdtrace:tasks:done"


@dataclass
class Seen:
    """What an operator saw: states of `/readyz` and how long it took at most."""

    states: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0

    def __str__(self) -> str:
        if not self.states:
            return ""
        return ", ".join(name for name, _ in self.states.most_common()) + f"; slowest {self.slowest:.1f} s"


class Patient:
    """A running copy, its parts, and what they can do at the moment."""

    def __init__(self, copy: Copy) -> None:
        self.copy, self.home = copy, copy.home
        self.second: list[psutil.Process] = []
        self.addresses = [f"http://127.0.0.1:{copy.port}"]
        self.former = 0

    def processes(self, part: str) -> list[psutil.Process]:
        """Return the processes of a part."""
        if part == "s3":
            return [child for child in psutil.Process().children() if child.name() == "weed"]
        if part in STORES:
            record = Record.read(self.home / "run" / f"{part}.json")
            assert record is not None
            first = psutil.Process(record.pid)
            return [first, *first.children(recursive=True)]
        first = psutil.Process(self.leader(part))
        return [first, *first.children(recursive=True)]

    def leader(self, part: str) -> int:
        """Return the process number of a program."""
        programs = json.loads((self.home / "run" / "programs.json").read_text())
        return int(programs[PROGRAMS.index(part)]["pid"])

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

    def query(self) -> int:
        """Return the status of a query to the lake."""
        connection = http.client.HTTPConnection("127.0.0.1", self.copy.port, timeout=60)
        try:
            body = json.dumps({"sql": QUERY.format(secrets.randbelow(10**9))})
            connection.request("POST", "/api/v1/queries", body, {"Content-Type": "application/json"})
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()

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
        """Return the function that tells whether a part does its work again, from now on."""
        if part == "s3":
            return lambda: self.query() == 200
        if part in ("worker", "schedule"):
            task = "passes.keys" if part == "worker" else "passes.alerts"
            before = self.done_at(task)
            if part == "worker":
                self.send(task)
            return lambda: self.done_at(task) > before
        if part == "limits":
            return lambda: "ratelimit" in self.get("/api/v1/venues?limit=1")[1]
        if part == "web server":
            former = self.former
            return lambda: self.leader(part) != former and self.ready() == "200 ok"
        return lambda: self.ready() == "200 ok"


@contextmanager
def watched(patient: Patient, part: str) -> Iterator[Seen]:
    """Poll `/readyz` continuously, and queries if they are concerned."""
    seen, over = Seen(), threading.Event()

    def look() -> None:
        while not over.wait(SAMPLE_SECONDS):
            began = time.monotonic()
            seen.states[patient.ready()] += 1
            if part == "s3":
                seen.states[f"query {patient.query()}"] += 1
            seen.slowest = max(seen.slowest, time.monotonic() - began)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def killed(part: str, patient: Patient, _pause: float) -> None:
    """Kill all processes of a part with SIGKILL."""
    for process in patient.processes(part):
        with suppress(psutil.NoSuchProcess):
            process.kill()


def paused(part: str, patient: Patient, pause: float) -> None:
    """Stop all processes of a part for a while, then let them continue."""
    processes = patient.processes(part)
    for process in processes:
        process.suspend()
    try:
        time.sleep(pause)
    finally:
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.resume()


def clock_forward(_part: str, patient: Patient, pause: float) -> None:
    """Set the server's clock forward by an hour, then correct it."""
    clock(patient, 3600, pause)


def clock_back(_part: str, patient: Patient, pause: float) -> None:
    """Set the server's clock back by an hour, then correct it."""
    clock(patient, -3600, pause)


def clock(patient: Patient, offset: int, pause: float) -> None:
    """Show the processes of the copy another time for a while."""
    with patient.home.with_name("offset").open("r+b", buffering=0) as file:
        file.write(struct.pack("q", offset))
        try:
            time.sleep(pause)
        finally:
            file.seek(0)
            file.write(bytes(8))


def filled(_part: str, patient: Patient, pause: float) -> None:
    """Fill the disk for a while."""
    file = patient.home.with_name("filler")
    try:
        with suppress(OSError), file.open("wb", buffering=0) as out:
            while True:
                out.write(bytes(1 << 16))
        time.sleep(pause)
    finally:
        file.unlink(missing_ok=True)


def gone(_part: str, patient: Patient, _pause: float) -> None:
    """Kill the second web host."""
    for process in patient.second:
        with suppress(psutil.NoSuchProcess):
            process.kill()


FAULTS: Final[dict[str, Callable[[str, Patient, float], None]]] = {
    "killed": killed,
    "paused": paused,
    "forward": clock_forward,
    "back": clock_back,
    "filled": filled,
    "gone": gone,
}
ON_A_PLAIN_COPY: Final = [(part, kind) for part in (*STORES, *PROGRAMS) for kind in ("killed", "paused")]


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
        refused = ", ".join(f"{number} {status}" for status, number in sorted(self.found["refused"].items()))
        gap = f"{self.found['longest']:.1f}"
        return f"| {self.fault} | {counts} | {refused} | {recovered} | {gap} | {self.seen} | {self.said} |"


HEAD: Final = (
    "| Fault | Scans | Lost | Doubled | Changed | Alone | Refused | Recovered | Gap | `/readyz` | Supervisor |\n"
    "|---|---|---|---|---|---|---|---|---|---|---|"
)


@contextmanager
def scanning(home: Path, addresses: list[str], scans: int, rate: float) -> "Iterator[subprocess.Popen[str]]":
    """Run the doors."""
    command = [sys.executable, "-m", "tests.doors", ",".join(addresses), str(scans)]
    command += ["--rate", str(rate), "--patience", str(KIOSK_SECONDS)]
    with subprocess.Popen(command, cwd=CHECKOUT, env=environment(home), stdout=subprocess.PIPE, text=True) as doors:
        yield doors


def until(doors: "subprocess.Popen[str]", scans: int) -> None:
    """Wait until this many scans are acknowledged."""
    assert doors.stdout is not None
    for line in doors.stdout:
        done = re.fullmatch(r"acknowledged (\d+)\n", line)
        if done and int(done[1]) >= scans:
            return


def run(patient: Patient, part: str, kind: str, *, scans: int, rate: float, pause: float) -> Row:
    """Run one fault."""
    before = len(patient.copy.said)
    with scanning(patient.home, patient.addresses, scans, rate) as doors:
        until(doors, scans // 4)
        with watched(patient, part) as seen:
            patient.former = patient.leader("web server") if kind == "killed" else 0
            FAULTS[kind](part, patient, pause)
            ended = time.monotonic()
            came = wait_until(patient.works(part), seconds=RECOVERY_SECONDS)
            recovered = time.monotonic() - ended
        assert doors.stdout is not None
        *_, last = doors.stdout
    if doors.returncode:
        raise RuntimeError("the doors failed")
    said = " ".join(re.sub(r"; see \S+", "", patient.copy.said[before:]).split())
    return Row(f"{part} {kind}", json.loads(last), recovered if came else None, seen, said)


def plain(given: argparse.Namespace, home: Path) -> Iterator[Row]:
    """Kill and pause each part of a copy; then one of two web servers."""
    wishes = [(part, kind) for part, kind in ON_A_PLAIN_COPY if wanted(given, part, kind)]
    if not wishes and not wanted(given, "second web host", "gone"):
        return
    with running(home, free_port()) as copy:
        for part, kind in wishes:
            yield one(copy, part, kind, **how(given))
        if wanted(given, "second web host", "gone"):
            yield one(copy, "second web host", "gone", **how(given))


def one(copy: Copy, part: str, kind: str, *, scans: int, rate: float, pause: float) -> Row:
    """Run one fault of a part that this machine runs."""
    patient = Patient(copy)
    if part != "second web host":
        return run(patient, part, kind, scans=scans, rate=rate, pause=pause)
    port = free_port()
    command = [sys.executable, "-c", SECOND_HOST, str(port)]
    with subprocess.Popen(command, cwd=CHECKOUT, env=environment(copy.home)) as second:
        if not wait_until(lambda: is_listening(port), seconds=RECOVERY_SECONDS):
            raise RuntimeError("the second web host did not start")
        patient.second = psutil.Process(second.pid).children(recursive=True)
        patient.addresses.append(f"http://127.0.0.1:{port}")
        try:
            return run(patient, part, kind, scans=scans, rate=rate, pause=pause)
        finally:
            gone(part, patient, pause)


def with_s3(given: argparse.Namespace, home: Path) -> Iterator[Row]:
    """Kill and pause the S3 server of a copy; a killed one is not restarted."""
    wishes = [kind for kind in ("paused", "killed") if wanted(given, "s3", kind)]
    if not wishes:
        return
    with s3_server() as s3:
        storage = s3.make_bucket("faults", versioned=True)
        more = {
            "LAKE_URL": storage.url,
            "LAKE_S3_ENDPOINT": s3.endpoint,
            "AWS_ACCESS_KEY_ID": s3.access_key,
            "AWS_SECRET_ACCESS_KEY": s3.secret_key,
        }
        with running(home, free_port(), more) as copy:
            patient = Patient(copy)
            if not wait_until(lambda: patient.query() == 200, seconds=RECOVERY_SECONDS):
                raise RuntimeError("no day was released to S3")
            for kind in wishes:
                yield run(patient, "s3", kind, **how(given))


def with_another_clock(given: argparse.Namespace, home: Path) -> Iterator[Row]:
    """Set the clock of a copy; the clocks of doors and phones continue."""
    wishes = [kind for kind in ("forward", "back") if wanted(given, "clock", kind)]
    if not wishes:
        return
    if (compiler := shutil.which("cc")) is None:
        print("clock: there is no C compiler", file=sys.stderr)
        return
    library, source = home.with_name("clock.so"), Path(__file__).with_name("clock.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-o", str(library), str(source), "-ldl"], check=True)
    file = home.with_name("offset")
    file.write_bytes(bytes(8))
    more = {"LD_PRELOAD": str(library), "CLOCK_FILE": str(file)}
    with running(home, free_port(), more) as copy:
        for kind in wishes:
            yield run(Patient(copy), "clock", kind, **how(given))


def on_a_small_disk(given: argparse.Namespace, _home: Path) -> Iterator[Row]:
    """Fill the disk of a copy: a tmpfs in a mount namespace of its own, in which this program runs again."""
    if not wanted(given, "disk", "filled"):
        return
    if given.disk is None:
        with tempfile.TemporaryDirectory(prefix="crowdtrace-disk-") as folder:
            space = ["unshare", "--mount"]
            if os.geteuid():
                space += ["--user", "--map-current-user", "--keep-caps"]
            command = [*space, sys.executable, "-m", "benchmarks.faults", "--only", "disk", "--disk", folder]
            for name, value in how(given).items():
                command += [f"--{name}", str(value)]
            done = subprocess.run(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True, check=False)
            print(*[line for line in done.stdout.splitlines() if line.startswith("| disk")], sep="\n", flush=True)
        return
    home = given.disk / "home"
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "tmpfs", str(given.disk)], check=True)
    if not os.geteuid():  # then the database is not in the home
        cluster = given.disk / "cluster"
        place = STATE / hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
        for made in (cluster, place):
            made.mkdir(parents=True)
        subprocess.run(["mount", "--bind", str(cluster), str(place)], check=True)
        os.environ["CROWDTRACE_HOME"] = str(home)
        (place / STAMP).write_text(f"{home_name(embedded.home())}\n{home}\n")
    try:
        with running(home, free_port()) as copy:
            yield run(Patient(copy), "disk", "filled", **how(given))
    finally:
        if not os.geteuid():
            subprocess.run(["umount", "--lazy", str(place)], check=True)
            place.rmdir()


def without_a_network(given: argparse.Namespace, home: Path) -> Iterator[Row]:
    """Cut the network between doors and server for a simulated day."""
    if not wanted(given, "network", "cut"):
        return
    command = [sys.executable, "-m", "tests.offline_day", str(given.scans)]
    done = subprocess.run(command, cwd=CHECKOUT, env=environment(home), stdout=subprocess.PIPE, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    counts = {"acknowledged": found["queued"], "alone": found["shown"], "changed": 0, "refused": {}, "longest": 86_400}
    lights = ", ".join(f"{number} {light}" for light, number in found["lights"].items())
    yield Row("network cut", counts | found, found["seconds"], Seen(), f"lights: {lights}; {found['visits']} visits")


def wanted(given: argparse.Namespace, part: str, kind: str) -> bool:
    """Return whether a fault was requested."""
    return not given.only or any(word in f"{part} {kind}" for word in given.only)


def how(given: argparse.Namespace) -> dict[str, Any]:
    """Return the parameters of a run as text."""
    return {"scans": given.scans, "rate": given.rate, "pause": given.pause}


def is_listening(port: int) -> bool:
    """Return whether a server answers."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def main() -> None:
    """Run the faults and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scans", type=int, default=400)
    parser.add_argument("--rate", type=float, default=20)
    parser.add_argument("--pause", type=float, default=30)
    parser.add_argument("--only", nargs="*", default=[], metavar="NAME")
    parser.add_argument("--home", type=Path, help="use this home, and keep it")
    parser.add_argument("--disk", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    print(HEAD, flush=True)
    for group in (without_a_network, plain, with_s3, with_another_clock, on_a_small_disk):
        with tempfile.TemporaryDirectory(prefix="crowdtrace-faults-") as folder:
            home = given.home if given.home and group is plain else Path(folder) / "home"
            try:
                for row in group(given, home):
                    print(row, flush=True)
            finally:
                if home != given.home:
                    embedded.destroy(home)


if __name__ == "__main__":
    main()
