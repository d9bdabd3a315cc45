"""Erasure by the holder: database, lake, receipt; cancelled, killed and resumed."""

import datetime as dt
import hashlib
import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from kombu.exceptions import OperationalError as BrokerAway

from common.crypto import b64encode
from common.purge import purge_expired
from exports import tasks
from exports.dataset.tables import VERIFIED
from exports.erasure import batches, requests
from exports.erasure.batches import run_erasures
from exports.erasure.log import read_log
from exports.erasure.requests import request_erasure
from exports.hashes import index_hash
from exports.lake import rewrite
from exports.lake.deployment import deployment_lake
from exports.lake.storage import local_path
from exports.lake.sweep import sweep
from exports.models import ErasedOwner, Erasure, ErasureBatch, IndexEntry, VerifiedFile
from passes.codec.identity import hash_owner
from passes.models import Pass, Rating, Scan
from passes.services.erasure import erase_owners
from tests.exports.published import publish, published_rows, token_of
from tests.exports.rows import CLOSED, DAY, Place, a_pass, a_place, a_scan, a_scanned_pass, rate
from tests.passes.people import send

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("deployment")]

NEXT = DAY + dt.timedelta(days=1)
NOW = CLOSED + dt.timedelta(hours=1)


@pytest.fixture(autouse=True)
def worker(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Run no worker: tests carry the erasures out themselves. Return a list with one item for each task sent."""
    calls: list[int] = []
    monkeypatch.setattr(tasks.erase, "apply_async", lambda **_options: calls.append(1))
    return calls


@pytest.fixture
def place() -> Place:
    return a_place()


def owner(number: int) -> bytes:
    return hashlib.sha256(b"owner %d" % number).digest()


def published(place: Place, count: int = 60, *, day: dt.date = DAY, first: int = 0) -> list[Pass]:
    """Return passes with owners of these numbers, each with a row in the verified tier; every third has one yes."""
    rows = [
        a_scanned_pass(place, day=day, owner_hash=hash_owner(owner(first + number)), contact=number % 3 == 0)
        for number in range(count)
    ]
    publish(rows, day=day)
    return rows


def ask(*numbers: int) -> str:
    answer = send("POST", "/api/v1/erasures", {"owners": [b64encode(owner(each)) for each in numbers]}, now=NOW)
    assert answer.status_code == 202, answer.content
    return str(answer.json()["id"])


def receipt(capability: str) -> dict[str, Any]:
    answer = send("GET", f"/api/v1/erasures/{capability}", now=NOW)
    assert answer.status_code == 200, answer.content
    assert answer["Cache-Control"] == "no-store"
    found: dict[str, Any] = answer.json()
    return found


class TestTheRequest:
    def test_rows_leave_the_database_at_once_and_the_receipt_counts_them(self, place: Place, worker: list[int]) -> None:
        row = a_scanned_pass(place, owner_hash=hash_owner(owner(1)))
        a_scan(place, row, hour=14, kind="Checkout")
        rate(row, 4, 4)
        other = a_scanned_pass(place)
        capability = ask(1)
        assert [bytes(each.tag) for each in Pass.objects.all()] == [bytes(other.tag)]
        assert [bytes(each.tag or b"") for each in Scan.objects.all()] == [bytes(other.tag)]
        assert not Rating.objects.exists()
        found = receipt(capability)
        assert found["id"] == capability
        assert found["status"] == "queued"
        assert found["database"] == {"passes": 1, "scans": 2, "ratings": 1}
        assert found["lake"] == {"rows": 0, "objects": [], "proven": False}
        assert found["finished_at"] is None
        assert len(worker) == 1

    def test_a_broker_that_does_not_answer_leaves_the_erasure_to_the_schedule(
        self, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(**_options: object) -> None:
            raise BrokerAway

        monkeypatch.setattr(tasks.erase, "apply_async", refuse)
        a_scanned_pass(place, owner_hash=hash_owner(owner(1)))
        capability = ask(1)
        tasks.erase()
        assert receipt(capability)["status"] == "done"

    def test_unknown_owners_are_answered_like_known_ones(self, place: Place) -> None:
        a_scanned_pass(place, owner_hash=hash_owner(owner(1)))
        known, unknown = (
            send("POST", "/api/v1/erasures", {"owners": [b64encode(owner(number))]}, now=NOW) for number in (1, 2)
        )
        assert known.status_code == unknown.status_code == 202
        assert len(known.content) == len(unknown.content)
        run_erasures(now=NOW)
        assert {receipt(answer.json()["id"])["status"] for answer in (known, unknown)} == {"done"}

    @pytest.mark.parametrize("capability", ["A" * 22, "A" * 21, "x", "A" * 43, "A" * 21 + "B", "~" * 22])
    def test_unknown_and_impossible_ids_look_alike(self, capability: str) -> None:
        ask(1)
        answers = [send(method, f"/api/v1/erasures/{capability}", now=NOW) for method in ("GET", "DELETE")]
        assert {answer.status_code for answer in answers} == {404}
        usual = send("GET", "/api/v1/erasures/" + "B" * 21 + "A", now=NOW)
        assert {answer.content for answer in answers} == {usual.content}

    def test_a_list_of_wrong_owners_is_refused_and_none_is_fine(self) -> None:
        for owners in (["x"], "x", [b64encode(b"1" * 31)], [b64encode(owner(number)) for number in range(1001)]):
            answer = send("POST", "/api/v1/erasures", {"owners": owners}, now=NOW)
            assert answer.status_code == 400, owners
        ask()

    def test_the_capability_is_not_kept_and_the_request_only_until_it_is_done(self, place: Place) -> None:
        a_scanned_pass(place, owner_hash=hash_owner(owner(1)))
        capability = ask(1)
        row = Erasure.objects.get()
        kept = b"".join(bytes(value) for value in (row.receipt_hash, row.work) if value is not None)
        assert hash_owner(owner(1)) not in kept
        assert capability.encode() not in kept
        run_erasures(now=NOW)
        assert Erasure.objects.get().work is None

    def test_a_receipt_is_kept_for_90_days(self) -> None:
        ask(1)
        run_erasures(now=NOW)
        purge_expired(now=NOW + dt.timedelta(days=89))
        assert Erasure.objects.count() == 1
        purge_expired(now=NOW + dt.timedelta(days=90))
        assert Erasure.objects.count() == 0

    def test_asking_and_looking_cost_few_statements(self, place: Place) -> None:
        a_scanned_pass(place, owner_hash=hash_owner(owner(1)))
        with CaptureQueriesContext(
            connection,
        ) as asked:
            capability = ask(1, *range(2, 500))
        with CaptureQueriesContext(connection) as looked:
            receipt(capability)
        assert len(asked) <= 26
        assert len(looked) == 1


class TestTheLake:
    def test_rows_go_others_stay_and_the_receipt_lists_what_was_rewritten(self, place: Place) -> None:
        rows = published(place)
        published(place, 40, day=NEXT, first=100)
        before, gone = published_rows(), {token_of(rows[number]) for number in (3, 7)}
        capability = ask(3, 7)
        assert run_erasures(now=NOW) == 1
        assert published_rows() == [row for row in before if row["userid"] not in gone]
        found = receipt(capability)
        assert found["status"] == "done"
        assert found["database"]["passes"] == 2
        assert found["lake"] == {
            "rows": 2,
            "objects": [{"name": f"data/scan_date={DAY}/verified-{DAY}-00000.parquet", "before": 60, "after": 58}],
            "proven": True,
        }
        assert found["finished_at"] == "2026-05-17T07:00:00Z"
        assert "counts with noise" in found["open_tier"]
        assert IndexEntry.objects.count() == 98
        assert not ErasureBatch.objects.exists()

    def test_the_index_follows_files_to_their_new_names(self, place: Place) -> None:
        published(place)
        for number in range(3):
            capability = ask(number)
            assert run_erasures(now=NOW) == 1
            assert receipt(capability)["lake"]["objects"][0]["after"] == 59 - number
        with deployment_lake() as lake:
            names = [task.file.file_path for task in lake.table(VERIFIED).scan().plan_files()]
        assert [name.endswith(VerifiedFile.objects.get().name) for name in names] == [True]

    def test_a_row_is_found_when_its_pass_is_long_purged(self, place: Place) -> None:
        published(place)
        Pass.objects.all().delete()
        capability = ask(5)
        run_erasures(now=NOW + dt.timedelta(days=60))
        assert receipt(capability)["lake"]["rows"] == 1
        assert len(published_rows()) == 59

    def test_erasures_that_wait_together_are_one_commit_and_each_has_its_own_receipt(self, place: Place) -> None:
        published(place)
        published(place, 60, day=NEXT, first=100)
        first, second, third = ask(1, 2), ask(3, 101), ask(999)
        assert run_erasures(now=NOW) == 3
        with deployment_lake() as lake:
            assert len(lake.table(VERIFIED).metadata.snapshots) == 1
        objects = {name: receipt(name)["lake"]["objects"] for name in (first, second, third)}
        assert [len(objects[name]) for name in (first, second, third)] == [1, 2, 0]
        assert [receipt(name)["lake"]["rows"] for name in (first, second, third)] == [2, 2, 0]
        assert objects[first][0] == {"name": objects[second][0]["name"], "before": 60, "after": 57}

    def test_rows_of_a_class_that_fell_leave_the_index_too(self, place: Place) -> None:
        published(place, 30)
        capability = ask(0)
        run_erasures(now=NOW)
        assert receipt(capability)["lake"]["objects"][0]["after"] == 0
        assert (published_rows(), IndexEntry.objects.count(), VerifiedFile.objects.count()) == ([], 0, 0)
        assert receipt(ask(1))["status"] == "queued"
        assert run_erasures(now=NOW) == 1

    def test_nothing_found_where_the_index_says_there_should_be_is_an_error_of_that_erasure_alone(
        self, place: Place, caplog: pytest.LogCaptureFixture
    ) -> None:
        published(place)
        IndexEntry.objects.filter(pk=index_hash(hash_owner(owner(1)))).update(token=b"z" * 16)
        wrong, right = ask(1, 2), ask(3)
        assert run_erasures(now=NOW) == 1
        assert (receipt(wrong)["status"], receipt(right)["status"]) == ("failed", "done")
        assert receipt(wrong)["lake"] == {"rows": 0, "objects": [], "proven": False}
        assert len(published_rows()) == 59
        assert "not where the index says" in caplog.text

    def test_an_entry_with_an_unknown_file_is_an_error_too(self, place: Place) -> None:
        published(place)
        IndexEntry.objects.filter(pk=index_hash(hash_owner(owner(1)))).update(file_id=10**9)
        wrong, right = ask(1), ask(3)
        assert run_erasures(now=NOW) == 1
        assert (receipt(wrong)["status"], receipt(right)["status"]) == ("failed", "done")

    def test_a_row_that_the_proof_still_finds_is_an_error(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        published(place)
        capability = ask(1)
        monkeypatch.setattr(batches, "sweep", lambda **_: None)
        with pytest.raises(LookupError, match="still hold"):
            run_erasures(now=NOW)
        assert receipt(capability)["status"] == "running"
        monkeypatch.undo()
        assert run_erasures(now=NOW) == 1
        assert receipt(capability)["lake"]["proven"]

    def test_an_erasure_that_keeps_failing_is_given_up_and_says_so(
        self, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        published(place)
        capability = ask(1)

        def away(**_: object) -> None:
            raise OSError

        monkeypatch.setattr(batches, "sweep", away)
        for _ in range(batches.TRIES):
            with pytest.raises(OSError):
                run_erasures(now=NOW)
        found = receipt(capability)
        assert (found["status"], found["lake"]["proven"]) == ("failed", False)
        assert Erasure.objects.get().failure == "OSError"
        assert run_erasures(now=NOW) == 0


class TestCancelling:
    def test_an_erasure_that_waits_leaves_the_lake_as_it_is_and_may_be_asked_again(self, place: Place) -> None:
        published(place)
        capability = ask(1)
        answer = send("DELETE", f"/api/v1/erasures/{capability}", now=NOW)
        assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
        assert run_erasures(now=NOW) == 0
        assert len(published_rows()) == 60
        assert not Pass.objects.filter(owner_hash=hash_owner(owner(1))).exists()
        again = ask(1)
        run_erasures(now=NOW)
        assert receipt(again)["lake"]["rows"] == 1

    def test_other_erasures_continue_when_one_is_cancelled_just_before_the_commit(
        self, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        published(place)
        first, second = ask(1), ask(2)
        real: Callable[..., None] = batches._write_plan

        def cancel_then_write(*arguments: Any) -> None:
            send("DELETE", f"/api/v1/erasures/{first}", now=NOW)
            real(*arguments)

        monkeypatch.setattr(batches, "_write_plan", cancel_then_write)
        assert run_erasures(now=NOW) == 1
        assert (receipt(first)["status"], receipt(second)["status"]) == ("cancelled", "done")
        assert len(published_rows()) == 59

    def test_after_the_commit_it_is_too_late_and_the_answer_says_so(
        self, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        published(place)
        capability, seen = ask(1), []
        real = sweep

        def cancel_then_sweep(**values: Any) -> Any:
            seen.append(send("DELETE", f"/api/v1/erasures/{capability}", now=NOW).json()["status"])
            return real(**values)

        monkeypatch.setattr(batches, "sweep", cancel_then_sweep)
        run_erasures(now=NOW)
        assert seen == ["running"]
        assert receipt(capability)["status"] == "done"
        assert send("DELETE", f"/api/v1/erasures/{capability}", now=NOW).json()["status"] == "done"


class TestTakenUpAgain:
    @pytest.mark.parametrize(
        ("module", "step"),
        [
            (batches, "copy_log"),
            (batches, "erase_rows"),
            (rewrite, "replace_files"),
            (batches, "_clean_index"),
            (batches, "sweep"),
            (batches, "prove_absence"),
            (batches, "_finish"),
        ],
    )
    def test_a_worker_that_dies_at_any_step_loses_nothing(
        self, place: Place, module: Any, step: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rows = published(place)
        before, gone = published_rows(), token_of(rows[4])
        capability = ask(4)

        def die(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            patched.setattr(module, step, die)
            with pytest.raises(KeyboardInterrupt):
                run_erasures(now=NOW)
        assert receipt(capability)["status"] in ("queued", "running")
        assert run_erasures(now=NOW) == 1
        assert published_rows() == [row for row in before if row["userid"] != gone]
        found = receipt(capability)
        assert found["status"] == "done"
        assert found["database"]["passes"] == 1
        assert found["lake"]["rows"] == 1
        assert [(each["before"], each["after"]) for each in found["lake"]["objects"]] == [(60, 59)]
        assert not IndexEntry.objects.filter(pk=index_hash(hash_owner(owner(4)))).exists()

    def test_a_commit_after_which_a_release_wrote_is_still_known(
        self, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        published(place)
        capability = ask(4)

        def die(*_: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            patched.setattr(batches, "_clean_index", die)
            with pytest.raises(KeyboardInterrupt):
                run_erasures(now=NOW)
        published(place, 40, day=NEXT, first=100)
        other = ask(101)
        assert run_erasures(now=NOW) == 2
        assert receipt(capability)["lake"]["rows"] == receipt(other)["lake"]["rows"] == 1
        assert len(published_rows()) == 59 + 39

    def test_a_server_that_dies_while_it_erases_is_helped_by_the_worker(
        self, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for number in range(6):
            a_scanned_pass(place, owner_hash=hash_owner(owner(number)))
        real, calls = erase_owners, []

        def die_at_the_third(owners: Any, now: dt.datetime) -> Any:
            calls.append(1)
            if len(calls) == 3:
                raise KeyboardInterrupt
            return real(owners, now)

        with monkeypatch.context() as patched:
            patched.setattr(requests, "erase_owners", die_at_the_third)
            with pytest.raises(KeyboardInterrupt):
                request_erasure(owner_hashes=[hash_owner(owner(number)) for number in range(6)], now=NOW)
        assert Pass.objects.count() == 4
        assert run_erasures(now=NOW) == 1
        assert not Pass.objects.exists()
        assert (Erasure.objects.get().passes, Erasure.objects.get().status) == (6, "done")


class TestTheLog:
    def test_what_was_erased_is_known_by_its_keyed_hash_alone_and_copied_to_the_lake_s_storage(
        self, place: Place
    ) -> None:
        published(place)
        request_erasure(owner_hashes=[hash_owner(owner(number)) for number in (1, 2, 999)], now=NOW)
        run_erasures(now=NOW)
        expected = {index_hash(hash_owner(owner(number))): NOW.date() for number in (1, 2)}
        assert {bytes(row.pk): row.erased_on for row in ErasedOwner.objects.all()} == expected
        with deployment_lake() as lake:
            assert read_log(lake=lake) == expected
            body = (local_path(lake.storage.url) / "erasures" / NOW.date().isoformat()).read_bytes()
        assert body == b"".join(sorted(expected))

    def test_the_copy_never_loses_a_hash_before_its_term(self, place: Place) -> None:
        """As after a restore, when the database knows less than the storage."""
        for number in (1, 2, 3):
            a_scanned_pass(place, owner_hash=hash_owner(owner(number)))
        ask(1)
        run_erasures(now=NOW)
        ErasedOwner.objects.all().delete()
        ask(2)
        run_erasures(now=NOW)
        with deployment_lake() as lake:
            assert len(read_log(lake=lake)) == 2
        request_erasure(owner_hashes=[hash_owner(owner(3))], now=NOW + dt.timedelta(days=18))
        run_erasures(now=NOW + dt.timedelta(days=18))
        with deployment_lake() as lake:
            assert set(read_log(lake=lake)) == {index_hash(hash_owner(owner(3)))}


class TestForget:
    def test_the_command_erases_a_file_of_owners_and_prints_the_receipt(
        self, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def unasked(*_: object, **__: object) -> None:
            raise AssertionError("the command works itself; there may be no broker")

        monkeypatch.setattr(tasks.erase, "apply_async", unasked)
        published(place)
        file = tmp_path / "owners"
        file.write_text("".join(b64encode(owner(number)) + "\n" for number in range(5)) + "\n")
        out = StringIO()
        call_command("forget", "--owners", str(file), stdout=out)
        printed = json.loads(out.getvalue())
        assert printed["status"] == "done"
        assert (printed["database"]["passes"], printed["lake"]["rows"]) == (5, 5)
        assert len(published_rows()) == 55

    def test_a_file_with_a_byte_order_mark_is_read_and_a_missing_one_gets_a_message(
        self, place: Place, tmp_path: Path
    ) -> None:
        a_pass(place, owner_hash=hash_owner(owner(1)))
        file = tmp_path / "owners"
        file.write_text(b64encode(owner(1)) + "\r\n", encoding="utf-8-sig")
        call_command("forget", "--owners", str(file), stdout=StringIO())
        assert Pass.objects.count() == 0
        with pytest.raises(CommandError, match="There is no file"):
            call_command("forget", "--owners", str(tmp_path / "absent"))
        with pytest.raises(CommandError, match="is a folder"):
            call_command("forget", "--owners", str(tmp_path))

    def test_an_invalid_owner_stops_it_before_anything_is_erased(self, place: Place, tmp_path: Path) -> None:
        a_pass(place, owner_hash=hash_owner(owner(1)))
        file = tmp_path / "owners"
        file.write_text(b64encode(owner(1)) + "\nnot an owner\n")
        with pytest.raises(CommandError, match="line 2"):
            call_command("forget", "--owners", str(file))
        assert Pass.objects.count() == 1
