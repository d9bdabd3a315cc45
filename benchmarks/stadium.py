"""Measure a stadium: everybody checks in, then everybody arrives, with worker and schedule at work. Also a soak.

Web server (granian, two workers), worker and schedule are those of `make run`. Check-ins and then scans, each at a
steady rate over the same time, on 20 persistent connections that send at their pace however long responses take. Each
line is a part of that time: responses, p50 and p99 from the moment a request was due, CPU in cores, and memory at its
end (RSS; of PostgreSQL without the buffers that its processes share).

    python -m benchmarks.stadium [--arrivals 20000] [--minutes 15] [--lines 5]

An hour's soak: `--arrivals 40000 --minutes 30 --lines 10`.
"""

import argparse
import asyncio
import itertools
import os
import secrets
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from benchmarks import scan, tickets
from benchmarks.homes import serving_home
from benchmarks.scan import request, start_server, wait_for
from embedded.home import CHECKOUT
from embedded.network import free_port
from embedded.processes import Record

CLIENTS: Final = 20
WARM: Final = 400
CELERY: Final = [sys.executable, "-m", "celery", "--app", "crowdtrace.celery"]


@dataclass(frozen=True)
class Line:
    """Measurements of one phase: seconds of each response, cores in use, bytes by program."""

    taken: Sequence[float]
    cores: float
    memory: Mapping[str, int]


def memory_of(process: psutil.Process) -> int:
    """Return the memory of a process and its children, in bytes, without what they share."""
    every = (process, *process.children(recursive=True))
    return sum(found.rss - found.shared for found in (each.memory_info() for each in every))


def cpu_of(process: psutil.Process) -> float:
    """Return seconds of CPU of a process and its children."""
    return scan.cpu_seconds(process)


async def connection(port: int, next_request: Callable[[], bytes], dues: Iterator[float], taken: list[float]) -> None:
    """Send a request at each moment that is due; raise for any status but 2xx."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for due in dues:
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        writer.write(next_request())
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        length = next((int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length")), 0)
        body = await reader.readexactly(length)
        if not lines[0].split(b" ")[1].startswith(b"2") or b"Declined" in body:
            raise RuntimeError(head.decode() + body.decode())
        taken.append(time.perf_counter() - due)
    writer.close()


async def at_a_rate(port: int, next_request: Callable[[], bytes], count: int, seconds: float) -> list[float]:
    """Send requests evenly over some seconds; return the seconds that each took."""
    taken: list[float] = []
    began = time.perf_counter()
    dues = iter([began + seconds * number / count for number in range(count)])
    await asyncio.gather(*(connection(port, next_request, dues, taken) for _ in range(CLIENTS)))
    return taken


def phase(
    port: int,
    programs: Mapping[str, psutil.Process],
    next_request: Callable[[], bytes],
    *,
    count: int,
    seconds: float,
    lines: int,
) -> Iterator[Line]:
    """Yield a line for each part of a phase."""
    for _ in range(lines):
        before, began = sum(map(cpu_of, programs.values())), time.perf_counter()
        taken = asyncio.run(at_a_rate(port, next_request, count // lines, seconds / lines))
        cores = (sum(map(cpu_of, programs.values())) - before) / (time.perf_counter() - began)
        yield Line(taken, cores, {name: memory_of(process) for name, process in programs.items()})


def requests(arrivals: int) -> dict[str, Callable[[], bytes]]:
    """Return what makes the next check-in, and the next scan."""
    load = tickets.prepare(1, arrivals + WARM)
    town = scan.prepare(arrivals + WARM, doors=CLIENTS)
    checkins, screens, doors = iter(load.checkins), iter(town.shown), itertools.cycle(town.tokens)

    def next_scan() -> bytes:
        at = time.time()
        body = {"scan_id": secrets.token_urlsafe(16), "credential": next(screens)(at), "type": "Checkin"}
        body["scanned_at"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
        return request("/api/v1/scans", body, f"Device {next(doors)}")

    return {"check-ins": lambda: next(checkins), "arrivals": next_scan}


def report(name: str, line: Line) -> None:
    """Print one line."""
    p50, p99 = statistics.median(line.taken), statistics.quantiles(line.taken, n=100)[98]
    memory = "  ".join(f"{program} {size / 2**20:.0f}" for program, size in line.memory.items())
    print(f"{name:10}{len(line.taken):7}{p50 * 1e3:8.1f}{p99 * 1e3:8.1f}{line.cores:8.2f}   MiB: {memory}", flush=True)


def start(*command: str) -> subprocess.Popen[bytes]:
    """Start a program of Celery without output."""
    return subprocess.Popen([*CELERY, *command], cwd=CHECKOUT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def run(args: argparse.Namespace, home: Path) -> None:
    """Prepare, start the programs, measure both phases."""
    made = requests(args.arrivals)
    port = free_port()
    started = [
        start_server(port),
        start("worker", "--concurrency", "1"),
        start("beat", "--schedule", str(home / "schedule")),
    ]
    try:
        asyncio.run(wait_for(port))
        programs = {name: psutil.Process(each.pid) for name, each in zip(("web", "worker"), started, strict=False)}
        for name in ("postgres", "valkey", "limits"):
            record = Record.read(home / "run" / f"{name}.json")
            assert record is not None
            programs[name] = psutil.Process(record.pid)
        for next_request in made.values():
            asyncio.run(at_a_rate(port, next_request, WARM, 20))
        print(f"{args.arrivals:,} arrivals in {args.minutes:g} minutes, {os.cpu_count()} cores shared with the clients")
        print(f"{'':10}{'sent':>7}{'p50 ms':>8}{'p99 ms':>8}{'cores':>8}")
        for name, next_request in made.items():
            found = phase(
                port, programs, next_request, count=args.arrivals, seconds=60 * args.minutes, lines=args.lines
            )
            for line in found:
                report(name, line)
    finally:
        for each in reversed(started):
            each.terminate()
        for each in started:
            each.wait(60)


def main() -> None:
    """Run the benchmark on services of a temporary home."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--arrivals", type=int, default=20_000)
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--lines", type=int, default=5)
    args = parser.parse_args()
    with serving_home() as home:
        run(args, home)


if __name__ == "__main__":
    main()
