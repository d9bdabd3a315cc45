"""P2: two venues that combine their kiosks' memories match visitors no better than by chance.

Each of 1,000 visitors has a pass at both venues, and comes at independent times with independent readings. The
adversary has everything that either kiosk ever held, and scores every pair of visits by every field.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from passes.codec import sign_pass
from passes.codec.identity import derive_keys, derive_pass, derive_seed
from tests.adversaries.matching import alike, area_under_curve, near, windows

VISITORS = 1_000
STRANGERS_EACH = 100
CHANCE = 0.03
EPOCH_START = 1_790_812_800
ISSUER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


@dataclass(frozen=True)
class Memory:
    """What one kiosk stores about one visit: the pass, the displayed code, and the measurements."""

    pass_bytes: bytes
    slot: int
    code: bytes
    scanned_at: float
    temperature_f: float
    o2: int


def remember(secret: bytes, index: int, venue: str, rng: random.Random) -> Memory:
    """Return one visit of one visitor, as the venue's kiosk stores it."""
    holder = derive_pass(derive_seed(derive_keys(secret).passes, EPOCH_START), EPOCH_START, index)
    at = EPOCH_START + rng.uniform(8 * 3600, 22 * 3600)
    slot, code = holder.code_at(at)
    signed = sign_pass(ISSUER, venue=venue, epoch_start=EPOCH_START, anchor=holder.anchor)
    return Memory(signed, slot, code, at, rng.gauss(98.0, 0.7), rng.randint(94, 100))


@pytest.fixture(scope="module")
def memories() -> tuple[list[Memory], list[Memory]]:
    """Return two lists in which row i is the same person, which only the test knows."""
    rng = random.Random(20)
    secrets = [rng.randbytes(32) for _ in range(VISITORS)]
    # Which pass of the book a venue gets depends on the order of check-ins.
    order = [rng.sample(range(16), 2) for _ in secrets]
    first = [remember(secret, indices[0], "v_cafe", rng) for secret, indices in zip(secrets, order, strict=True)]
    second = [remember(secret, indices[1], "v_gym", rng) for secret, indices in zip(secrets, order, strict=True)]
    return first, second


Score = Callable[[Memory, Memory], float]
SCORES: dict[str, Score] = {
    "bits of the pass": lambda a, b: alike(a.pass_bytes, b.pass_bytes),
    "length of the pass": lambda a, b: near(len(a.pass_bytes), len(b.pass_bytes)),
    "bits of the anchor": lambda a, b: alike(a.pass_bytes[30:46], b.pass_bytes[30:46]),
    "order of anchors": lambda a, b: near(
        int.from_bytes(a.pass_bytes[30:38], "big"), int.from_bytes(b.pass_bytes[30:38], "big")
    ),
    "bits of the signature": lambda a, b: alike(a.pass_bytes[-64:], b.pass_bytes[-64:]),
    "everything but anchor and signature": lambda a, b: float(
        a.pass_bytes[:30] + a.pass_bytes[46:-64] == b.pass_bytes[:30] + b.pass_bytes[46:-64]
    ),
    "bits of the code": lambda a, b: alike(a.code, b.code),
    "code against anchor": lambda a, b: alike(a.code, b.pass_bytes[30:46]),
    "shared windows of eight bytes": lambda a, b: float(
        bool(windows(a.pass_bytes[46:] + a.code) & windows(b.pass_bytes[46:] + b.code))
    ),
    "slot": lambda a, b: near(a.slot, b.slot),
    "time": lambda a, b: near(a.scanned_at, b.scanned_at),
    "second of the minute": lambda a, b: near(a.scanned_at % 60, b.scanned_at % 60),
    "temperature": lambda a, b: near(a.temperature_f, b.temperature_f),
    "oxygen": lambda a, b: near(a.o2, b.o2),
}


def matched(score: Score, first: list[Memory], second: list[Memory]) -> float:
    """Return how well a score distinguishes pairs of one person from pairs of two, among a hundred strangers each."""
    rng = random.Random(21)
    same = [score(a, b) for a, b in zip(first, second, strict=True)]
    different = [
        score(a, second[other])
        for row, a in enumerate(first)
        for other in rng.sample(range(VISITORS), STRANGERS_EACH)
        if other != row
    ]
    return area_under_curve(same, different)


class TestTwoVenues:
    """Everything on both kiosks."""

    @pytest.mark.parametrize("field", SCORES)
    def test_no_field_matches_visits_better_than_chance(
        self, field: str, memories: tuple[list[Memory], list[Memory]]
    ) -> None:
        assert matched(SCORES[field], *memories) == pytest.approx(0.5, abs=CHANCE)

    def test_the_matcher_finds_visitors_by_a_personal_expiry(self, memories: tuple[list[Memory], list[Memory]]) -> None:
        """Before, with passes whose expiry was each visitor's own second, the same adversary would have found them."""
        rng = random.Random(22)
        first, second = memories
        expiry: dict[int, int] = {}
        for pair in zip(first, second, strict=True):
            expiry |= dict.fromkeys(map(id, pair), rng.randrange(86_400))
        assert matched(lambda a, b: near(expiry[id(a)], expiry[id(b)]), first, second) > 0.98
