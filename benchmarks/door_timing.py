"""Test whether a door can tell from the time why a light is red: codes of each cause, scanned again and again.

The server is real: granian with two workers, as `make run` starts it, without the limit on repeated scans of one code,
which would allow a door 20 a minute. Of each cause there are several codes, all scanned in random order. A statistic of
each code's scans (one of them, their mean, their minimum) is compared between causes. AUC is the probability that it is
larger for a code of one cause than for one of the other; 0.5 reveals nothing. The server is measured first as it is,
then without the moments at which responses are sent (`common.web.moments`), each alone and together with eight doors
that scan 40 times a second in total.

    python -m benchmarks.door_timing [--codes 16] [--repeats 20]
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
WARM = 3


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


Causes = dict[str, list[Callable[[], bytes]]]
STATISTICS: Final[dict[str, Callable[[list[float]], float]]] = {
    "one scan": lambda each: each[0],
    "mean": statistics.mean,
    "minimum": min,
}


async def attack(port: int, causes: Causes, repeats: int) -> dict[str, list[list[float]]]:
    """Return the seconds of each scan of each code, by cause."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    taken: dict[str, list[list[float]]] = {cause: [[] for _ in codes] for cause, codes in causes.items()}
    order = [(cause, code) for cause, codes in causes.items() for code in range(len(codes))]
    for number in range(WARM + repeats):
        # In a fixed order, a measurement would also depend on the effects of the cause before it.
        random.shuffle(order)
        for cause, code in order:
            seconds, body = await timed(reader, writer, causes[cause][code]())
            assert b"Declined" in body, (cause, body)
            if number >= WARM:
                taken[cause][code].append(seconds)
    return taken


def measure(name: str, port: int, causes: Causes, next_scan: Callable[[], bytes], repeats: int) -> None:
    """Print the lines of a server alone, and of one together with other doors."""

    async def both() -> None:
        for load, count in (("alone", 0), ("busy", DOORS)):
            tasks = [asyncio.create_task(others(port, next_scan)) for _ in range(count)]
            taken = await attack(port, causes, repeats)
            for task in tasks:
                task.cancel()
            median = statistics.median([one for codes in taken.values() for code in codes for one in code]) * 1e3
            print(f"{name} {load}: median {median:.1f} ms", flush=True)
            for statistic, of in STATISTICS.items():
                found = {cause: [of(code) for code in codes] for cause, codes in taken.items()}
                figures = ", ".join(f"{a}/{b} {auc(found[a], found[b]):.2f}" for a, b in PAIRS)
                print(f"    {statistic:9} AUC {figures}", flush=True)

    asyncio.run(both())


def run(codes: int, repeats: int) -> None:
    """Prepare passes for each cause, and attack both servers."""
    town = prepare(4_000, doors=2)
    from common.time import utc_now
    from passes.models import Pass
    from passes.services.erasure import erase_owners
    from passes.services.holders import revoke_passes
    from venues.models import Requirements

    screens = iter(town.shown)
    revoked, erased, hot = ([next(screens) for _ in range(codes)] for _ in range(3))
    hashes = list(Pass.objects.order_by("pk").values_list("tag", "owner_hash"))
    by_tag = {bytes(tag): bytes(owner) for tag, owner in hashes}
    Requirements.objects.update(max_temperature_f=100.4)
    revoke_passes(owner_hashes=[by_tag[tag_of(one)] for one in revoked], now=utc_now())
    erase_owners([by_tag[tag_of(one)] for one in erased], utc_now())

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
        "erased": [scan(one) for one in erased],
        "revoked": [scan(one) for one in revoked],
        "temperature": [scan(one, 101.0) for one in hot],
        "garbage": [scan(lambda _at, number=number: f"garbage {number}") for number in range(codes)],  # type: ignore[misc]
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
    parser.add_argument("--codes", type=int, default=16, help="of each cause")
    parser.add_argument("--repeats", type=int, default=20, help="of each code")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="crowdtrace-bench-") as folder:
        os.environ["CROWDTRACE_HOME"] = str(Path(folder) / "home")
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.scan_floor_settings")
        home = embedded.home()
        try:
            with embedded.services(home):
                run(options.codes, options.repeats)
        finally:
            embedded.destroy(home)


if __name__ == "__main__":
    main()
