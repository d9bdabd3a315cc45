"""Compare a batch of scans with its cryptographic floor and with single requests, and let 20 doors reconnect.

The first part runs in this process, through the whole web stack, without the wait for the moment at which a response is
sent. All scans are of offline doors, of the last hour, and of passes that were never scanned.

- floor: the work that no server can avoid, in a loop: HPKE of sealed scans, Ed25519 and the hash chain of all
- batch: uploads of 250, as a kiosk sends them, plain and sealed
- single: the same plain scans, one request each
- CPU ms: of this process per scan; stores ms: of PostgreSQL and Valkey

The second part runs at a server with two workers: 20 doors upload the sealed scans of an hour at the same time, one
batch after another, while eight doors together scan 40 times a second.

    python -m benchmarks.batch [--scans 1000]
"""

import argparse
import asyncio
import json
import os
import secrets
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import psutil

import embedded
from benchmarks.crowded_doors import DOORS as LIVE_DOORS
from benchmarks.crowded_doors import SCANS_A_SECOND, report, scan
from benchmarks.scan import Town, cpu_seconds, prepare, request, start_server, wait_for
from embedded.network import free_port
from embedded.processes import Record

BATCH: Final = 250
MEASURED: Final = 500  # number of scans of each kind
RETURNING: Final = 20
LIVE_SECONDS: Final = 30
HOUR_S: Final = 3600


class Timing(NamedTuple):
    """Per scan: scans a second, milliseconds of CPU here and in the stores."""

    per_second: float
    cpu_ms: float
    stores_ms: float


def queued(shown: Callable[[float], str], at: float) -> dict[str, Any]:
    """Return a scan as a kiosk queues it."""
    timestamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
    body = {"credential": shown(at), "type": "Checkin", "scanned_at": timestamp, "kiosk_result": "Approved"}
    return {"scan_id": secrets.token_urlsafe(16)} | body


def sealed(body: dict[str, Any], key: bytes) -> dict[str, Any]:
    """Return the scan sealed."""
    from passes.codec import seal_scan

    scan_id = body.pop("scan_id")
    return {"scan_id": scan_id, "sealed": seal_scan(json.dumps(body).encode(), scan_id=scan_id, public_key=key)}


def batches(items: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Yield uploads of a kiosk."""
    for at in range(0, len(items), BATCH):
        yield items[at : at + BATCH]


class Bench:
    """Scans of a town, and the processes that are measured."""

    def __init__(self, town: Town, home: Path) -> None:
        from common.time import utc_now
        from passes import keys

        self.town, self.shown = town, iter(town.shown)
        self.key = keys.sealing_key(utc_now())
        records = [Record.read(home / "run" / f"{name}.json") for name in ("postgres", "valkey", "limits")]
        self.stores = [psutil.Process(one.pid) for one in records if one is not None]

    def scans(self, count: int) -> list[dict[str, Any]]:
        """Return scans of the last hour."""
        now = time.time()
        return [queued(next(self.shown), now - HOUR_S * at / count) for at in range(count)]

    def took(self, count: int, work: Callable[[], None]) -> Timing:
        """Process ``count`` scans, and measure it."""
        stores, cpu, began = cpu_seconds(*self.stores), time.process_time(), time.perf_counter()
        work()
        cpu, took = time.process_time() - cpu, time.perf_counter() - began
        return Timing(count / took, cpu / count * 1e3, (cpu_seconds(*self.stores) - stores) / count * 1e3)

    def floor(self, items: list[dict[str, Any]]) -> Callable[[], None]:
        """Return a function that does the cryptography of scans, plain or sealed."""
        from common.time import utc_now
        from passes import keys
        from passes.codec import open_scan, parse_pass
        from passes.codec.gopass import GoPass
        from venues.models import Venue

        now, venue = utc_now(), Venue.objects.get().public_id
        ring, opening, at = keys.keyring(now), keys.opening_keys(now), time.time()
        times = {one["scan_id"]: at - HOUR_S * number / len(items) for number, one in enumerate(items)}

        def work() -> None:
            for one in items:
                credential = one.get("credential")
                if credential is None:
                    plain = open_scan(one["sealed"], scan_id=one["scan_id"], keys=opening)
                    assert plain is not None
                    credential = json.loads(plain)["credential"]
                assert isinstance(parse_pass(credential, venue=venue, keys=ring, at=times[one["scan_id"]]), GoPass)

        return work

    def send(self, path: str, bodies: list[Any]) -> Callable[[], None]:
        """Return a function that sends requests through the web stack."""
        from common.web.gateway import call, environ_of, set_body
        from crowdtrace.asgi import application

        headers = [(b"host", b"localhost"), (b"content-type", b"application/json")]
        headers.append((b"authorization", f"Device {self.town.tokens[0]}".encode()))
        scope = {"method": "POST", "raw_path": path.encode(), "query_string": b"", "http_version": "1.1"}

        def environ(body: Any) -> dict[str, Any]:
            made = environ_of(scope | {"headers": headers, "client": ("127.0.0.1", 1)})
            set_body(made, json.dumps(body).encode())
            return made

        made = [environ(body) for body in bodies]

        def work() -> None:
            for one in made:
                answer = call(application._application, one)
                assert answer.status == 200, answer
                assert b"Declined" not in answer.body, answer.body[:300]

        return work

    def in_process(self) -> None:
        """Print batches compared with floor and single requests, in three rounds."""
        from passes.codec import chain

        chain.compile_when_used()
        for number in range(4):
            plain, hidden = self.scans(MEASURED), [sealed(one, self.key) for one in self.scans(MEASURED)]
            singles = self.scans(MEASURED // 2)
            floors = [self.took(MEASURED, self.floor(items)) for items in (plain, hidden)]
            uploads = [[{"scans": items} for items in batches(each)] for each in (plain, hidden)]
            sets = [self.took(MEASURED, self.send("/api/v1/scans/batch", bodies)) for bodies in uploads]
            single = self.took(len(singles), self.send("/api/v1/scans", singles))
            if number == 0:  # warm-up: machine code of the chain, query plans
                time.sleep(5)
                continue
            print(f"round {number}:{'':6}{'scans/s':>9}{'CPU ms':>8}{'stores ms':>11}{'of floor':>10}{'x single':>10}")
            for name, floor, batch in zip(("plain", "sealed"), floors, sets, strict=True):
                print(f"{name} floor".ljust(14) + f"{floor.per_second:9.0f}{floor.cpu_ms:8.2f}{floor.stores_ms:11.2f}")
                ratios = (batch.per_second / floor.per_second, batch.per_second / single.per_second)
                print(
                    f"{name} batch".ljust(14) + f"{batch.per_second:9.0f}{batch.cpu_ms:8.2f}{batch.stores_ms:11.2f}"
                    f"{ratios[0]:10.2f}{ratios[1]:10.1f}"
                )
            print(
                "single".ljust(14) + f"{single.per_second:9.0f}{single.cpu_ms:8.2f}{single.stores_ms:11.2f}", flush=True
            )

    async def come_back(self, port: int, uploads: list[list[bytes]]) -> None:
        """Upload everything, and print how long it took."""
        began = time.perf_counter()

        async def door(mine: list[bytes]) -> None:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            for data in mine:
                writer.write(data)
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                lines = head.split(b"\r\n")
                length = next(int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length"))
                body = await reader.readexactly(length)
                assert b" 200 " in lines[0], head + body[:300]
                assert b"Declined" not in body
            writer.close()

        await asyncio.gather(*(door(mine) for mine in uploads))
        print(
            f"{sum(map(len, uploads))} batches of up to {BATCH} by {len(uploads)} doors: "
            f"{time.perf_counter() - began:.1f} s"
        )

    def at_a_server(self, scans: int) -> None:
        """Let 20 doors reconnect while others scan."""
        tokens = self.town.tokens

        def next_live() -> bytes:
            body = queued(next(self.shown), time.time())
            del body["kiosk_result"]
            return request("/api/v1/scans", body, f"Device {tokens[secrets.randbelow(LIVE_DOORS)]}")

        uploads = [
            [
                request("/api/v1/scans/batch", {"scans": items}, f"Device {token}")
                for items in batches([sealed(one, self.key) for one in self.scans(scans)])
            ]
            for token in tokens[LIVE_DOORS:]
        ]
        port = free_port()
        server = start_server(port)

        async def both() -> None:
            await wait_for(port)
            await scan(port, next_live, 5)
            report("alone", await scan(port, next_live, 10))
            back = asyncio.create_task(self.come_back(port, uploads))
            taken = await scan(port, next_live, LIVE_SECONDS / 2)
            report("meanwhile", taken)
            await back

        try:
            asyncio.run(both())
        finally:
            server.terminate()
            server.wait(20)


def main() -> None:
    """Run the benchmark on services of a temporary home."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scans", type=int, default=1000, help="of each door that reconnects")
    scans = parser.parse_args().scans
    with tempfile.TemporaryDirectory(prefix="crowdtrace-bench-") as folder:
        os.environ["CROWDTRACE_HOME"] = str(Path(folder) / "home")
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.scan_floor_settings")
        home = embedded.home()
        try:
            with embedded.services(home):
                live = SCANS_A_SECOND * (LIVE_SECONDS + 10)
                passes = 4 * (2 * MEASURED + MEASURED // 2) + RETURNING * scans + live
                bench = Bench(prepare(passes, doors=LIVE_DOORS + RETURNING), home)
                bench.in_process()
                bench.at_a_server(scans)
        finally:
            embedded.destroy(home)


if __name__ == "__main__":
    main()
