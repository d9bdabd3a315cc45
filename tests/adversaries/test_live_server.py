"""P13: not even a live server learns which visitor a check-in belongs to, nor which two belong to one person.

The adversary is the server: it records everything that arrives and leaves, with time and order. IP addresses,
connections and browser headers are not in the transcript, and first uses are measured separately.

What people and their app do, as `docs/protocol.md` states it:

* A person opens the app now and then, at random times that are unrelated to going out, and stays a few minutes. In such
an opening the app draws, after a random wait of 15 to 75 seconds, the missing tickets of the days ahead.
* A person who goes out opens check-in from the poster at the door. In that opening nothing is drawn, unless there is no
ticket for the day at all: that is a first use.
* Everybody opened the app within the first day, and checks in twice on the days after.

There are fewer days ahead here than the app's fourteen, so that the test takes minutes at most. A draw is then closer
to the check-in of its tickets, which helps the adversary.
"""

import datetime as dt
import hashlib
import heapq
import itertools
import json
import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final

import gmpy2
import pytest
from django.db import connection

from common.web import throttles
from passes import ticket_keys
from passes.clock import calendar
from passes.codec.epochs import Epoch
from passes.codec.identity import decode_base64url, derive_pass, derive_seed, encode_base64url, hash_erase_key
from passes.codec.ticket_keys import TicketClass
from tests.adversaries.matching import alike, area_under_curve, near, windows
from tests.factories import make_venue
from tests.passes.people import HEALTHY, Phone
from tests.passes.requests import send
from tests.passes.wallet import Derived, HeldTicket, Wallet, body_of
from venues.models import Venue

START: Final = dt.datetime(2026, 5, 13, tzinfo=dt.UTC)
DAY: Final = dt.timedelta(days=1)
OPENINGS_A_DAY: Final = 1.5
LEAST_WAIT_S, MOST_WAIT_S = 15, 75
OPENING_S: Final = 240
"""Average time that a person looks at the app."""
FIRST_HOUR, LAST_HOUR = 7, 23
STRANGERS_EACH: Final = 20


@dataclass(frozen=True)
class Entry:
    """One line of the log: everything received and sent, and when. `by` is what the adversary wants to know."""

    order: int
    at: float
    path: str
    headers: dict[str, str] = field(repr=False)
    body: dict[str, Any] = field(repr=False)
    answer: dict[str, Any] = field(repr=False)
    by: int

    @cached_property
    def credential(self) -> bytes:
        """Return the bytes of `Authorization`."""
        return decode_base64url(self.headers["Authorization"].split()[1])

    @cached_property
    def values(self) -> dict[str, tuple[list[bytes], list[bytes]]]:
        """Return the blinded and the signed values of a draw, by day."""
        return {
            asked["epoch"]: (_values(asked), _values(signed))
            for asked, signed in zip(self.body["draws"], self.answer["draws"], strict=True)
        }

    @property
    def everything(self) -> bytes:
        """Return all bytes, base64url both decoded and as text."""
        texts = list(_texts([self.headers, self.body, self.answer]))
        return b"|".join(text.encode() for text in texts) + b"|".join(map(_decoded, texts))


def _values(one: dict[str, Any]) -> list[bytes]:
    return [decode_base64url(value) for each in TicketClass for value in one[each.value]]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, str) and len(value) > 12:
        yield value.split()[-1]


def _decoded(text: str) -> bytes:
    try:
        return decode_base64url(text)
    except ValueError:
        return b""


@dataclass
class Transcript:
    """The log of the server."""

    entries: list[Entry] = field(default_factory=list)

    def send(self, path: str, body: dict[str, Any], *, at: float, headers: dict[str, str], by: int) -> Any:
        now = dt.datetime.fromtimestamp(at, dt.UTC)
        answer = send("POST", path, body, now=now, headers=headers)
        assert answer.status_code in (200, 201), answer.content
        self.entries.append(Entry(len(self.entries), at, path, headers, body, answer.json(), by))
        return answer.json()

    def of(self, path: str) -> list[Entry]:
        return [entry for entry in self.entries if entry.path == path]


class Person:
    """A person with the app."""

    def __init__(self, number: int, log: Transcript, ahead: int) -> None:
        self.number, self.log, self.ahead = number, log, ahead
        self.phone = Phone(100_000 + number)
        self.wallet = Wallet(self.phone.secret, self.phone.header)
        self.drawn: dict[dt.date, tuple[Derived, dict[str, Any]]] = {}
        self.used: dict[dt.date, int] = {}

    def draw(self, at: float) -> None:
        """Draw the missing tickets of today and the days ahead, in one request of constant size."""
        today = calendar().current(at)
        epochs = [epoch for epoch in calendar().ticket_epochs(at) if epoch.date <= today.date + self.ahead * DAY]
        missing = [epoch for epoch in epochs if epoch.date not in self.drawn]
        if not missing:
            return
        if any(epoch.date not in self.wallet.keys for epoch in missing):
            self.wallet.fetch_keys(now=dt.datetime.fromtimestamp(at, dt.UTC))
        if not self.drawn:
            registration = {"erase_hash": encode_base64url(hash_erase_key(self.phone.keys.erase))}
            self.log.send("/api/v1/visitors", registration, at=at, headers=self.phone.header, by=self.number)
        derived = [self.wallet.derive(epoch) for epoch in missing]
        draws = [body_of(*pair) for pair in zip(missing, derived, strict=True)]
        body = {"draws": draws, "pad": "0" * (5_600 * (self.ahead + 1) - len(json.dumps(draws)))}
        answer = self.log.send("/api/v1/tickets", body, at=at, headers=self.phone.header, by=self.number)
        for epoch, own, signed in zip(missing, derived, answer["draws"], strict=True):
            self.drawn[epoch.date] = (own, signed)

    def check_in(self, venue: Venue, at: float, survey_seconds: int) -> bool:
        """Spend the next ticket of the day; return whether it was a first use."""
        today = calendar().current(at)
        first_use = today.date not in self.drawn
        if first_use:
            self.draw(at - 3)
        number = self.used.get(today.date, 0)
        self.used[today.date] = number + 1
        holder = derive_pass(derive_seed(self.phone.keys.passes, today.start), today.start, number)
        body = {
            "venue": venue.public_id,
            "epoch": today.date.isoformat(),
            "anchor": encode_base64url(holder.anchor),
            "owner_hash": encode_base64url(holder.owner_hash),
            "answers": HEALTHY,
            "survey_seconds": survey_seconds,
        }
        headers = self.ticket(today, number).header
        self.log.send("/api/v1/passes", body, at=at, headers=headers, by=self.number)
        return first_use

    def ticket(self, epoch: Epoch, number: int) -> HeldTicket:
        own, signed = self.drawn[epoch.date]
        each = TicketClass.COUNTED if number < 3 else TicketClass.OTHER
        place = number - each.indices.start
        return HeldTicket(own[each][place].finish(decode_base64url(signed[each.value][place])), each)


@dataclass(frozen=True)
class Plan:
    """How many people live for how long. `newcomers`: their first opening of the app is a check-in."""

    people: int
    ahead: int
    days: int
    newcomers: int
    within: float


SAMPLE: Final = Plan(people=30, ahead=1, days=3, newcomers=6, within=0.22)
"""Four standard deviations of 30 pairs of check-ins; the town of the long test has the claim's 0.06."""
TOWN: Final = Plan(people=1_000, ahead=4, days=5, newcomers=50, within=0.06)


@dataclass(frozen=True)
class Observed:
    """The transcript of a town: draws by visitor, check-ins that were not first uses, and first uses."""

    log: Transcript
    draws: dict[int, list[Entry]]
    spends: list[Entry]
    first_uses: list[Entry]


def live(plan: Plan) -> Observed:
    """Simulate a town's days in order of time."""
    rng = random.Random(13)
    log = Transcript()
    venues = [make_venue(now=START - 3 * DAY) for _ in range(4)]
    people = [Person(number, log, plan.ahead) for number in range(plan.people + plan.newcomers)]
    acts: list[tuple[float, int, Callable[[float], object]]] = []
    order = itertools.count()

    def plan_act(at: float, act: Callable[[float], object]) -> None:
        heapq.heappush(acts, (at, next(order), act))

    def moment(day: int) -> float:
        return START.timestamp() + day * 86_400 + rng.uniform(FIRST_HOUR, LAST_HOUR) * 3600

    firsts: set[int] = set()

    def checks_in(person: Person) -> Callable[[float], object]:
        venue, seconds = rng.choice(venues), rng.randint(8, 90)

        def act(at: float) -> None:
            if person.check_in(venue, at, seconds):
                firsts.add(len(log.entries) - 1)

        return act

    for person in people:
        if person.number >= plan.people:
            plan_act(moment(rng.randrange(1, plan.days)), checks_in(person))
            continue
        plan_act(moment(0), person.draw)  # the opening in which somebody makes a key
        for day in range(plan.days):
            for _ in range(_poisson(rng, OPENINGS_A_DAY)):
                wait = rng.uniform(LEAST_WAIT_S, MOST_WAIT_S)
                if rng.expovariate(1 / OPENING_S) > wait:
                    plan_act(moment(day) + wait, person.draw)
        for day in rng.choices(range(1, plan.days), k=2):
            plan_act(moment(day), checks_in(person))
    while acts:
        at, _order, act = heapq.heappop(acts)
        act(at)
    draws: dict[int, list[Entry]] = {}
    for entry in log.of("/api/v1/tickets"):
        draws.setdefault(entry.by, []).append(entry)
    spends = log.of("/api/v1/passes")
    return Observed(
        log,
        draws,
        [entry for entry in spends if entry.order not in firsts],
        [entry for entry in spends if entry.order in firsts],
    )


def _poisson(rng: random.Random, mean: float) -> int:
    count, left = 0, rng.expovariate(mean)
    while left < 1:
        count, left = count + 1, left + rng.expovariate(mean)
    return count


# The matcher ---------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Pair:
    """A check-in and one visitor: all draws of the visitor, and the one that contains the day of the check-in."""

    spend: Entry
    draws: list[Entry]
    drawn: Entry

    @property
    def asked(self) -> list[bytes]:
        """Return the blinded values of the day."""
        return self.drawn.values[self.spend.body["epoch"]][0]

    @property
    def signed(self) -> list[bytes]:
        """Return the blind signatures of the day."""
        return self.drawn.values[self.spend.body["epoch"]][1]

    @cached_property
    def blinds(self) -> list[int]:
        """Return the numbers that would be the blinds if one of the day's first three values were this ticket."""
        keys = ticket_keys.epoch_keys(calendar().epoch_of(dt.date.fromisoformat(self.spend.body["epoch"])))
        assert keys is not None
        n = keys.public[TicketClass.COUNTED].n
        inverse = gmpy2.invert(int.from_bytes(self.spend.credential[SIGNATURE], "big"), n)
        return [int(int.from_bytes(value, "big") * inverse % n) for value in self.signed[:3]]


def pair_up(draws: list[Entry], spend: Entry) -> Pair | None:
    """Return a check-in with a visitor; `None` for a visitor who had not drawn its day before it."""
    for entry in draws:
        if entry.order < spend.order and spend.body["epoch"] in entry.values:
            return Pair(spend, draws, entry)
    return None


NONCE, SIGNATURE = slice(0, 32), slice(32, 288)
Score = Callable[[Pair], float]


def best(values: Callable[[Pair], list[bytes]], part: slice) -> Score:
    """Score by the value of a day that is most similar to a part of the ticket."""

    def score(pair: Pair) -> float:
        shown = pair.spend.credential[part]
        return max(alike(value[: len(shown)], shown) for value in values(pair))

    return score


def first(data: bytes) -> int:
    """Return the number that the bytes begin with."""
    return int.from_bytes(data[:8], "big")


DRAW_AND_SPEND: dict[str, Score] = {
    "time since the draw": lambda p: near(p.drawn.at, p.spend.at),
    "time to the nearest draw": lambda p: max(near(one.at, p.spend.at) for one in p.draws),
    "time since the last draw": lambda p: max(one.at - p.spend.at for one in p.draws if one.at < p.spend.at),
    "time until the next draw": lambda p: max((p.spend.at - o.at for o in p.draws if o.at > p.spend.at), default=-1e9),
    "order since the draw": lambda p: near(p.drawn.order, p.spend.order),
    "order to the nearest draw": lambda p: max(near(one.order, p.spend.order) for one in p.draws),
    "second of the minute": lambda p: near(p.drawn.at % 60, p.spend.at % 60),
    "second of the day": lambda p: near(p.drawn.at % 86_400, p.spend.at % 86_400),
    "number of draws": lambda p: float(len(p.draws)),
    "days of the draw": lambda p: float(len(p.drawn.values)),
    "days of the draw beside the survey": lambda p: near(len(p.drawn.values), p.spend.body["survey_seconds"]),
    "bits of a blinded value and the nonce": best(lambda p: p.asked, NONCE),
    "bits of a blinded value and the signature": best(lambda p: p.asked, SIGNATURE),
    "bits of an answer and the nonce": best(lambda p: p.signed, NONCE),
    "bits of an answer and the signature": best(lambda p: p.signed, SIGNATURE),
    "bits of the key and the nonce": lambda p: alike(p.drawn.credential, p.spend.credential[NONCE]),
    "bits of the key and the owner hash": lambda p: alike(
        p.drawn.credential, decode_base64url(p.spend.body["owner_hash"])
    ),
    "bits of the key and the anchor": lambda p: alike(
        p.drawn.credential[:16], decode_base64url(p.spend.body["anchor"])
    ),
    "order of the key and the nonce": lambda p: near(first(p.drawn.credential), first(p.spend.credential)),
    "order of a blinded value and the signature": lambda p: max(
        near(first(value), first(p.spend.credential[SIGNATURE])) for value in p.asked
    ),
    "size of the blind between them": lambda p: float(min(p.blinds) >> 1280),
    "low bits of the blind between them": lambda p: float(min(blind % 65_536 for blind in p.blinds)),
}
SHARED_WINDOWS: Score = lambda p: float(len(windows(p.drawn.everything) & windows(p.spend.everything)))  # noqa: E731
MOST_WINDOWS: Final = 40
"""Number of check-ins whose bytes are searched for in draws: it is slow, and one match would suffice."""
Two = Callable[[Entry, Entry], float]
SPEND_AND_SPEND: dict[str, Two] = {
    "time": lambda a, b: near(a.at, b.at),
    "order": lambda a, b: near(a.order, b.order),
    "second of the minute": lambda a, b: near(a.at % 60, b.at % 60),
    "second of the day": lambda a, b: near(a.at % 86_400, b.at % 86_400),
    "bits of the nonce": lambda a, b: alike(a.credential[NONCE], b.credential[NONCE]),
    "bits of the signature": lambda a, b: alike(a.credential[SIGNATURE], b.credential[SIGNATURE]),
    "order of nonces": lambda a, b: near(*(int.from_bytes(one.credential[:8], "big") for one in (a, b))),
    "bits of the anchor": lambda a, b: alike(*(decode_base64url(one.body["anchor"]) for one in (a, b))),
    "bits of the owner hash": lambda a, b: alike(*(decode_base64url(one.body["owner_hash"]) for one in (a, b))),
    "bits of the pass": lambda a, b: alike(*(str(one.answer["credential"]).encode() for one in (a, b))),
    "survey": lambda a, b: near(a.body["survey_seconds"], b.body["survey_seconds"]),
    "venue": lambda a, b: float(a.body["venue"] == b.body["venue"]),
    "length of the body": lambda a, b: near(len(json.dumps(a.body)), len(json.dumps(b.body))),
    "hash of one in the other": lambda a, b: float(
        any(hashlib.sha256(value).digest()[:8] in b.everything for value in (a.credential, a.credential[NONCE]))
    ),
}


Pairs = tuple[list[Pair], list[Pair]]


def pairs_of(seen: Observed, spends: list[Entry]) -> Pairs:
    """Pair each check-in with its visitor, and with others who had drawn its day."""
    rng, same, different = random.Random(31), [], []
    for spend in spends:
        own = pair_up(seen.draws[spend.by], spend)
        assert own is not None
        same.append(own)
        others = [pair for one, draws in seen.draws.items() if one != spend.by and (pair := pair_up(draws, spend))]
        different += rng.sample(others, min(STRANGERS_EACH, len(others)))
    return same, different


def match_draws(pairs: Pairs, score: Score) -> float:
    """Return how well a score finds the visitor of a check-in among those who had drawn its day."""
    same, different = pairs
    return area_under_curve(list(map(score, same)), list(map(score, different)))


def match_spends(seen: Observed, score: Two) -> float:
    """Return how well a score distinguishes two check-ins of one person from those of two people."""
    rng, by = random.Random(32), defaultdict[int, list[Entry]](list)
    for spend in seen.spends:
        by[spend.by].append(spend)
    # In any order: the earlier of one person's and the later of another's lie further apart than two of anybody.
    twice = [rng.sample(pair, 2) for pair in by.values() if len(pair) == 2]
    same = [score(*pair) for pair in twice]
    different = [
        score(pair[0], other[1])
        for pair in twice
        for other in rng.sample(twice, min(STRANGERS_EACH, len(twice)))
        if other is not pair
    ]
    return area_under_curve(same, different)


@pytest.fixture
def _no_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Disable limits, because a week passes in minutes."""
    monkeypatch.setattr(throttles, "hit", lambda *_, **__: None)


@pytest.mark.django_db
@pytest.mark.usefixtures("_no_limits")
class TestAServerThatLogsEverything:
    """Every field in one test, because the town is simulated once."""

    def test_no_field_value_or_order_finds_who_checks_in(self) -> None:
        self.attack(SAMPLE)

    @pytest.mark.long
    def test_nor_among_a_thousand_visitors(self) -> None:
        self.attack(TOWN)

    def attack(self, plan: Plan) -> None:
        seen = live(plan)
        assert len(seen.spends) > 1.9 * plan.people - 10
        pairs = pairs_of(seen, seen.spends)
        found = {f"draw: {name}": match_draws(pairs, score) for name, score in DRAW_AND_SPEND.items()}
        few = pairs_of(seen, seen.spends[:MOST_WINDOWS])
        found["draw: shared windows of eight bytes"] = match_draws((few[0], few[1][: 4 * MOST_WINDOWS]), SHARED_WINDOWS)
        found |= {f"spends: {name}": match_spends(seen, score) for name, score in SPEND_AND_SPEND.items()}
        print({name: round(area, 3) for name, area in found.items()})
        assert {name: area for name, area in found.items() if abs(area - 0.5) > plan.within} == {}
        self.the_matcher_finds_what_is_there(seen)

    def the_matcher_finds_what_is_there(self, seen: Observed) -> None:
        """Check that first uses (which are not protected) are found by their time, and a key in the header would be."""
        assert len(seen.first_uses) >= 6
        firsts = pairs_of(seen, seen.first_uses)
        by_time = {name: match_draws(firsts, DRAW_AND_SPEND[name]) for name in list(DRAW_AND_SPEND)[:6]}
        print("first uses:", {name: round(area, 3) for name, area in by_time.items()})
        assert by_time["time since the draw"] > 0.97
        named = [replace(spend, headers=seen.draws[spend.by][0].headers) for spend in seen.spends[:40]]
        assert match_draws(pairs_of(seen, named), DRAW_AND_SPEND["bits of the key and the nonce"]) == 1.0

    def test_draws_have_one_size_whatever_is_missing(self) -> None:
        """A person who lacks one day and one who lacks all have equal body lengths."""
        draws = live(Plan(people=2, ahead=2, days=3, newcomers=0, within=1)).log.of("/api/v1/tickets")
        assert len({len(entry.values) for entry in draws}) > 1
        sizes = {len(json.dumps(entry.body)) for entry in draws}
        assert max(sizes) - min(sizes) < 3

    def test_no_request_of_a_check_in_carries_what_a_draw_carries(self) -> None:
        seen = live(Plan(people=2, ahead=1, days=2, newcomers=0, within=1))
        for entry in seen.log.entries:
            expected = "Ticket" if entry.path == "/api/v1/passes" else "Visitor"
            assert set(entry.headers) == {"Authorization"}
            assert entry.headers["Authorization"].startswith(expected)
        for spend in seen.spends:
            assert set(spend.body) == {"venue", "epoch", "anchor", "owner_hash", "answers", "survey_seconds"}


# A server that shows different keys
# --------------------------------------------------------------------------------------
@pytest.mark.django_db
class TestAServerThatChangesKeys:
    def test_a_second_key_for_a_known_day_is_refused_and_nothing_is_drawn_or_spent_under_it(self) -> None:
        phone, epoch = Phone(), calendar().current(START.timestamp() + 1)
        now = START + dt.timedelta(hours=10)
        phone.register(now)
        phone.wallet.draw([epoch], now=now)
        before = phone.wallet.sets[epoch.date]
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM passes_ticketkey")
        ticket_keys.forget()
        with pytest.raises(ValueError, match="another key"):
            phone.wallet.fetch_keys(now=now)
        assert phone.wallet.sets[epoch.date] == before

    def test_a_draw_under_another_key_shares_no_value_with_the_first(self) -> None:
        """Before, one blind under two keys linked 40 of 40 by the Chinese remainder theorem."""
        now, epoch = START + dt.timedelta(hours=10), calendar().current(START.timestamp() + 1)
        phone = Phone()
        phone.wallet.fetch_keys(now=now)
        first = phone.wallet.derive(epoch)
        other = Wallet(phone.secret, phone.header)
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM passes_ticketkey")
        ticket_keys.forget()
        other.fetch_keys(now=now)
        assert other.keys[epoch.date] != phone.wallet.keys[epoch.date]
        second = other.derive(epoch)
        seen = [
            {getattr(one, name) for each in TicketClass for one in made[each]}
            for made in (first, second)
            for name in ("nonce", "salt", "blind", "blinded")
        ]
        for mine, theirs in zip(seen[:4], seen[4:], strict=True):
            assert not mine & theirs
