"""After a restore: what the log names is erased again."""

import datetime as dt

import pytest
from django.core.management import call_command

from exports.erasure.batches import run_erasures
from exports.erasure.log import read_log
from exports.erasure.requests import request_again, request_erasure
from exports.hashes import index_hash
from exports.lake.deployment import deployment_lake
from exports.models import ErasedOwner, Erasure, IndexEntry
from passes.codec.identity import hash_owner
from passes.models import Pass, Scan
from tests.exports.published import publish, published_rows, token_of
from tests.exports.rows import CLOSED, DAY, Place, a_place, a_scanned_pass

pytestmark = pytest.mark.django_db(transaction=True)

NOW = CLOSED + dt.timedelta(hours=1)
LATER = NOW + dt.timedelta(days=2)


def owner_hash(number: int) -> bytes:
    return hash_owner(bytes([number]) * 32)


def published(place: Place, count: int = 60) -> list[Pass]:
    """Create passes with owners of these numbers, each scanned and with a row in the verified tier."""
    rows = [a_scanned_pass(place, owner_hash=owner_hash(number), contact=number % 3 == 0) for number in range(count)]
    publish(rows, day=DAY)
    return rows


def erase(*numbers: int) -> None:
    request_erasure(owner_hashes=map(owner_hash, numbers), now=NOW)
    run_erasures(now=NOW)


def log() -> dict[bytes, dt.date]:
    with deployment_lake() as lake:
        return read_log(lake=lake)


@pytest.mark.usefixtures("deployment")
class TestAskedAgain:
    """A restored database: rows of holders who erased are back."""

    def test_passes_and_published_rows_go_again_and_the_log_has_its_days_back(self) -> None:
        place = a_place()
        for number in (1, 2):
            a_scanned_pass(place, owner_hash=owner_hash(number))
        erase(1, 2)
        ErasedOwner.objects.all().delete()
        rows = published(place)
        gone = {token_of(rows[number]) for number in (1, 2)}
        kept = [row for row in published_rows() if row["userid"] not in gone]
        assert request_again(known=log(), now=LATER) is not None
        assert run_erasures(now=LATER) == 1
        assert published_rows() == kept
        assert not Pass.objects.filter(owner_hash__in=[owner_hash(1), owner_hash(2)]).exists()
        assert Pass.objects.count() == Scan.objects.count() == IndexEntry.objects.count() == 58
        assert set(ErasedOwner.objects.values_list("erased_on", "copied")) == {(NOW.date(), True)}
        done = Erasure.objects.get(asked_at=LATER)
        assert (done.status, done.passes, done.scans, done.rows, done.proven) == ("done", 2, 2, 2, True)
        assert done.work is None

    def test_a_row_whose_pass_is_purged_goes_by_its_index_hash_alone(self) -> None:
        place = a_place()
        a_scanned_pass(place, owner_hash=owner_hash(1))
        erase(1)
        gone = token_of(published(place)[1])
        Pass.objects.all().delete()
        assert request_again(known=log(), now=LATER) is not None
        run_erasures(now=LATER)
        assert len(published_rows()) == 59
        assert gone not in {row["userid"] for row in published_rows()}
        assert not IndexEntry.objects.filter(pk=index_hash(owner_hash(1))).exists()

    def test_a_worker_that_died_in_the_middle_goes_on(self, monkeypatch: pytest.MonkeyPatch) -> None:
        place = a_place()
        a_scanned_pass(place, owner_hash=owner_hash(1))
        erase(1)
        published(place)

        def die(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            patched.setattr("exports.erasure.requests.erase_owners", die)
            with pytest.raises(KeyboardInterrupt):
                request_again(known=log(), now=LATER)
        assert Pass.objects.count() == 60
        run_erasures(now=LATER)
        assert Pass.objects.count() == len(published_rows()) == 59

    def test_the_command_says_when_nothing_has_to_be_erased_and_does_not_ask(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        place = a_place()
        published(place)
        erase(1)
        before = published_rows()
        assert request_again(known=log(), now=LATER) is None
        call_command("forget", "--again")
        assert capsys.readouterr().out == "Nothing to erase: of 1 owners in the log of erasures nothing is here.\n"
        assert (published_rows(), Erasure.objects.count(), Pass.objects.count()) == (before, 1, 59)
