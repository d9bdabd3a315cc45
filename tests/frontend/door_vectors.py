"""Make `tests/data/door_vectors.json`: bundles, scans and the server's own decisions, for the kiosk's tests.

The decisions come from `passes.admission`, so that the kiosk's JavaScript is compared with the server's Python. Run as
a module to write the file again: `python -m tests.frontend.door_vectors`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from passes.admission import Readings, Result, Scan, ScanFacts, ScanType, decide_scan
from passes.codec import (
    Bundle,
    DoorRequirements,
    IssuerKey,
    Keyring,
    Occupancy,
    RevocationList,
    Span,
    WeeklyHours,
    parse_pass,
    revocation_entry,
    rotating_text,
    seal_scan,
    sign_bundle,
    sign_pass,
    static_text,
)
from passes.codec.identity import derive_keys, derive_pass, derive_seed, encode_base64url
from passes.codec.occupancy import STEP_SECONDS

FILE: Final = Path(__file__).resolve().parent.parent / "data" / "door_vectors.json"
VENUE: Final = "v_7h3kq2"
START: Final = 1763856000  # Sunday 2025-11-23 00:00 UTC
NOON: Final = START + 12 * 3600
SALT: Final = bytes(range(16))
ROOT: Final = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"root of the kiosk's tests").digest())
ISSUER: Final = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"issuer of the kiosk's tests").digest())
STRANGER: Final = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"stranger to the kiosk's tests").digest())
SEALING: Final = X25519PrivateKey.from_private_bytes(hashlib.sha256(b"sealing key of the kiosk's tests").digest())
SCAN_ID: Final = "scan-0123456789abcdef"
PASS_KEY: Final = derive_keys(bytes(32)).passes
HOLDER, OTHER = (derive_pass(derive_seed(PASS_KEY, START), START, index) for index in (0, 1))
KEYS: Final = IssuerKey(ISSUER.public_key().public_bytes_raw(), frozenset({START}))
BERLIN: Final = ZoneInfo("Europe/Berlin")

OPEN_DOOR: Final = DoorRequirements()
DOORS: Final = {
    "open": OPEN_DOOR,
    "static allowed": replace(OPEN_DOOR, rotating_required=False),
    "readings": replace(OPEN_DOOR, highest_temperature_f=100.4, lowest_o2=94.5),
    "never open": replace(OPEN_DOOR, hours=WeeklyHours(BERLIN, ())),
    # Saturday evening to Sunday 02:00, and Sunday 13:00 to 13:05, in Berlin (an hour ahead of UTC).
    "hours": replace(OPEN_DOOR, hours=WeeklyHours(BERLIN, (Span(5, 1200, 1560), Span(6, 780, 785)))),
    "private": replace(OPEN_DOOR, private=True),
    "private and invited": replace(OPEN_DOOR, private=True, invitation_epochs=frozenset({START})),
    "room for three": replace(OPEN_DOOR, capacity=6, enforced_percent=50, usual_dwell_min=60),
    "three inside": replace(OPEN_DOOR, capacity=6, enforced_percent=50, usual_dwell_min=60),
    "full of limits": DoorRequirements(
        version=7, highest_temperature_f=99.99, lowest_o2=90, capacity=500, enforced_percent=33, rotating_required=False
    ),
}
# Counted ten minutes before noon; from 15 minutes after the count, one of the three has timed out.
INSIDE: Final = {"room for three": Occupancy(NOON - 600, (2, 2, 2)), "three inside": Occupancy(NOON - 600, (3, 2, 2))}


@dataclass(frozen=True)
class Case:
    """One scan and the server's decision."""

    name: str
    door: str
    text: str
    type: str
    at: float
    temperature_f: float | None
    o2: float | None
    approved: bool
    cause: str | None


def bundle_of(door: DoorRequirements, occupancy: Occupancy | None = None) -> Bundle:
    """Return the bundle of a venue whose revocation list contains the pass of OTHER."""
    entries = frozenset({revocation_entry(SALT, OTHER.anchor)})
    revocations = RevocationList(salt=SALT, published_at=START, entries=entries)
    return Bundle(
        venue=VENUE,
        server_time=NOON - 600,
        good_until=NOON + 24 * 3600,
        keys=(KEYS,),
        requirements=door,
        revocations=revocations,
        sealing_key=SEALING.public_key().public_bytes_raw(),
        occupancy=occupancy,
    )


def _inside(door: str, at: float) -> int:
    """Return the number of people inside by the count in a door's bundle."""
    counted = INSIDE.get(door)
    if counted is None:
        return 0
    steps = int(max(0, at - counted.counted_at) // STEP_SECONDS)
    return counted.still[steps] if steps < len(counted.still) else 0


def _case(
    name: str,
    text: str,
    *,
    door: str = "open",
    kind: ScanType = ScanType.CHECKIN,
    at: float = NOON,
    temperature_f: float | None = None,
    o2: float | None = None,
) -> Case:
    parsed = parse_pass(text, venue=VENUE, keys=Keyring.of([KEYS]), at=at)
    readings = Readings(temperature_f=temperature_f, o2=o2)
    scan = Scan(type=kind, scanned_at=at, received_at=at, readings=readings)
    facts = ScanFacts(revoked=OTHER.anchor == getattr(parsed, "anchor", None), occupancy=_inside(door, at))
    verdict = decide_scan(parsed=parsed, scan=scan, door=DOORS[door], facts=facts)
    cause = None if verdict.cause is None else verdict.cause.value
    return Case(name, door, text, kind.value, at, temperature_f, o2, verdict.result is Result.APPROVED, cause)


def _cases() -> Iterator[Case]:
    signed = sign_pass(ISSUER, venue=VENUE, epoch_start=START, anchor=HOLDER.anchor)

    def shown(at: float) -> str:
        return rotating_text(signed, *HOLDER.code_at(at))

    yield _case("a code of this minute", shown(NOON))
    yield _case("a code of the minute before", shown(NOON - 60))
    yield _case("a code of the minute after", shown(NOON + 60))
    yield _case("a code two minutes old", shown(NOON - 120))
    yield _case("a code two minutes ahead", shown(NOON + 120))
    yield _case("the first second of the epoch", shown(START), at=START)
    yield _case("a second before the epoch", shown(START), at=START - 1)
    yield _case("the last second of the epoch", shown(START + 100799), at=START + 100799)
    yield _case("the end of the epoch", shown(START + 100799), at=START + 100800)
    yield _case("paper where a code is asked for", static_text(signed))
    yield _case("paper where it is allowed", static_text(signed), door="static allowed")
    yield _case("leaving on paper where a code is asked for", static_text(signed), kind=ScanType.CHECKOUT)
    for venue, key, name in (
        ("v_other", ISSUER, "a pass of another venue"),
        (VENUE, STRANGER, "a pass of an unknown key"),
    ):
        foreign = sign_pass(key, venue=venue, epoch_start=START, anchor=HOLDER.anchor)
        yield _case(name, rotating_text(foreign, *HOLDER.code_at(NOON)))
    tomorrow = START + 86400
    early = sign_pass(ISSUER, venue=VENUE, epoch_start=tomorrow, anchor=HOLDER.anchor)
    yield _case("a key that may not sign this epoch", static_text(early), at=tomorrow + 60)
    slot, code = HOLDER.code_at(NOON)
    yield _case("a code with one bit wrong", rotating_text(signed, slot, bytes([code[0] ^ 1]) + code[1:]))
    yield _case("a code of another pass", rotating_text(signed, *OTHER.code_at(NOON)))
    yield _case("a true code under the next slot", rotating_text(signed, slot + 1, code))
    yield _case("the anchor as a code", rotating_text(signed, 0, HOLDER.anchor))
    revoked = sign_pass(ISSUER, venue=VENUE, epoch_start=START, anchor=OTHER.anchor)
    yield _case("a revoked pass", rotating_text(revoked, *OTHER.code_at(NOON)))
    for temperature_f, o2 in ((98.6, 98), (100.4, 94.5), (100.41, 98), (98.6, 94.49), (None, 98), (98.6, None)):
        name = f"readings {temperature_f} and {o2}"
        yield _case(name, shown(NOON), door="readings", temperature_f=temperature_f, o2=o2)
    yield _case("leaving without readings", shown(NOON), door="readings", kind=ScanType.CHECKOUT)
    yield _case("a venue that never opens", shown(NOON), door="never open")
    for minutes in (59, 60, 719, 720, 724, 725):
        at = START + minutes * 60
        yield _case(f"minute {minutes} of a day with hours", shown(at), door="hours", at=at)
    yield _case("leaving after hours", shown(NOON - 600), door="hours", at=NOON - 600, kind=ScanType.CHECKOUT)
    yield _case("a private door", shown(NOON), door="private")
    yield _case("a private door on a day by invitation", shown(NOON), door="private and invited")
    for minutes in (0, 4, 5, 20):
        at = NOON + minutes * 60
        yield _case(f"room for three, minute {minutes}", shown(at), door="room for three", at=at)
        yield _case(f"three inside, minute {minutes}", shown(at), door="three inside", at=at)
    yield _case("leaving a full place", shown(NOON), door="three inside", kind=ScanType.CHECKOUT)
    yield _case("every limit kept", static_text(signed), door="full of limits", temperature_f=99.99, o2=90)


def build() -> dict[str, object]:
    """Return the whole file except the sealed scan, whose bytes differ each time."""
    bundles = {
        name: encode_base64url(sign_bundle(bundle_of(door, INSIDE.get(name)), root_key=ROOT))
        for name, door in DOORS.items()
    }
    return {
        "root_key": ROOT.public_key().public_bytes_raw().hex(),
        "stranger_key": STRANGER.public_key().public_bytes_raw().hex(),
        "venue": VENUE,
        "epoch_start": START,
        "noon": NOON,
        "pass_key": PASS_KEY.hex(),
        "pass": sign_pass(ISSUER, venue=VENUE, epoch_start=START, anchor=HOLDER.anchor).hex(),
        "bundles": bundles,
        "cases": [asdict(case) for case in _cases()],
        "sealing_private": SEALING.private_bytes_raw().hex(),
        "scan_id": SCAN_ID,
    }


def build_sealed() -> str:
    """Return a scan sealed by the server's implementation."""
    plain = b'{"credential":"GO1:ABC","type":"Checkin","scanned_at":"2025-11-23T12:00:00Z"}'
    return seal_scan(plain, scan_id=SCAN_ID, public_key=SEALING.public_key().public_bytes_raw())


if __name__ == "__main__":
    FILE.write_text(json.dumps(build() | {"sealed": build_sealed()}, indent=1, ensure_ascii=False) + "\n")
