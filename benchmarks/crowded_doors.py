"""Measure live scans, alone and during other requests to the same web server.

The server is granian with two workers, as `make run` starts it. Eight doors together send 40 scans a second on
persistent connections, first alone and then at the same time as 30 clients that send heavy queries in a loop, 50
connections that announce a body and send none, and 8 clients that crawl pages in a loop. All share the machine, clients
included.

- p50, p99: of scans, from the first byte sent to the last one read
- others: responses to queries and pages, by status; 503 found no place, and these clients retry at once. Queries still
  running when the time is up are not counted

    python -m benchmarks.crowded_doors [--seconds 15]
"""

import argparse
import asyncio
import contextlib
import os
import secrets
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import embedded
from benchmarks.scan import prepare, request, start_server, wait_for
from embedded.network import free_port

DOORS = 8
SCANS_A_SECOND = 40
QUERIES = 30
IDLE = 50
CRAWLERS = 8
PAGES = ("/", "/kiosk", "/owner/login", "/data/sql", "/api/docs/", "/api/v1/venues?limit=20", "/api/schema/")
HEAVY = "SELECT sum(a.x * b.x) FROM UNNEST(sequence(0, 29999)) AS a(x), UNNEST(sequence(0, 29999)) AS b(x)"
WARM_SECONDS = 5


async def ask(port: int, data: bytes) -> tuple[int, float]:
    """Return status and seconds of one request on a separate connection."""
    began = time.perf_counter()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    head = await reader.readline()
    await reader.read()
    writer.close()
    return int(head.split()[1]) if head else 0, time.perf_counter() - began


async def again_and_again(port: int, datas: list[bytes], seen: Counter[str], name: str) -> None:
    """Send requests in a loop until cancelled."""
    while True:
        for data in datas:
            with contextlib.suppress(ConnectionError):
                status, _ = await ask(port, data)
                seen[f"{name} {status}"] += 1


async def door(port: int, next_scan: Callable[[], bytes], until: float, taken: list[float]) -> None:
    """Send scans at a steady pace, however long responses take."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    due = time.perf_counter()
    while due < until:
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        began = time.perf_counter()
        writer.write(next_scan())
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        await reader.readexactly(next(int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length")))
        if b" 200 " not in lines[0]:
            raise RuntimeError(lines[0].decode())
        taken.append(time.perf_counter() - began)
        due += DOORS / SCANS_A_SECOND
    writer.close()


async def scan(port: int, next_scan: Callable[[], bytes], seconds: float) -> list[float]:
    """Return the seconds that each scan took."""
    taken: list[float] = []
    until = time.perf_counter() + seconds
    await asyncio.gather(*(door(port, next_scan, until, taken) for _ in range(DOORS)))
    return taken


async def measure(port: int, next_scan: Callable[[], bytes], seconds: float) -> None:
    """Measure scans alone, then with the other load, and print both."""
    await scan(port, next_scan, WARM_SECONDS)
    report("alone", await scan(port, next_scan, seconds))
    query = request("/api/v1/queries", {"sql": HEAVY}).replace(b"Host:", b"Connection: close\r\nHost:", 1)
    pages = [f"GET {page} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode() for page in PAGES]
    promise = b"POST /api/v1/scans HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n"
    seen: Counter[str] = Counter()
    idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(IDLE)]
    for _, writer in idle:
        writer.write(promise)
    others = [asyncio.create_task(again_and_again(port, [query], seen, "query")) for _ in range(QUERIES)]
    others += [asyncio.create_task(again_and_again(port, pages, seen, "page")) for _ in range(CRAWLERS)]
    await asyncio.sleep(2)
    report("crowded", await scan(port, next_scan, seconds))
    for task in others:
        task.cancel()
    for _, writer in idle:
        writer.close()
    print("others: " + ", ".join(f"{number} {name}" for name, number in sorted(seen.items())))


def report(name: str, taken: list[float]) -> None:
    """Print one line."""
    p50, p99 = statistics.median(taken), statistics.quantiles(taken, n=100)[98]
    print(f"{name:8} {len(taken):5} scans, p50 {p50 * 1e3:6.1f} ms, p99 {p99 * 1e3:6.1f} ms", flush=True)


def main() -> None:
    """Run the benchmark on services of a temporary home."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=15)
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory(prefix="crowdtrace-bench-") as folder:
        os.environ["CROWDTRACE_HOME"] = str(Path(folder) / "home")
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.scan_floor_settings")
        home = embedded.home()
        try:
            with embedded.services(home):
                town = prepare(int(SCANS_A_SECOND * (2 * seconds + WARM_SECONDS)) + 100, doors=DOORS)
                screens, doors = iter(town.shown), iter(range(10**9))

                def next_scan() -> bytes:
                    at = time.time()
                    body = {"scan_id": secrets.token_urlsafe(16), "credential": next(screens)(at), "type": "Checkin"}
                    body["scanned_at"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
                    return request("/api/v1/scans", body, f"Device {town.tokens[next(doors) % DOORS]}")

                port = free_port()
                server = start_server(port)
                try:
                    asyncio.run(wait_for(port))
                    asyncio.run(measure(port, next_scan, seconds))
                finally:
                    server.terminate()
                    server.wait(20)
        finally:
            embedded.destroy(home)


if __name__ == "__main__":
    main()
