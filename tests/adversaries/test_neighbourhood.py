"""P3 beyond columns: place and transaction of rows link nobody's visits after the nightly mixing."""

import datetime as dt
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from django.db import connection, models, transaction

from common.privacy import declared_models
from exports.erasure.requests import request_erasure
from exports.hashes import index_hash
from exports.models import ErasedOwner
from passes.clock import calendar
from passes.codec import revocation_entry
from passes.hashes import erased_owner_mark, list_salt, pass_tag, spent_hash
from passes.models import Name, Pass, Rating, RevokedEntry, Scan, SpentOwner, Tombstone, Visit
from passes.services import mixing
from passes.services.holders import rate_visit, revoke_passes, show_name
from passes.services.mixing import mix_rows
from passes.services.scoring import score_scans
from risk.crowd.reports import report_test
from tests.adversaries.matching import auc_of_pairs
from tests.factories import NOW, make_event, make_venue
from venues.models import Venue
from venues.services.events import invitation_code, make_invitation, take_invitation

pytestmark = pytest.mark.django_db(transaction=True)
DAY = calendar().current(NOW.timestamp())
MINUTE = dt.timedelta(minutes=1)
ANSWERS = dict.fromkeys(("symptoms", "diagnosed", "contact", "near"), False)
Marks = dict[bytes, tuple[int, int]]
"""Value of a row's field -> person and side."""


@dataclass(frozen=True)
class Holding:
    """A pass of one person at one venue."""

    person: int
    side: int
    anchor: bytes
    owner_hash: bytes
    venue: Venue

    @property
    def entry(self) -> bytes:
        """Return its entry in the venue's list."""
        return revocation_entry(list_salt(self.venue.public_id), self.anchor)


def one_day(people: int, rng: random.Random) -> list[Holding]:
    """Let each person check in at two venues and visit them, and later do every other action at both."""
    venues = [make_venue() for _ in range(2)]
    held = [
        Holding(person, side, rng.randbytes(16), rng.randbytes(32), venues[side])
        for person in range(people)
        for side in range(2)
    ]
    for one in held:
        Pass.objects.create(
            tag=pass_tag(one.anchor), anchor=one.anchor, venue=one.venue, epoch=DAY.date, owner_hash=one.owner_hash,
            survey_seconds=20, go=True, counted=True, **ANSWERS,
        )  # fmt: skip
    for number, one in enumerate(held):
        at = NOW + rng.randrange(600) * MINUTE
        kept: dict[str, Any] = {"tag": pass_tag(one.anchor), "venue": one.venue, "epoch": DAY.date}
        Scan.objects.create(
            **kept, scan_id=f"scan-{number}", type="Checkin", slot=rng.randrange(1, 1000), scanned_at=at, approved=True
        )
        Visit.objects.create(**kept, arrived_at=at, times_out_at=at + 60 * MINUTE)
    for mine in pairs_of(held, rng):
        for one in mine:
            rate_visit(owner_hash=one.owner_hash, masks=3, distancing=3, now=NOW)
        for one in mine:
            show_name(owner_hash=one.owner_hash, name="A name", now=NOW)
        report_test(owner_hashes=[one.owner_hash for one in mine], tested_on=NOW.date(), positive=True, now=NOW)
    for mine in pairs_of(held, rng):
        revoke_passes(owner_hashes=[one.owner_hash for one in mine], now=NOW)
    return held


def pairs_of(held: list[Holding], rng: random.Random) -> list[list[Holding]]:
    pairs = [held[at : at + 2] for at in range(0, len(held), 2)]
    rng.shuffle(pairs)
    return pairs


def erase(held: list[Holding], rng: random.Random) -> None:
    for mine in pairs_of(held, rng):
        request_erasure(owner_hashes=[one.owner_hash for one in mine], now=NOW)


class TestAnAttackerWithASqlSession:
    """The attacker sees place and transaction of every row, and takes the nearest of the other venue for a match."""

    @pytest.fixture(autouse=True)
    def seeded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(random, "SystemRandom", lambda: random.Random(3))
        monkeypatch.setattr(mixing, "BATCH", 50)  # the batches of a large town

    def judge(
        self, tables: dict[type[models.Model], tuple[str, Callable[[Holding], bytes]]], held: list[Holding]
    ) -> tuple[list[float], list[int]]:
        """Return, for each table and clue, how well closeness identifies a person, and how often the nearest does."""
        aucs, hits = [], []
        for model, (column, value) in tables.items():
            owners: Marks = {value(one): (one.person, one.side) for one in held}
            assert model._default_manager.count() >= len(held), model
            for clue in ("(ctid::text::point)[0] * 10000 + (ctid::text::point)[1]", "age(xmin)"):
                seen: list[dict[int, float]] = [{}, {}]
                with connection.cursor() as cursor:
                    cursor.execute(f"SELECT {column}, {clue} FROM {model._meta.db_table}")
                    for found, at in cursor.fetchall():
                        if (owner := owners.get(bytes(found))) is not None:
                            seen[owner[1]][owner[0]] = float(at)
                near, found_by = _nearness(seen)
                aucs.append(near)
                hits.append(found_by)
        return aucs, hits

    @pytest.mark.parametrize("people", [60, pytest.param(200, marks=pytest.mark.long)])
    def test_after_the_nightly_mixing_two_visits_of_one_person_are_joined_by_chance(self, people: int) -> None:
        rng = random.Random(5)
        held = one_day(people, rng)
        ids = {bytes(row.owner_hash): row.pk.bytes for row in Pass.objects.all()}
        uuid_bytes = "uuid_send({})".format
        of_pass = {
            Pass: ("tag", lambda one: pass_tag(one.anchor)),
            Scan: ("tag", lambda one: pass_tag(one.anchor)),
            Visit: ("tag", lambda one: pass_tag(one.anchor)),
            Rating: (uuid_bytes("pass_row_id"), lambda one: ids[one.owner_hash]),
            Name: (uuid_bytes("pass_row_id"), lambda one: ids[one.owner_hash]),
            SpentOwner: ("spent_hash", lambda one: spent_hash(one.owner_hash)),
            RevokedEntry: ("entry", lambda one: one.entry),
        }
        self.are_found_before_and_not_after(of_pass, held)
        erase(held, rng)
        of_erased = {
            Tombstone: ("mark", lambda one: erased_owner_mark(one.owner_hash)),
            ErasedOwner: ("index_hash", lambda one: index_hash(one.owner_hash)),
        }
        self.are_found_before_and_not_after(of_erased, held)

    def test_personal_invitations_of_one_guest_to_two_events_are_joined_by_chance(self) -> None:
        """The host knows whose code it is, so two of them would name a person at two places."""
        rng, people = random.Random(7), 60
        events = [make_event(size=people) for _ in range(2)]
        codes = {}
        for side, event in enumerate(events):
            for person in rng.sample(range(people), people):
                one = make_invitation(event=event, uses=1, actor="host", now=NOW)
                codes[person, side] = (one, invitation_code(one))
        for person in rng.sample(range(people), people):
            for side, event in enumerate(events):
                with transaction.atomic():
                    assert take_invitation(
                        venue_id=event.venue_id, code=codes[person, side][1], start=NOW, end=NOW + 24 * 60 * MINUTE
                    )
        owners = {one.public_id.encode(): key for key, (one, _code) in codes.items()}
        clue = "age(xmin)"

        def auc() -> float:
            seen: list[dict[int, float]] = [{}, {}]
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT public_id, {clue} FROM venues_invitation")
                for found, at in cursor.fetchall():
                    person, side = owners[found.encode()]
                    seen[side][person] = float(at)
            return _nearness(seen)[0]

        assert auc() > 0.9
        mix_rows()
        assert auc() == pytest.approx(0.5, abs=0.1)

    def test_scores_after_the_mixing_write_no_row_again(self) -> None:
        """Each hour scores two days: rows of a device written together would lose the order of the night."""
        one_day(20, random.Random(8))
        score_scans(now=NOW)
        mix_rows()
        before = _versions()
        score_scans(now=NOW)
        assert _versions() == before

    def are_found_before_and_not_after(self, tables: Any, held: list[Holding]) -> None:
        before, found = self.judge(tables, held)
        assert np.mean(before) > 0.9
        assert np.mean(found) > 0.3 * len(held) / 2
        mix_rows()
        after, found = self.judge(tables, held)
        assert np.mean(after) == pytest.approx(0.5, abs=0.05)
        assert max(after) < 0.62
        chance = len(found)  # one in each table and by each clue
        assert sum(found) <= chance + 3 * chance**0.5

    def test_every_table_of_visits_is_mixed(self) -> None:
        mixed = {model._meta.label for model, privacy in declared_models() if privacy.is_mixed}
        assert mixed >= {f"passes.{name}" for name in ("Pass", "Scan", "Visit", "Rating", "Name", "SpentOwner")}
        assert mixed >= {"passes.RevokedEntry", "passes.Tombstone", "exports.ErasedOwner", "risk.ReportedDay"}
        assert "venues.Invitation" in mixed

    def test_mixing_changes_no_value_and_takes_each_row_once(self) -> None:
        one_day(3, random.Random(6))
        before = {
            model: sorted(map(str, model._default_manager.values_list())) for model in (Pass, Visit, Rating, Name)
        }
        assert mix_rows()["passes.Pass"] == 6
        assert mix_rows()["passes.Pass"] == 0
        assert before == {model: sorted(map(str, model._default_manager.values_list())) for model in before}
        Pass.objects.filter(pk=Pass.objects.values("pk")[:1]).update(revoked=True)
        assert mix_rows()["passes.Pass"] == 6, "a row that changed since then, among older ones"


def _versions() -> list[Any]:
    found = []
    with connection.cursor() as cursor:
        for table in ("passes_scan", "passes_visit"):
            cursor.execute(f"SELECT id, xmin::text, ctid::text FROM {table}")
            found += cursor.fetchall()
    return sorted(found)


def _nearness(seen: list[dict[int, float]]) -> tuple[float, int]:
    people = sorted(seen[0].keys() & seen[1].keys())
    mine, theirs = (np.array([side[person] for person in people]) for side in seen)
    apart: npt.NDArray[np.float64] = np.abs(np.subtract.outer(mine, theirs))
    true = {(number, number) for number in range(len(people))}
    nearest = apart.argmin(axis=1)
    return auc_of_pairs(-apart, true), int((nearest == np.arange(len(people))).sum())
