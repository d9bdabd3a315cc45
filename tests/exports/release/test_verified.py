"""The verified tier: real rows, in classes of the minimum size, with an index for their holders, streamed."""

import datetime as dt
import errno
import hashlib
import random
import secrets
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any
from unittest.mock import MagicMock

import pandas as pd
import pytest
import time_machine
from django.core.management import CommandError, call_command

from common.models import AuditEntry
from exports.dataset.tables import VERIFIED
from exports.erasure.batches import run_erasures
from exports.erasure.requests import request_erasure
from exports.hashes import index_hash
from exports.lake import write
from exports.lake.deployment import deployment_lake
from exports.models import IndexEntry, Release, Step, VerifiedDay, VerifiedFile
from exports.policy.verified import QUASI, SENSITIVE
from exports.policy.verified_rows import CODES, token
from exports.release import verified
from exports.release.thresholds import class_policy
from exports.release.verified import publish_day, publish_waiting
from exports.selectors import VERIFIED_TRIES, verified_failures
from passes.codec.identity import hash_owner
from passes.models import Pass
from passes.services.erasure import erase_owners
from tests.exports.published import published_rows, token_of
from tests.exports.rows import CLOSED, DAY, Place, a_pass, a_place, a_scan, a_scanned_pass
from tests.factories import make_organisation

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("deployment")]


@pytest.fixture
def place() -> Place:
    return a_place()


def a_crowd(place: Place, size: int = 120, seed: int = 1) -> list[Pass]:
    """Return passes of one day, at all hours, some with yes, some refused at the door."""
    rng, rows = random.Random(seed), []
    for number in range(size):
        row = a_pass(
            place,
            owner_hash=hash_owner(hashlib.sha256(b"%d %d" % (seed, number)).digest()),
            symptoms=rng.random() < 0.1,
            contact=rng.random() < 0.3,
        )
        a_scan(place, row, hour=rng.uniform(8, 20), approved=rng.random() < 0.9)
        rows.append(row)
    return rows


def classes_of(rows: list[dict[str, Any]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows)
    names = ("scannerdevice_zipcode", "scandate", "readingtype", "accesslevel", "type_of_scan", "location_maxcapacity")
    frame = frame.rename(columns=dict(zip(names, QUASI, strict=True)))
    return frame.assign(**{name: frame[name].astype(str) for name in QUASI}, declined=frame["result"] == "Declined")


class TestTheRows:
    def test_marked_passes_are_published_as_recorded_in_classes_that_hold(self, place: Place) -> None:
        rows = a_crowd(place, 400)
        unmarked = a_scanned_pass(place, counted=False)
        unscanned = a_pass(place)
        day = publish_day(day=DAY, now=CLOSED)
        found = published_rows()
        assert (day.step, day.rows, day.dropped) == ("announce", len(found), 400 - len(found))
        assert len(found) > 350
        for each in (unmarked, unscanned):
            assert not IndexEntry.objects.filter(pk=index_hash(bytes(each.owner_hash))).exists()
        by_token = {row["userid"]: row for row in found}
        for row in rows:
            if IndexEntry.objects.filter(pk=index_hash(bytes(row.owner_hash))).exists():
                published = by_token[token_of(row)]
                assert (published["symptoms"], published["contact"]) == (row.symptoms, row.contact)
                assert published["scannerdevice_zipcode"] in ("94100", "")
                assert published["location_capacity_enforcedlimit"] is None
        policy = class_policy()
        for _, members in classes_of(found).groupby(list(QUASI)):
            assert len(members) >= policy.k + policy.margin
            assert len(members.drop_duplicates(list(SENSITIVE[:4]))) >= policy.patterns
            assert (members[list(SENSITIVE)].mean() <= policy.most_yes).all()

    def test_a_small_day_publishes_nothing_and_says_how_much_was_left_out(self, place: Place) -> None:
        a_crowd(place, 20)
        day = publish_day(day=DAY, now=CLOSED)
        assert (day.step, day.rows, day.dropped) == ("announce", 0, 20)
        assert published_rows() == []

    def test_unverified_organisations_are_not_in_it(self) -> None:
        a_crowd(a_place(organisation=make_organisation(verified=False)))
        assert publish_day(day=DAY, now=CLOSED).rows == 0

    def test_tokens_are_fresh_and_their_key_is_forgotten(self, place: Place) -> None:
        rows = a_crowd(place)
        publish_day(day=DAY, now=CLOSED)
        tokens = [row["userid"] for row in published_rows()]
        assert len(set(tokens)) == len(tokens) > 60
        assert all(len(token) == 32 for token in tokens)
        assert VerifiedDay.objects.get().token_key is None
        kept = {bytes(value).hex() for row in rows for value in (row.tag, row.owner_hash, row.id.bytes)}
        assert not [token for token in tokens if any(token in value for value in kept)]

    def test_the_order_of_rows_does_not_reveal_the_order_of_visits(self, place: Place) -> None:
        rows = [a_scanned_pass(place, contact=number % 3 == 0) for number in range(150)]
        publish_day(day=DAY, now=CLOSED)
        with deployment_lake() as lake:
            written = lake.table(VERIFIED).scan().to_arrow()["userid"].to_pylist()
        places = {token: number for number, token in enumerate(written)}
        at = [places[token_of(row)] for row in rows]
        inversions = sum(one > other for number, one in enumerate(at) for other in at[number + 1 :])
        assert 0.35 < inversions / (150 * 149 / 2) < 0.65

    def test_every_row_is_in_the_index_with_the_file_that_holds_it(
        self, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(write, "VERIFIED_FILE_ROWS", 40)
        monkeypatch.setattr(verified, "BLOCK_BYTES", 1 << 12)
        a_crowd(place, 200)
        day = publish_day(day=DAY, now=CLOSED)
        with deployment_lake() as lake:
            table = lake.table(VERIFIED)
            in_files = {
                task.file.file_path.rsplit("/", 1)[-1]: task.file.record_count for task in table.scan().plan_files()
            }
        in_index = Counter(name.rsplit("/", 1)[-1] for name in IndexEntry.objects.values_list("file__name", flat=True))
        assert in_index == in_files
        assert len(in_files) > 3
        assert {bytes(entry.token).hex() for entry in IndexEntry.objects.all()} == {
            row["userid"] for row in published_rows()
        }
        assert VerifiedFile.objects.count() == len(in_files)
        assert sum(in_files.values()) == day.rows


class TestTheSteps:
    def released(self) -> None:
        Release.objects.create(day=DAY, budget=1.0, epsilon=1.0, drawn=b"x", step=Step.ANNOUNCED, number=1)

    def test_only_days_whose_open_release_is_out_are_published_once_and_audited(self, place: Place) -> None:
        a_crowd(place)
        assert publish_waiting(now=CLOSED) == []
        self.released()
        assert [day.day for day in publish_waiting(now=CLOSED)] == [DAY]
        assert publish_waiting(now=CLOSED) == []
        assert AuditEntry.objects.filter(verb="verified.published", subject=DAY.isoformat()).count() == 1

    def test_it_can_be_turned_off(self, place: Place, settings: Any) -> None:
        self.released()
        settings.PUBLISH_VERIFIED_ROWS = False
        assert publish_waiting(now=CLOSED) == []

    def test_a_day_that_fails_is_tried_a_few_times_and_does_not_stop_others(
        self, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.released()
        Release.objects.create(
            day=DAY + dt.timedelta(days=1), budget=1.0, epsilon=1.0, drawn=b"x", step=Step.ANNOUNCED, number=2
        )
        real = verified._write

        def broken(lake: Any, row: VerifiedDay) -> None:
            if row.day == DAY:
                raise OSError(errno.ENOSPC, "no place for 94103, symptoms true")
            real(lake, row)

        monkeypatch.setattr(verified, "_write", broken)
        for _ in range(VERIFIED_TRIES + 2):
            publish_waiting(now=CLOSED + dt.timedelta(days=1))
        failed, fine = VerifiedDay.objects.order_by("day")
        assert (failed.tries, failed.step) == (VERIFIED_TRIES, "opened")
        assert (fine.tries, fine.step) == (1, "announce")
        # The step, the kind of error, and what to do; never the error's message, which may contain data.
        [line] = verified_failures()
        assert line == (
            f"{DAY}: step index: OSError errno 28; tried 5 times: mend the cause, then `manage.py release --date {DAY}`"
        )
        monkeypatch.undo()
        with pytest.raises(CommandError, match="step index: OSError errno 28"):
            call_command("release")
        Release.objects.update(manifest={"rows": 0})
        with time_machine.travel(CLOSED + dt.timedelta(days=1)):
            call_command("release", date=DAY)
        assert VerifiedDay.objects.get(day=DAY).step == "announce"
        assert verified_failures() == []

    def test_a_day_whose_rows_may_be_purged_publishes_nothing_of_what_is_left(
        self, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        late = CLOSED + dt.timedelta(days=30)
        self.released()
        a_crowd(place)
        assert (publish_waiting(now=late), published_rows()) == ([], [])
        assert verified_failures() == [], "a gap, as nobody began it"
        with monkeypatch.context() as patched:
            patched.setattr(verified, "_write", MagicMock(side_effect=OSError(errno.ENOSPC, "")))
            assert publish_waiting(now=CLOSED) == []
        assert (publish_waiting(now=late), published_rows()) == ([], [])
        [line] = verified_failures()
        assert line.startswith(f"{DAY}: step index: rows were past their term")
        # A wrong clock loses nothing.
        assert [day.day for day in publish_waiting(now=CLOSED)] == [DAY]

    @pytest.mark.parametrize(
        ("module", "name", "step"), [(write, "replace_files", "write"), (verified, "_announce", "announce")]
    )
    def test_the_step_that_failed_is_named(
        self, place: Place, module: Any, name: str, step: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*_: object, **__: object) -> None:
            raise PermissionError(errno.EACCES, "s3://bucket/secret")

        self.released()
        a_crowd(place)
        monkeypatch.setattr(module, name, broken)
        assert publish_waiting(now=CLOSED) == []
        assert verified_failures() == [f"{DAY}: step {step}: PermissionError errno 13; tried again tonight"]

    @pytest.mark.parametrize(
        ("module", "step"),
        [(verified, "make_rows"), (verified, "_classify"), (write, "replace_files"), (verified, "_announce")],
    )
    def test_killed_at_any_step_and_run_again_it_publishes_the_same_rows(
        self, place: Place, module: Any, step: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        a_crowd(place)

        def die(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            patched.setattr(module, step, die)
            with pytest.raises(KeyboardInterrupt):
                publish_day(day=DAY, now=CLOSED)
        tokens = {bytes(token).hex() for token in IndexEntry.objects.values_list("token", flat=True)}
        day = publish_day(day=DAY, now=CLOSED)
        rows = published_rows()
        assert len(rows) == IndexEntry.objects.count() == day.rows > 60
        if step in ("replace_files", "_announce"):
            assert tokens == {row["userid"] for row in rows}

    @pytest.mark.parametrize("step", ["replace_files", "_announce"])
    def test_an_erasure_between_two_tries_is_kept(
        self, place: Place, step: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rows = a_crowd(place)

        def die(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            patched.setattr(write if step == "replace_files" else verified, step, die)
            with pytest.raises(KeyboardInterrupt):
                publish_day(day=DAY, now=CLOSED)
        gone = token_of(rows[3])
        request_erasure(owner_hashes=[bytes(rows[3].owner_hash)], now=CLOSED)
        assert run_erasures(now=CLOSED) == 1
        with deployment_lake() as lake:
            objects = lake.storage.objects()
            present = [each for each in objects.versions(lake.location(VERIFIED)) if each.url.endswith(".parquet")]
            assert not [each for each in present if gone in str(objects.read(each))]
            if step == "replace_files":
                assert present == []  # the unfinished day is gone, with its rows
        publish_day(day=DAY, now=CLOSED)
        tokens = {row["userid"] for row in published_rows()}
        assert gone not in tokens
        assert tokens == {bytes(token).hex() for token in IndexEntry.objects.values_list("token", flat=True)}

    def test_a_pass_erased_before_the_day_is_closed_is_never_in_it(self, place: Place) -> None:
        rows = a_crowd(place)
        erase_owners([bytes(row.owner_hash) for row in rows[:10]], CLOSED)
        assert publish_day(day=DAY, now=CLOSED).rows <= 110
        hashes = [index_hash(bytes(row.owner_hash)) for row in rows[:10]]
        assert not IndexEntry.objects.filter(pk__in=hashes).exists()


def test_a_day_is_read_no_further_than_it_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks read ahead would take most of the memory, and grow with the day."""
    monkeypatch.setattr(verified, "BLOCK_BYTES", 1 << 12)
    line = ",".join(["ab" * 16, "cd" * 32, "0", *("1" for _ in CODES)]).encode() + b"\n"
    taken = 0

    def copied() -> Iterator[memoryview]:
        nonlocal taken
        for _ in range(10_000):
            taken += 1
            yield memoryview(line)

    cursor = MagicMock()
    cursor.copy.return_value.__enter__.return_value = copied()
    rows = 0
    for batch in verified._stream(cursor):
        rows += batch.num_rows
        time.sleep(0.001)  # lets another thread read in the meantime
        assert taken == rows
        assert batch.num_rows <= 1 + (1 << 12) // len(line)
    assert rows == 10_000


def test_a_pass_that_is_drawn_again_under_the_same_tag_has_another_token_on_another_day() -> None:
    one, other = (token(secrets.token_bytes(32), b"t" * 16) for _ in range(2))
    assert one != other
