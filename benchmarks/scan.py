"""Measure scans a second at a real server, compared with a floor endpoint in the same run.

The server is granian with two workers, as `make run` starts it; clients use persistent connections and share the
machine. A scan is like one from a door: a device with its token and its limit, a rotating code of a pass that was never
scanned, and an Approved that makes a visit. The floor is the least that an endpoint with a look-up and a record can
cost: a DRF view with one SELECT and one INSERT (`benchmarks.scan_floor`), in the same server, behind the middleware of
all URLs except a device's, with neither authentication nor limit. Both are warmed up for seconds, until the server has
nothing left to prepare (the machine code of the chain takes seconds the first time on a machine); then rounds of scans
and of the floor alternate, so that all see the same machine. The floor has two rounds: as fast as it goes, and at the
pace of scans, 40 ms between two requests of a client. A server that wakes up for each request needs more CPU for it.

- req/s: responses per elapsed second of the clients, which use a part of the same cores
- p50, p99: from the first byte sent to the last one read, with all clients waiting at once
- CPU ms: CPU of the web server's processes, divided by responses; user and system
- stores ms: the same of PostgreSQL and Valkey, which are not part of any ratio
- scan / floor, scan / paced: the median of the rounds' ratios. A scan walks as many hashes as minutes of the day have
  passed: from morning to night, its CPU grows by 0.06 ms if the processor has instructions for SHA-256, otherwise by
  0.3 ms

    python -m benchmarks.scan [--seconds 6] [--clients 16 ...]

Responses to scans wait for their moment (`common.web.moments`), 40 ms after the request arrived: few clients get few
responses a second, whatever the server's capacity.
"""

import argparse
import asyncio
import datetime as dt
import json
import os
import secrets
import statistics
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks.homes import serving_home
from embedded.network import free_port
from embedded.processes import Record

ROUNDS = 3
WARM_SECONDS = 3
IDLE_CPU = 0.02  # CPU seconds in half a second, below which a server is idle
DOORS = 4
PASSES_A_SECOND = 900  # as many are prepared as a fast machine could scan
PACE_SECONDS = 0.04  # between a scan and its response (common.web.moments)


@dataclass(frozen=True)
class Figures:
    """One round: requests a second, latencies in milliseconds, CPU milliseconds per request."""

    per_second: float
    p50_ms: float
    p99_ms: float
    cpu_ms: float
    stores_ms: float


@dataclass(frozen=True)
class Watched:
    """The processes whose CPU is measured."""

    server: psutil.Process
    stores: list[psutil.Process]


@dataclass(frozen=True)
class Town:
    """Input of the clients: tokens of doors, and credentials that are valid for the next minutes."""

    tokens: list[str]
    shown: list[Callable[[float], str]]
    venue: int


def prepare(passes: int, *, doors: int = DOORS) -> Town:
    """Create a venue with doors, and passes that were issued and never scanned."""
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", interactive=False, verbosity=0)
    from common.time import utc_now

    return prepare_at(passes, doors=doors, now=utc_now())


def prepare_at(passes: int, *, doors: int, now: dt.datetime) -> Town:
    """Create a venue with doors, and passes of the current epoch that were never scanned."""
    import numpy as np

    from passes import bulk, keys
    from passes.clock import calendar
    from passes.codec import rotating_text, sign_pass
    from passes.codec.identity import derive_pass, derive_seed
    from tests import factories
    from venues.requirements import RequirementValues

    owner = factories.make_user(username=f"owner-{secrets.token_hex(5)}", now=now)
    ours = factories.make_organisation(owner=owner, now=now)
    venue = factories.make_venue(organisation=ours, requirements=RequirementValues(capacity=1_000_000), now=now)
    devices = [factories.make_device(venue=venue, now=now) for _ in range(doors)]
    epoch = calendar().current(now.timestamp())
    key = keys.signer(epoch, now)
    assert key is not None

    def made() -> tuple[Any, bytes]:
        holder = derive_pass(derive_seed(secrets.token_bytes(32), epoch.start), epoch.start, 0)
        return holder, sign_pass(key, venue=venue.public_id, epoch_start=epoch.start, anchor=holder.anchor)

    held = [made() for _ in range(passes)]
    n = len(held)
    none = np.full(n, bulk.NOT_AT_ALL)
    bulk.write_day(
        bulk.Day(
            epoch=epoch,
            venue=np.full(n, venue.pk),
            device=np.full(n, devices[0].device.pk),
            anchor=np.array([list(holder.anchor) for holder, _ in held], np.uint8),
            owner_hash=np.array([list(holder.owner_hash) for holder, _ in held], np.uint8),
            answers=np.zeros((n, 4), bool),
            survey_seconds=np.full(n, 20),
            go=np.ones(n, bool),
            refused_hour=np.zeros(n, np.int64),
            counted=np.ones(n, bool),
            arrived_us=none,
            approved=np.zeros(n, bool),
            cause=np.full(n, ""),
            left_us=none,
            times_out_us=none,
            masks=np.zeros(n, np.int64),
            distancing=np.zeros(n, np.int64),
        ),
        keep_anchors=True,
    )

    def screen(holder: Any, data: bytes) -> Callable[[float], str]:
        return lambda at: rotating_text(data, *holder.code_at(at))

    return Town([device.token for device in devices], [screen(*one) for one in held], venue.pk)


def request(path: str, body: dict[str, Any], credential: str = "") -> bytes:
    """Return the bytes of one POST on a persistent connection."""
    text = json.dumps(body).encode()
    who = f"Authorization: {credential}\r\n" if credential else ""
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\n{who}Content-Type: application/json\r\n"
    return f"{head}Content-Length: {len(text)}\r\n\r\n".encode() + text


async def client(
    port: int, next_request: Callable[[], bytes | None], until: float, taken: list[float], pace: float
) -> None:
    """Send one request after another on one connection, at least `pace` seconds apart; raise for any but 2xx."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while time.perf_counter() < until and (data := next_request()) is not None:
        began = time.perf_counter()
        writer.write(data)
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        length = next((int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length")), 0)
        body = await reader.readexactly(length)
        taken.append(time.perf_counter() - began)
        if not head.split(b" ", 2)[1].startswith(b"2") or b"Declined" in body:
            raise RuntimeError(head.decode() + body.decode())
        if (left := began + pace - time.perf_counter()) > 0:
            await asyncio.sleep(left)
    writer.close()


def cpu_seconds(*parents: psutil.Process) -> float:
    """Return the CPU time of processes and of their children, also of those that have ended."""
    times = [one.cpu_times() for parent in parents for one in (parent, *parent.children(recursive=True))]
    return sum(one.user + one.system + one.children_user + one.children_system for one in times)


def drive(
    port: int,
    watched: Watched,
    next_request: Callable[[], bytes | None],
    *,
    seconds: float,
    clients: int,
    pace: float = 0.0,
) -> Figures:
    """Run one round."""
    taken: list[float] = []

    async def all_clients() -> None:
        until = time.perf_counter() + seconds
        await asyncio.gather(*(client(port, next_request, until, taken, pace) for _ in range(clients)))

    cpu, stores, began = cpu_seconds(watched.server), cpu_seconds(*watched.stores), time.perf_counter()
    asyncio.run(all_clients())
    took = time.perf_counter() - began
    spent, stored = cpu_seconds(watched.server) - cpu, cpu_seconds(*watched.stores) - stores
    p50, p99 = statistics.median(taken), statistics.quantiles(taken, n=100)[98]
    count = len(taken)
    return Figures(count / took, p50 * 1e3, p99 * 1e3, spent / count * 1e3, stored / count * 1e3)


def settle(watched: Watched) -> None:
    """Wait until the server is idle."""
    for _ in range(120):
        before = cpu_seconds(watched.server)
        time.sleep(0.5)
        if cpu_seconds(watched.server) - before < IDLE_CPU:
            return
    raise TimeoutError("the server does not become idle")


def start_server(port: int) -> subprocess.Popen[bytes]:
    """Start granian with the floor's URL next to the real ones."""
    from common.web.server import command

    settings = {"DJANGO_SETTINGS_MODULE": "benchmarks.scan_floor_settings"}
    line = command("crowdtrace.asgi:application", host="127.0.0.1", port=port, workers=2)
    return subprocess.Popen(line, env={**os.environ, **settings})


async def wait_for(port: int) -> None:
    """Wait until the server accepts connections."""
    for _ in range(300):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.1)
        else:
            writer.close()
            return
    raise TimeoutError("the server did not start")


def run(args: argparse.Namespace, home: Path) -> None:
    """Prepare, measure both endpoints alternately, print."""
    rates = [min(PASSES_A_SECOND, clients / PACE_SECONDS) for clients in (*args.clients, 16)]
    town = prepare(int(sum(rates[:-1]) * args.seconds * ROUNDS + rates[-1] * 2 * WARM_SECONDS) + 1000)
    screens = iter(town.shown)
    doors = iter(range(10**9))

    def next_scan() -> bytes | None:
        screen = next(screens, None)
        if screen is None:
            return None
        at = time.time()
        body = {"scan_id": secrets.token_urlsafe(16), "credential": screen(at), "type": "Checkin"}
        body["scanned_at"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
        return request("/api/v1/scans", body, f"Device {town.tokens[next(doors) % DOORS]}")

    def next_floor() -> bytes:
        return request("/floor", {"venue": town.venue, "text": secrets.token_urlsafe(16)})

    port = free_port()
    server = start_server(port)
    try:
        asyncio.run(wait_for(port))
        records = [Record.read(home / "run" / f"{name}.json") for name in ("postgres", "valkey", "limits")]
        watched = Watched(psutil.Process(server.pid), [psutil.Process(one.pid) for one in records if one is not None])

        def one_round(
            next_request: Callable[[], bytes | None], clients: int, seconds: float, pace: float = 0.0
        ) -> Figures:
            return drive(port, watched, next_request, seconds=seconds, clients=clients, pace=pace)

        for _ in range(2):  # the second time with what the first prepared
            one_round(next_scan, 16, WARM_SECONDS)
            one_round(next_floor, 16, WARM_SECONDS)
            settle(watched)
        for clients in args.clients:
            sides = ((next_scan, 0.0), (next_floor, 0.0), (next_floor, PACE_SECONDS))
            rounds = [
                tuple(one_round(each, clients, args.seconds, pace) for each, pace in sides) for _ in range(ROUNDS)
            ]
            report(rounds, clients, args.seconds)
    finally:
        server.terminate()
        server.wait(20)


def report(rounds: list[tuple[Figures, ...]], clients: int, seconds: float) -> None:
    """Print the medians for a number of clients."""
    print(f"{os.cpu_count()} cores shared with {clients} clients; medians of {ROUNDS} rounds of {seconds} s")
    print(f"{'':8}{'req/s':>8}{'p50 ms':>9}{'p99 ms':>9}{'CPU ms':>9}{'stores ms':>11}")
    for side, name in enumerate(("scan", "floor", "paced")):
        figures = [one[side] for one in rounds]
        columns = [
            statistics.median(getattr(one, field) for one in figures)
            for field in ("per_second", "p50_ms", "p99_ms", "cpu_ms", "stores_ms")
        ]
        print(f"{name:8}{columns[0]:8.0f}{columns[1]:9.1f}{columns[2]:9.1f}{columns[3]:9.2f}{columns[4]:11.2f}")
    for side, name in ((1, "floor"), (2, "paced")):
        ratio = statistics.median(figures[0].cpu_ms / figures[side].cpu_ms for figures in rounds)
        print(f"scan / {name}: CPU {ratio:.2f}", flush=True)


def main() -> None:
    """Run the benchmark on services of a temporary home."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--clients", type=int, nargs="+", default=[16])
    args = parser.parse_args()
    with serving_home() as home:
        run(args, home)


if __name__ == "__main__":
    main()
