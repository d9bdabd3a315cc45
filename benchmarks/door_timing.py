"""Test whether a door can tell from the time why a light is red: 60 scans of each cause, in random order.

The server is real: granian with two workers, as `make run` starts it, without the limit on repeated scans of one code,
which would allow a door 20 a minute. AUC is the probability that a scan of one cause took longer than one of the other;
0.5 reveals nothing. The server is measured first as it is, then without the moments at which responses are sent
(`common.web.moments`), each alone and together with eight doors that scan 40 times a second in total.

    python -m benchmarks.door_timing [--repeats 60]
"""

import argparse
import asyncio
import os
import random
import secrets
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import embedded
from benchmarks.scan import prepare, request, start_server, wait_for
from embedded.network import free_port

PAIRS: Final = (("erased", "revoked"), ("temperature", "garbage"), ("temperature", "revoked"), ("erased", "garbage"))
DOORS = 8
SCANS_A_SECOND = 40
WARM = 40


def auc(ones: list[float], others: list[float]) -> float:
    """Return the probability that one of `ones` is larger than one of `others`; ties count half."""
    pairs = [(a > b) + 0.5 * (a == b) for a in ones for b in others]
    return statistics.mean(pairs)


async def timed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, data: bytes) -> tuple[float, bytes]:
    """Return seconds and body of one scan."""
    began = time.perf_counter()
    writer.write(data)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.startswith(b"content-length"))
    body = await reader.readexactly(length)
    return time.perf_counter() - began, body


async def others(port: int, next_scan: Callable[[], bytes]) -> None:
    """Scan like another door until cancelled."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while True:
        took, _ = await timed(reader, writer, next_scan())
        await asyncio.sleep(max(0.0, DOORS / SCANS_A_SECOND - took))


async def attack(port: int, causes: dict[str, Callable[[], bytes]], repeats: int) -> dict[str, list[float]]:
    """Return the seconds of each scan of each cause."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    taken: dict[str, list[float]] = {cause: [] for cause in causes}
    order = list(causes)
    for number in range(WARM + repeats):
        # In a fixed order, a measurement would also depend on the effects of the cause before it.
        random.shuffle(order)
        for cause in order:
            seconds, body = await timed(reader, writer, causes[cause]())
            assert b"Declined" in body, (cause, body)
            if number >= WARM:
                taken[cause].append(seconds)
    return taken


def measure(name: str, port: int, causes: dict[str, Any], next_scan: Callable[[], bytes], repeats: int) -> None:
    """Print one line alone, and one together with other doors."""

    async def both() -> None:
        for load, count in (("alone", 0), ("busy", DOORS)):
            tasks = [asyncio.create_task(others(port, next_scan)) for _ in range(count)]
            taken = await attack(port, causes, repeats)
            for task in tasks:
                task.cancel()
            figures = ", ".join(f"{a}/{b} {auc(taken[a], taken[b]):.2f}" for a, b in PAIRS)
            median = statistics.median([one for each in taken.values() for one in each]) * 1e3
            print(f"{name:8} {load:6} median {median:5.1f} ms; AUC {figures}", flush=True)

    asyncio.run(both())


def run(repeats: int) -> None:
    """Prepare passes for each cause, and attack both servers."""
    town = prepare(4_000, doors=2)
    from common.time import utc_now
    from passes.models import Pass
    from passes.services.erasure import erase_owners
    from passes.services.holders import revoke_passes
    from venues.models import Requirements

    screens = iter(town.shown)
    revoked, erased, hot = (next(screens) for _ in range(3))
    hashes = list(Pass.objects.order_by("pk").values_list("tag", "owner_hash"))
    by_tag = {bytes(tag): bytes(owner) for tag, owner in hashes}
    owners = [by_tag[tag_of(one)] for one in (revoked, erased)]
    Requirements.objects.update(max_temperature_f=100.4)
    revoke_passes(owner_hashes=owners[:1], now=utc_now())
    erase_owners(owners[1:], utc_now())

    def scan(shown: Callable[[float], str], temperature: float = 98.0) -> Callable[[], bytes]:
        def one() -> bytes:
            at = time.time()
            body: dict[str, Any] = {"scan_id": secrets.token_urlsafe(16), "credential": shown(at), "type": "Checkin"}
            body["scanned_at"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
            return request("/api/v1/scans", body | {"temperature_f": temperature}, f"Device {town.tokens[0]}")

        return one

    def next_of_others() -> bytes:
        return scan(next(screens))()

    causes = {
        "erased": scan(erased),
        "revoked": scan(revoked),
        "temperature": scan(hot, 101.0),
        "garbage": scan(lambda _at: "garbage"),
    }
    for name, without in (("as it is", ""), ("without", "1")):
        os.environ["WITHOUT_MOMENTS"] = without
        port = free_port()
        server = start_server(port)
        try:
            asyncio.run(wait_for(port))
            measure(name, port, causes, next_of_others, repeats)
        finally:
            server.terminate()
            server.wait(20)


def tag_of(shown: Callable[[float], str]) -> bytes:
    """Return the tag of a pass from its text."""
    from passes.codec import read_pass
    from passes.codec.gopass import UncheckedPass
    from passes.hashes import pass_tag

    read = read_pass(shown(time.time()))
    assert isinstance(read, UncheckedPass)
    return pass_tag(read.anchor)


def main() -> None:
    """Run the benchmark on services of a temporary home."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=60)
    repeats = parser.parse_args().repeats
    with tempfile.TemporaryDirectory(prefix="crowdtrace-bench-") as folder:
        os.environ["CROWDTRACE_HOME"] = str(Path(folder) / "home")
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.scan_floor_settings")
        home = embedded.home()
        try:
            with embedded.services(home):
                run(repeats)
        finally:
            embedded.destroy(home)


if __name__ == "__main__":
    main()
