"""The bundle: everything a kiosk must know to decide without a network, signed by the deployment's root key.

It is a COSE_Sign1 like a pass, with the external_aad `crowdtrace/v1/bundle`, so that neither can be taken for the
other. Every map has small integer keys and no floats; `docs/protocol.md` lists them. An absent key means "not
required".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from passes.codec.causes import Cause
from passes.codec.cose import key_id, read_sign1, sign1
from passes.codec.hours import Span, WeeklyHours
from passes.codec.keys import IssuerKey
from passes.codec.occupancy import Occupancy
from passes.codec.requirements import DoorRequirements
from passes.codec.revocation import ENTRY_BYTES, SALT_BYTES, RevocationList
from passes.codec.sealing import SEALING_KEY_BYTES

BUNDLE_AAD: Final = b"crowdtrace/v1/bundle"
BUNDLE_FORMAT: Final = 1
_HUNDREDTHS: Final = 100

_FORMAT, _VENUE, _SERVER_TIME, _GOOD_UNTIL, _KEYS, _REQUIREMENTS, _REVOCATIONS, _SEALING_KEY = range(1, 9)
_OCCUPANCY: Final = 9
_NAME: Final = 10
_UNMANNED: Final = 11
_VERSION, _TEMPERATURE, _O2, _CAPACITY, _ENFORCED, _HOURS, _ROTATING, _PRIVATE, _INVITATION_EPOCHS = range(1, 10)
_OPENINGS: Final = 10
_USUAL_DWELL: Final = 11
_ZONE, _SPANS = range(1, 3)
_SALT, _PUBLISHED_AT, _ENTRIES = range(1, 4)
_COUNTED_AT, _STILL = range(1, 3)

T = TypeVar("T")


class BundleError(ValueError):
    """The bytes are not a bundle of this deployment."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """The data that a kiosk decides with. Times are Unix seconds.

    After `good_until` the kiosk shows *cannot check* instead of deciding. `server_time` is the server's clock at the
    time of the response: the kiosk corrects its own by the difference. `name` is the venue's, for the staff at the
    screen; `unmanned` means that the door may be left without staff.
    """

    venue: str
    server_time: int
    good_until: int
    keys: tuple[IssuerKey, ...]
    requirements: DoorRequirements
    revocations: RevocationList
    sealing_key: bytes
    occupancy: Occupancy | None = None
    name: str = ""
    unmanned: bool = False


def sign_bundle(bundle: Bundle, *, root_key: Ed25519PrivateKey) -> bytes:
    """Return the signed bytes of a bundle; the same value and key always give the same bytes."""
    claims: dict[int, object] = {
        _FORMAT: BUNDLE_FORMAT,
        _VENUE: bundle.venue,
        _SERVER_TIME: bundle.server_time,
        _GOOD_UNTIL: bundle.good_until,
        _KEYS: [[key.public, sorted(key.epochs)] for key in sorted(bundle.keys, key=lambda key: key.public)],
        _REQUIREMENTS: _write_requirements(bundle.requirements),
        _REVOCATIONS: _write_revocations(bundle.revocations),
        _SEALING_KEY: bundle.sealing_key,
    }
    if bundle.occupancy is not None:
        claims[_OCCUPANCY] = {_COUNTED_AT: bundle.occupancy.counted_at, _STILL: list(bundle.occupancy.still)}
    if bundle.name:
        claims[_NAME] = bundle.name
    if bundle.unmanned:
        claims[_UNMANNED] = True
    return sign1(root_key, claims=claims, external_aad=BUNDLE_AAD)


def open_bundle(data: bytes, *, root_keys: Iterable[bytes]) -> Bundle:
    """Return the bundle signed by one of the trusted raw root keys. Raise `BundleError` for anything else."""
    envelope = read_sign1(data)
    if isinstance(envelope, Cause):
        raise BundleError(f"the envelope is invalid: {envelope.value}")
    roots = [Ed25519PublicKey.from_public_bytes(root) for root in root_keys if key_id(root) == envelope.kid]
    if not any(envelope.is_signed_by(root, external_aad=BUNDLE_AAD) for root in roots):
        raise BundleError("the signature does not verify")
    try:
        return _read_bundle(envelope.claims)
    except BundleError:
        raise
    except (ValueError, ZoneInfoNotFoundError) as error:
        raise BundleError(str(error)) from error


def _write_requirements(requirements: DoorRequirements) -> dict[int, object]:
    fields: dict[int, object] = {
        _VERSION: requirements.version,
        _TEMPERATURE: _to_hundredths(requirements.highest_temperature_f),
        _O2: _to_hundredths(requirements.lowest_o2),
        _CAPACITY: requirements.capacity,
        _ENFORCED: requirements.enforced_percent,
        _HOURS: None if requirements.hours is None else _write_hours(requirements.hours),
        _ROTATING: requirements.rotating_required,
        _PRIVATE: requirements.private,
        _INVITATION_EPOCHS: sorted(requirements.invitation_epochs),
        _OPENINGS: [list(opening) for opening in sorted(requirements.openings)] or None,
        _USUAL_DWELL: requirements.usual_dwell_min,
    }
    return {key: value for key, value in fields.items() if value is not None}


def _write_hours(hours: WeeklyHours) -> dict[int, object]:
    spans = [[span.weekday, span.opens, span.closes] for span in sorted(hours.spans)]
    return {_ZONE: hours.zone.key, _SPANS: spans}


def _write_revocations(revocations: RevocationList) -> dict[int, object]:
    entries = b"".join(sorted(revocations.entries))
    return {_SALT: revocations.salt, _PUBLISHED_AT: revocations.published_at, _ENTRIES: entries}


def _to_hundredths(value: float | None) -> int | None:
    return None if value is None else round(value * _HUNDREDTHS)


def _read_bundle(claims: dict[int, object]) -> Bundle:
    if claims.get(_FORMAT) != BUNDLE_FORMAT:
        raise BundleError("the bundle has an unknown format")
    requirements = _take(claims, _REQUIREMENTS, dict)
    revocations = _take(claims, _REVOCATIONS, dict)
    occupancy = _take_optional(claims, _OCCUPANCY, dict)
    return Bundle(
        venue=_take(claims, _VENUE, str),
        server_time=_take(claims, _SERVER_TIME, int),
        good_until=_take(claims, _GOOD_UNTIL, int),
        keys=tuple(_read_key(entry) for entry in _take(claims, _KEYS, list)),
        requirements=_read_requirements(requirements),
        revocations=_read_revocations(revocations),
        sealing_key=_sized(_take(claims, _SEALING_KEY, bytes), SEALING_KEY_BYTES),
        occupancy=None if occupancy is None else _read_occupancy(occupancy),
        name=_take_optional(claims, _NAME, str) or "",
        unmanned=_take_optional(claims, _UNMANNED, bool) or False,
    )


def _read_key(entry: object) -> IssuerKey:
    public, epochs = _checked(entry, list)
    return IssuerKey(_checked(public, bytes), _read_epochs(epochs))


def _read_epochs(entry: object) -> frozenset[int]:
    return frozenset(_checked(start, int) for start in _checked(entry, list))


def _read_requirements(fields: dict[int, object]) -> DoorRequirements:
    hours = _take_optional(fields, _HOURS, dict)
    return DoorRequirements(
        version=_take(fields, _VERSION, int),
        highest_temperature_f=_from_hundredths(_take_optional(fields, _TEMPERATURE, int)),
        lowest_o2=_from_hundredths(_take_optional(fields, _O2, int)),
        capacity=_take_optional(fields, _CAPACITY, int),
        enforced_percent=_take(fields, _ENFORCED, int),
        hours=None if hours is None else _read_hours(hours),
        rotating_required=_take(fields, _ROTATING, bool),
        private=_take(fields, _PRIVATE, bool),
        invitation_epochs=_read_epochs(fields.get(_INVITATION_EPOCHS)),
        openings=_read_openings(_take_optional(fields, _OPENINGS, list) or []),
        usual_dwell_min=_take_optional(fields, _USUAL_DWELL, int),
    )


def _read_openings(entries: list[object]) -> tuple[tuple[int, int], ...]:
    openings = []
    for entry in entries:
        start, end = (_checked(moment, int) for moment in _checked(entry, list))
        openings.append((start, end))
    return tuple(openings)


def _read_hours(fields: dict[int, object]) -> WeeklyHours:
    spans = []
    for entry in _take(fields, _SPANS, list):
        weekday, opens, closes = (_checked(number, int) for number in _checked(entry, list))
        spans.append(Span(weekday, opens, closes))
    return WeeklyHours(zone=ZoneInfo(_take(fields, _ZONE, str)), spans=tuple(spans))


def _read_revocations(fields: dict[int, object]) -> RevocationList:
    entries = _take(fields, _ENTRIES, bytes)
    if len(entries) % ENTRY_BYTES:
        raise BundleError("a revocation entry must have 8 bytes")
    parts = frozenset(entries[at : at + ENTRY_BYTES] for at in range(0, len(entries), ENTRY_BYTES))
    salt = _sized(_take(fields, _SALT, bytes), SALT_BYTES)
    return RevocationList(salt=salt, published_at=_take(fields, _PUBLISHED_AT, int), entries=parts)


def _read_occupancy(fields: dict[int, object]) -> Occupancy:
    still = tuple(_checked(people, int) for people in _take(fields, _STILL, list))
    return Occupancy(counted_at=_take(fields, _COUNTED_AT, int), still=still)


def _from_hundredths(value: int | None) -> float | None:
    return None if value is None else value / _HUNDREDTHS


def _take(fields: dict[int, object], key: int, kind: type[T]) -> T:
    return _checked(fields.get(key), kind)


def _take_optional(fields: dict[int, object], key: int, kind: type[T]) -> T | None:
    return _take(fields, key, kind) if key in fields else None


def _checked(value: object, kind: type[T]) -> T:
    if type(value) is not kind:  # exactly: a bool does not count as an int here
        raise BundleError("a field is missing or has the wrong type")
    return value


def _sized(value: bytes, length: int) -> bytes:
    if len(value) != length:
        raise BundleError("a field has the wrong length")
    return value
