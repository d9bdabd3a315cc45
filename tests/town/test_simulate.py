"""A town through the real services: what is written, what is not, and that the seed determines it."""

import datetime as dt
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from common.crypto import b64decode
from common.purge import purge_expired
from common.time import utc_now
from crowdtrace.town import demonstration, simulation
from crowdtrace.town.world.plan import TownPlan
from passes.codec.identity import hash_owner
from passes.models import Pass, Rating, Scan, Visit, Visitor
from venues.models import Organisation, Venue

pytestmark = pytest.mark.django_db
START = "2026-03-02"


def simulate(folder: Path, *more: str, seed: int = 3, start: str = START) -> dict[str, Any]:
    out = io.StringIO()
    call_command(
        "simulate", "--visitors=150", "--venues=12", "--days=3", f"--seed={seed}", f"--start={start}",
        f"--truth-out={folder}", *more, stdout=out, stderr=io.StringIO(),
    )  # fmt: skip
    answer: dict[str, Any] = json.loads(out.getvalue())
    return answer


def answers_by_owner() -> dict[bytes, tuple[Any, ...]]:
    columns = ("venue__public_id", "epoch", "symptoms", "diagnosed", "contact", "near", "go", "survey_seconds")
    return {bytes(owner): tuple(rest) for owner, *rest in Pass.objects.values_list("owner_hash", *columns)}


def test_written_rows_agree_with_the_truth(tmp_path: Path) -> None:
    told = simulate(tmp_path)
    truth = pq.read_table(tmp_path / "visits.parquet").to_pylist()
    mine = [row for row in truth if row["has_app"]]
    assert told["passes"] == Pass.objects.count()
    assert told["visits"] == Visit.objects.count() == len(mine) == Pass.objects.filter(go=True).count()
    assert Scan.objects.filter(approved=False).count() == 0
    assert Rating.objects.count() >= told["ratings"] > 0  # those of the full chain come on top
    stored = answers_by_owner()
    ids = pq.read_table(tmp_path / "venues.parquet")["id"].to_pylist()
    for row in mine:
        venue, epoch, *_rest = stored[hash_owner(row["owner"])]
        assert (venue, epoch) == (ids[row["venue"]], dt.date(2026, 3, 2) + dt.timedelta(days=row["day"]))


def test_one_visitor_in_a_hundred_uses_the_full_chain(tmp_path: Path) -> None:
    told = simulate(tmp_path)
    assert told["full_chain"] > 0
    assert Visitor.objects.count() == 1


def test_the_same_seed_writes_the_same_rows(tmp_path: Path) -> None:
    simulate(tmp_path / "one")
    first, ids = answers_by_owner(), set(Venue.objects.values_list("public_id", flat=True))
    for model in (Rating, Scan, Visit, Pass, Visitor):
        model.objects.all().delete()
    Organisation.objects.all().delete()
    simulate(tmp_path / "two")
    assert answers_by_owner() == first
    assert set(Venue.objects.values_list("public_id", flat=True)) == ids


def test_the_truth_is_not_in_the_database(tmp_path: Path) -> None:
    simulate(tmp_path)
    infected = pq.read_table(tmp_path / "people.parquet")["infected_day"].to_numpy()
    assert (infected < 3).any()
    names = {field.name for model in (Pass, Scan, Visit) for field in model._meta.get_fields()}
    assert not names & {"person", "infector", "infected", "emission", "quanta", "household"}
    owners = {bytes(one) for one in Pass.objects.values_list("owner_hash", flat=True)}
    raw = [row["owner"] for row in pq.read_table(tmp_path / "visits.parquet").to_pylist() if row["owner"]]
    assert not owners & set(raw)


def test_the_owners_file_holds_owners_of_rows_one_a_line(tmp_path: Path) -> None:
    path = tmp_path / "owners.txt"
    told = simulate(tmp_path, f"--owners-out={path}")
    owners = [b64decode(line, length=32) for line in path.read_text().splitlines()]
    assert len(owners) == told["owners"] > 0
    assert Pass.objects.filter(owner_hash__in=[hash_owner(owner) for owner in owners]).count() == len(owners)
    assert path.stat().st_mode & 0o077 == 0


def test_simulated_venues_are_verified_and_a_past_town_keeps_its_own_clock(tmp_path: Path) -> None:
    simulate(tmp_path)
    for organisation in Organisation.objects.all():
        assert organisation.verified_at is not None
        assert organisation.simulated_until == dt.datetime(2026, 3, 5, 4, tzinfo=dt.UTC)
    before = Visit.objects.count()
    purge_expired(now=utc_now())
    assert Visit.objects.count() == before
    assert not Pass.objects.exclude(anchor=None).exists()


def test_a_home_with_more_than_the_demonstration_is_refused(tmp_path: Path) -> None:
    demonstration.ensure_demonstration(now=utc_now())
    simulate(tmp_path / "one")
    with pytest.raises(CommandError, match="more than the demonstration"):
        simulate(tmp_path / "two", seed=4)
    assert simulate(tmp_path / "two", "--add", seed=4)["passes"] > 0
    with pytest.raises(CommandError, match="choose another seed"):
        simulate(tmp_path / "three", "--add", seed=4)


def test_start_and_days_are_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plans: list[TownPlan] = []

    def remember(*, plan: TownPlan, **_: Any) -> simulation.SimulationSummary:
        plans.append(plan)
        return simulation.SimulationSummary()

    monkeypatch.setattr(simulation, "simulate_town", remember)
    call_command("simulate", f"--start={START}", "--days=20", f"--truth-out={tmp_path}", stdout=io.StringIO())
    [plan] = plans
    assert (plan.days, plan.start) == (20, dt.date(2026, 3, 2))
    assert (plan.visitors, plan.venues) == (5000, 120)


def test_an_invalid_plan_is_refused_with_a_message(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="visitors must be between"):
        call_command("simulate", "--visitors=0", "--venues=1", "--days=1", "--seed=1", f"--truth-out={tmp_path}")


def test_an_impossible_plan_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="not a date like"):
        simulate(tmp_path, start="yesterday")
    with pytest.raises(CommandError, match="folder of --owners-out"):
        simulate(tmp_path, f"--owners-out={tmp_path / 'nowhere' / 'owners.txt'}")
    with pytest.raises(CommandError, match="--owners-out is a folder"):
        simulate(tmp_path, f"--owners-out={tmp_path}")
    (tmp_path / "a file").touch()
    with pytest.raises(CommandError, match="--truth-out is a file"):
        simulate(tmp_path, f"--truth-out={tmp_path / 'a file'}")
    (tmp_path / "a file").unlink()
    assert not Organisation.objects.exists()
    assert not list(tmp_path.iterdir())


def test_a_town_does_not_start_in_the_future(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="ends in the past"):
        simulate(tmp_path, start="2999-01-01")


def test_every_verdict_of_a_full_chain_visitor_is_green(tmp_path: Path) -> None:
    simulate(tmp_path)
    people = pq.read_table(tmp_path / "visits.parquet").to_pandas()
    assert np.isfinite(people["quanta"]).all()
    assert set(Scan.objects.values_list("cause", flat=True)) == {""}
