"""Measure the cost of tickets: signing a set, and a check-in with a floor endpoint in the same run.

- set: CPU of signing the 16 values of one set, with the Chinese remainder theorem, masked and verified, and its floor:
  the 32 powers of 1,024 bits in constant time that no signer can avoid
- draw, check-in, floor: requests at a real server, sent as `benchmarks.scan` sends scans, with its floor endpoint and
  columns. A draw requests one set of a registered key; a check-in spends a ticket and gets a pass. All limits are off

Before tickets existed, a check-in (`Authorization: Visitor`, a counted draw in a separate transaction) took 5.9 times
the floor's CPU in a comparable run.

    python -m benchmarks.tickets [--seconds 4] [--clients 8]
"""

import argparse
import asyncio
import os
import secrets
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import gmpy2
import psutil

from benchmarks.homes import serving_home
from benchmarks.scan import Figures, Watched, drive, request, settle, start_server, wait_for
from embedded.network import free_port
from embedded.processes import Record
from passes.codec.blind import BlindSigner, new_key
from passes.codec.identity import encode_base64url

ROUNDS = 3
WARM_SECONDS = 2
SETS = 30
CHECKINS_A_SECOND, DRAWS_A_SECOND = 900, 120
"""As many are prepared as a fast machine could use."""
AIM_MS = 20


@dataclass(frozen=True)
class Load:
    """Prepared requests, and the key of the venue for the floor."""

    draws: list[bytes]
    checkins: list[bytes]
    venue: int


def time_a_set() -> tuple[float, float]:
    """Return CPU milliseconds of a set and of its powers only; medians, measured alternately."""
    key = new_key()
    signer, own = BlindSigner.of(key), key.private_numbers()
    p, q, dp, dq = map(gmpy2.mpz, (own.p, own.q, own.dmp1, own.dmq1))
    values = [secrets.randbelow(int(signer.n) - 3) + 2 for _ in range(16)]
    asked = [value.to_bytes(256, "big") for value in values]
    numbers = [gmpy2.mpz(value) for value in values]
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(SETS):
        began = time.process_time()
        for value in asked:
            signer.sign(value)
        between = time.process_time()
        for number in numbers:
            gmpy2.powmod_sec(number % p, dp, p)
            gmpy2.powmod_sec(number % q, dq, q)
        taken[0].append(between - began)
        taken[1].append(time.process_time() - between)
    return statistics.median(taken[0]) * 1e3, statistics.median(taken[1]) * 1e3


def prepare(draws: int, checkins: int) -> Load:
    """Create a venue, registered keys with a set each, and tickets that were signed and never spent."""
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", interactive=False, verbosity=0)
    from common.time import utc_now
    from passes import keys, ticket_keys
    from passes.clock import calendar
    from passes.codec.identity import derive_keys, hash_erase_key
    from passes.codec.ticket_keys import TicketClass
    from passes.codec.tickets import derive_set, derive_ticket, derive_ticket_key
    from passes.hashes import visitor_hash
    from passes.services.visitors import register_visitor
    from tests import factories

    now = utc_now()
    venue, epoch = factories.make_venue(now=now), calendar().current(now.timestamp())
    keys.make_keys(now)
    ticket_keys.make_ticket_keys(now)
    public, signers = ticket_keys.epoch_keys(epoch), ticket_keys.signers(epoch)
    assert public is not None
    assert signers is not None

    def draw() -> bytes:
        secret = secrets.token_bytes(32)
        own = derive_keys(secret)
        register_visitor(key_hash=visitor_hash(own.auth), hash_of_erase_key=hash_erase_key(own.erase), now=now)
        derived = derive_set(derive_ticket_key(secret), epoch_start=epoch.start, keys=public.public)
        values = {each.value: [encode_base64url(one.blinded) for one in derived[each]] for each in TicketClass}
        body = {"draws": [{"epoch": epoch.date.isoformat()} | values]}
        return request("/api/v1/tickets", body, f"Visitor {encode_base64url(own.auth)}")

    def check_in() -> bytes:
        each = TicketClass.COUNTED
        root = derive_ticket_key(secrets.token_bytes(32))
        made = derive_ticket(root, epoch_start=epoch.start, index=0, key=public.public[each])
        body = {
            "venue": venue.public_id,
            "epoch": epoch.date.isoformat(),
            "anchor": encode_base64url(secrets.token_bytes(16)),
            "owner_hash": encode_base64url(secrets.token_bytes(32)),
            "answers": {"symptoms": False, "diagnosed": False, "contact": False, "near": False},
            "survey_seconds": 20,
        }
        ticket = made.finish(signers[each].sign(made.blinded))
        return request("/api/v1/passes", body, f"Ticket {ticket.text}")

    return Load([draw() for _ in range(draws)], [check_in() for _ in range(checkins)], venue.pk)


def run(args: argparse.Namespace, home: Path) -> None:
    """Prepare, measure the three alternately, print."""
    seconds = int(args.seconds * ROUNDS + WARM_SECONDS)
    load = prepare(DRAWS_A_SECOND * seconds, CHECKINS_A_SECOND * seconds)

    def each_once(made: list[bytes]) -> Callable[[], bytes | None]:
        left: Iterator[bytes] = iter(made)
        return lambda: next(left, None)

    def next_floor() -> bytes:
        return request("/floor", {"venue": load.venue, "text": secrets.token_urlsafe(16)})

    sides = {"draw": each_once(load.draws), "check-in": each_once(load.checkins), "floor": next_floor}
    port = free_port()
    server = start_server(port)
    try:
        asyncio.run(wait_for(port))
        records = [Record.read(home / "run" / f"{name}.json") for name in ("postgres", "valkey", "limits")]
        watched = Watched(psutil.Process(server.pid), [psutil.Process(one.pid) for one in records if one is not None])

        def one_round(next_request: Callable[[], bytes | None], length: float = args.seconds) -> Figures:
            return drive(port, watched, next_request, seconds=length, clients=args.clients)

        for side in sides.values():
            one_round(side, WARM_SECONDS)
        settle(watched)
        rounds = [{name: one_round(side) for name, side in sides.items()} for _ in range(ROUNDS)]
    finally:
        server.terminate()
        server.wait(20)
    print(f"{os.cpu_count()} cores shared with {args.clients} clients; medians of {ROUNDS} rounds of {args.seconds} s")
    print(f"{'':10}{'req/s':>8}{'p50 ms':>9}{'p99 ms':>9}{'CPU ms':>9}{'stores ms':>11}")
    for name in sides:
        figures = [one[name] for one in rounds]
        columns = [
            statistics.median(getattr(one, field) for one in figures)
            for field in ("per_second", "p50_ms", "p99_ms", "cpu_ms", "stores_ms")
        ]
        print(f"{name:10}{columns[0]:8.0f}{columns[1]:9.1f}{columns[2]:9.1f}{columns[3]:9.2f}{columns[4]:11.2f}")
    for name in ("draw", "check-in"):
        ratio = statistics.median(one[name].cpu_ms / one["floor"].cpu_ms for one in rounds)
        print(f"{name} / floor: CPU {ratio:.2f}")


def main() -> None:
    """Run the benchmark on services of a temporary home."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--clients", type=int, default=8)
    args = parser.parse_args()
    took, floor = time_a_set()
    print(f"set of 16: {took:.1f} ms of CPU (aim {AIM_MS}); its powers alone {floor:.1f}; ratio {took / floor:.2f}")
    with serving_home() as home:
        run(args, home)


if __name__ == "__main__":
    main()
