"""The signed bundle of a kiosk, opening hours, requirements and revocation lists."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import replace
from zoneinfo import ZoneInfo

import cbor2
import cwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from passes.codec import (
    Bundle,
    BundleError,
    DoorRequirements,
    IssuerKey,
    Occupancy,
    RevocationList,
    Span,
    WeeklyHours,
    key_id,
    open_bundle,
    revocation_entry,
    sign_bundle,
)
from passes.codec.bundle import BUNDLE_AAD
from passes.codec.cose import sign1
from tests.passes.factories import HOLDER, ISSUER, KEYS, NOON, PASS, PUBLIC, START, VENUE, text_of
from tests.passes.vectors import VECTORS

ROOT = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"root of tests").digest())
ROOT_PUBLIC = ROOT.public_key().public_bytes_raw()
BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")

minutes = st.integers(0, 1439)
spans = st.builds(
    lambda weekday, opens, length: Span(weekday, opens, opens + length),
    st.integers(0, 6),
    minutes,
    st.integers(1, 1440),
)
hours = st.builds(
    WeeklyHours,
    zone=st.sampled_from([BERLIN, NEW_YORK, ZoneInfo("UTC")]),
    spans=st.sets(spans, max_size=7).map(lambda chosen: tuple(sorted(chosen))),
)
times = st.integers(0, 2**32)
hundredths = st.integers(0, 20000).map(lambda value: value / 100)
starts = st.frozensets(st.integers(2**16, 2**32 - 1), max_size=3)
requirements = st.builds(
    DoorRequirements,
    version=st.integers(1, 10**6),
    highest_temperature_f=st.none() | hundredths,
    lowest_o2=st.none() | hundredths,
    capacity=st.none() | st.integers(1, 10**6),
    enforced_percent=st.integers(1, 100),
    hours=st.none() | hours,
    rotating_required=st.booleans(),
    private=st.booleans(),
    invitation_epochs=starts,
    usual_dwell_min=st.none() | st.integers(1, 1680),
)
occupancies = st.builds(Occupancy, counted_at=times, still=st.lists(st.integers(0, 10**5), max_size=5).map(tuple))
revocations = st.builds(
    RevocationList,
    salt=st.binary(min_size=16, max_size=16),
    published_at=times,
    entries=st.frozensets(st.binary(min_size=8, max_size=8), max_size=5),
)
bundles = st.builds(
    Bundle,
    venue=st.text(st.characters(codec="utf-8"), max_size=32),
    server_time=times,
    good_until=times,
    keys=starts.map(lambda epochs: (IssuerKey(PUBLIC, epochs),)),
    requirements=requirements,
    revocations=revocations,
    sealing_key=st.binary(min_size=32, max_size=32),
    occupancy=st.none() | occupancies,
)
BUNDLE = Bundle(
    venue=VENUE,
    server_time=NOON,
    good_until=NOON + 86400,
    keys=(IssuerKey(PUBLIC, frozenset({START})), IssuerKey(VECTORS[0].issuer_public, frozenset({START + 86400}))),
    requirements=DoorRequirements(
        version=3, highest_temperature_f=100.4, lowest_o2=94.0, capacity=80, enforced_percent=50,
        hours=WeeklyHours(NEW_YORK, (Span(4, 1200, 1560),)), private=True, invitation_epochs=frozenset({START}),
        usual_dwell_min=75,
    ),
    revocations=RevocationList.of([HOLDER.anchor], salt=bytes(range(16)), published_at=START),
    sealing_key=bytes(32),
    occupancy=Occupancy(NOON, (12, 12, 3)),
)  # fmt: skip


def by_key(bundle: Bundle) -> Bundle:
    return replace(bundle, keys=tuple(sorted(bundle.keys, key=lambda key: key.public)))


@given(bundles)
def test_every_bundle_round_trips(bundle: Bundle) -> None:
    assert open_bundle(sign_bundle(bundle, root_key=ROOT), root_keys=[ROOT_PUBLIC]) == by_key(bundle)


def test_a_bundle_has_one_form() -> None:
    turned = replace(BUNDLE, keys=tuple(reversed(BUNDLE.keys)))
    assert sign_bundle(BUNDLE, root_key=ROOT) == sign_bundle(turned, root_key=ROOT)


def test_an_independent_cose_library_reads_a_bundle() -> None:
    key = cwt.COSEKey.new({1: 1, 2: key_id(ROOT_PUBLIC), 3: -8, -1: 6, -2: ROOT_PUBLIC})
    payload = cwt.COSE.new().decode(sign_bundle(BUNDLE, root_key=ROOT), key, external_aad=BUNDLE_AAD)
    claims = cbor2.loads(payload)
    assert claims[2] == VENUE
    assert claims[6] == {
        1: 3, 2: 10040, 3: 9400, 4: 80, 5: 50, 6: {1: "America/New_York", 2: [[4, 1200, 1560]]}, 7: True, 8: True,
        9: [START], 11: 75,
    }  # fmt: skip
    assert claims[9] == {1: NOON, 2: [12, 12, 3]}
    assert claims[7][3] == revocation_entry(bytes(range(16)), HOLDER.anchor)


@given(place=st.integers(0, 10**6), bit=st.integers(0, 7))
def test_a_changed_bit_spoils_a_bundle(place: int, bit: int) -> None:
    data = bytearray(sign_bundle(BUNDLE, root_key=ROOT))
    data[place % len(data)] ^= 1 << bit
    with pytest.raises(BundleError):
        open_bundle(bytes(data), root_keys=[ROOT_PUBLIC])


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_as_a_bundle(data: bytes) -> None:
    with pytest.raises(BundleError):
        open_bundle(data, root_keys=[ROOT_PUBLIC])


def test_a_bundle_needs_the_root_key() -> None:
    data = sign_bundle(BUNDLE, root_key=ROOT)
    with pytest.raises(BundleError, match="signature"):
        open_bundle(data, root_keys=[PUBLIC])
    with pytest.raises(BundleError, match="signature"):
        open_bundle(sign_bundle(BUNDLE, root_key=ISSUER), root_keys=[ROOT_PUBLIC])
    assert open_bundle(data, root_keys=[PUBLIC, ROOT_PUBLIC]) == by_key(BUNDLE)


def test_a_pass_is_not_accepted_as_a_bundle_nor_a_bundle_as_a_pass() -> None:
    from passes.codec import Cause, parse_pass

    with pytest.raises(BundleError):
        open_bundle(PASS, root_keys=[PUBLIC])
    text = text_of(sign_bundle(BUNDLE, root_key=ISSUER))
    assert isinstance(parse_pass(text, venue=VENUE, keys=KEYS, at=NOON), Cause)


def _set(*path: int, value: object) -> Callable[[dict[int, object]], None]:
    def change(claims: dict[int, object]) -> None:
        target: object = claims
        for step in path[:-1]:
            assert isinstance(target, dict)
            target = target[step]
        assert isinstance(target, dict)
        target[path[-1]] = value

    return change


@pytest.mark.parametrize(
    "change",
    [
        _set(1, value=2),
        _set(2, value=b"v"),
        _set(3, value="now"),
        _set(3, value=True),
        _set(5, value={}),
        _set(5, value=[[bytes(31), [START]]]),
        _set(5, value=[[bytes(32)]]),
        _set(5, value=[[bytes(32), ["x"]]]),
        _set(6, value=[]),
        _set(6, 5, value=None),
        _set(6, 7, value=1),
        _set(6, 6, 1, value="Nowhere/Town"),
        _set(6, 6, 1, value="../../etc/passwd"),
        _set(6, 6, 2, value=[[7, 0, 60]]),
        _set(6, 6, 2, value=[[0, 60, 60]]),
        _set(6, 6, 2, value=[[0, 60]]),
        _set(7, 1, value=bytes(15)),
        _set(7, 3, value=bytes(9)),
        _set(8, value=bytes(31)),
        _set(9, value=[1, [2]]),
        _set(9, 1, value=None),
        _set(9, 2, value=3),
        _set(9, 2, value=[1, "2"]),
        _set(6, 11, value="75"),
    ],
)
def test_a_signed_bundle_of_another_shape_is_refused(change: Callable[[dict[int, object]], None]) -> None:
    payload = cbor2.loads(cbor2.loads(sign_bundle(BUNDLE, root_key=ROOT)).value[2])
    change(payload)
    with pytest.raises(BundleError):
        open_bundle(sign1(ROOT, claims=payload, external_aad=BUNDLE_AAD), root_keys=[ROOT_PUBLIC])


# --- Revocation ---


def test_a_revocation_entry_is_eight_bytes_of_hmac() -> None:
    salt, anchor = bytes(range(16)), VECTORS[0].anchor
    assert revocation_entry(salt, anchor) == hmac.new(salt, anchor, hashlib.sha256).digest()[:8]


def test_a_list_holds_its_passes_and_no_others() -> None:
    revoked = [vector.anchor for vector in VECTORS[:2]]
    listed = RevocationList.of(revoked, salt=bytes(16), published_at=START)
    assert [listed.holds(vector.anchor) for vector in VECTORS] == [True, True, False]


def test_a_list_has_a_salt_of_16_bytes() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        RevocationList.of([], salt=b"short", published_at=START)


def test_those_inside_leave_the_count_when_their_stay_is_over() -> None:
    assert Occupancy.of(NOON, [(0, 2), (3, 1), (1, 4)]).still == (7, 5, 1, 1)
    assert Occupancy.of(NOON, []).still == ()


def test_the_limit_is_the_enforced_share_of_capacity_rounded_down() -> None:
    assert DoorRequirements(capacity=7, enforced_percent=50).people_limit == 3
    assert DoorRequirements().people_limit is None
