"""A contest cannot be won by guessing: neither seeds, nor scores, nor answers that are blind to places."""

import dataclasses
import datetime as dt
import hashlib
import io
import json
import stat
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from crowdtrace.town import contest as making
from crowdtrace.town.open_release import drawn_days, exact_counts, levels_of, open_tables
from crowdtrace.town.rows import Rows
from crowdtrace.town.simulation import simulate_town
from crowdtrace.town.world.places import make_areas
from crowdtrace.town.world.plan import TownPlan
from crowdtrace.town.world.town import Town
from exports.benchmark import contest
from exports.benchmark.leaderboard import read_leaderboard
from exports.benchmark.score import score
from exports.benchmark.submissions import RefusedError, team_key, team_name
from exports.policy.domain import workloads
from exports.release import counts as released
from exports.release.risklevels import levels_on
from risk.crowd.parameters import parameters_at_start
from risk.model.parameters import Parameters
from venues.services.accounts import sign_up

pytestmark = pytest.mark.django_db
SEEDS = tuple(int.from_bytes(hashlib.sha256(f"town {number}".encode()).digest()[:16]) for number in range(3))
NOW = dt.datetime(2021, 6, 1, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("contest") / "towns"
    parameters, seeds = parameters_at_start(), iter(SEEDS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(making, "new_seed", lambda: next(seeds))  # so that every run has the same towns
        _make(made, parameters)
    return made


def _make(made: Path, parameters: Parameters) -> None:
    making.make_contest(
        made, learn=1, held_back=2, visitors=3000, days=7, submissions=3, budget=1.0, parameters=parameters
    )


def evaluate(file: Path, folder: Path, *options: str) -> dict[str, Any]:
    out = io.StringIO()
    call_command("evaluate", str(file), "--contest", str(folder), *options, stdout=out)
    answer: dict[str, Any] = json.loads(out.getvalue())
    return answer


@pytest.fixture
def log(folder: Path) -> Any:
    """Clear the submissions of other tests."""
    (folder / "kept" / "submissions.jsonl").unlink(missing_ok=True)
    return folder / "kept" / "submissions.jsonl"


def held_back(folder: Path) -> pd.DataFrame:
    rows = pd.read_csv(folder / "open" / "baseline.csv", dtype={"zip": str})
    return rows[rows["town"] != "town-1"]


class TestSeeds:
    """The seed determines a town, so nobody may find it."""

    def test_seeds_have_128_bits_and_are_in_no_file_that_is_handed_out(self, folder: Path) -> None:
        plans = json.loads((folder / "kept" / "plans.json").read_text())
        seeds = [int(plan["seed"]) for plan in plans.values()]
        assert seeds == list(SEEDS)
        drawn = {making.new_seed() for _ in range(50)}
        assert len(drawn) == 50
        assert max(drawn).bit_length() > 120
        assert stat.S_IMODE((folder / "kept").stat().st_mode) == 0o700
        assert stat.S_IMODE((folder / "kept" / "plans.json").stat().st_mode) == 0o600
        for path in (folder / "open").rglob("*"):
            content = path.read_bytes() if path.is_file() else b""
            for seed in seeds:
                assert str(seed).encode() not in content
                assert f"{seed:x}".encode() not in content

    def test_a_search_of_small_seeds_finds_a_small_one_and_none_of_a_contest(self, folder: Path) -> None:
        """The attack: the seed determines areas and their sizes, and the release contains both.

        The noise is drawn again in each run, so the attack takes the seed with these areas and the likeliest sizes.
        """

        def found(checkins: pd.Series, plan: TownPlan) -> int | None:
            likely: dict[int, float] = {}
            for seed in range(60):
                tried = dataclasses.replace(plan, seed=seed)
                if set(make_areas(tried).zip3) == set(checkins.index):
                    town = Town(tried)
                    visits = np.bincount(town.venues.area[town.next_day().stays.venue], minlength=len(checkins))
                    same = pd.Series(visits, index=list(town.areas.zip3)).reindex(checkins.index)
                    likely[seed] = float(np.corrcoef(same, checkins)[0, 1])
            return max(likely, key=lambda seed: likely[seed]) if likely else None

        def released_checkins(signals: pd.DataFrame) -> pd.Series:
            here = signals[
                (signals["geo_type"] == "zip3") & (signals["signal"] == "checkins") & (signals["geo_value"] != "")
            ]
            return here[here["time_value"] == here["time_value"].min()].set_index("geo_value")["value"]

        plans = json.loads((folder / "kept" / "plans.json").read_text())
        start = dt.date(2020, 10, 1)
        small = TownPlan(visitors=2500, venues=30, days=1, seed=45, start=start, parameters=parameters_at_start())
        [(_day, _date, drawn)] = drawn_days(Town(small), budget=1.0)
        assert found(released_checkins(open_tables(drawn)["signals"].to_pandas()), small) == 45
        for name in ("town-2", "town-3"):
            signals = pq.read_table(folder / "open" / name / "signals.parquet").to_pandas()
            assert found(released_checkins(signals), dataclasses.replace(small, venues=plans[name]["venues"])) is None

    def test_plans_vary(self) -> None:
        made = [
            making.varied_plan(making.new_seed(), visitors=10_000, days=28, parameters=parameters_at_start())
            for _ in range(6)
        ]
        for name in ("visitors", "venues", "start", "app_share", "first_infected", "activity"):
            assert len({getattr(plan, name) for plan in made}) >= 5
        assert all(6000 <= plan.visitors <= 16_000 for plan in made)


class TestScore:
    """The places of cases count, not their times."""

    def test_an_answer_blind_to_areas_gets_nothing_even_with_the_true_course(self, folder: Path) -> None:
        for town in contest.towns_held_back(folder):
            days = town.truth.groupby("day").sum().eval("infectious / visits")
            blind = days.reindex(town.truth.index, level="day")
            assert score(blind, town.truth).rank == 0
            assert score(blind, town.truth).calibration < 0.5
            usual = score(contest.baseline_shares(town), town.truth)
            assert usual.rank != 0
            assert score(town.truth["infectious"] / town.truth["visits"], town.truth).rank == pytest.approx(1)

    def test_it_is_not_had_by_noise_on_a_blind_answer(self, folder: Path) -> None:
        random = np.random.default_rng(1)
        [town, _] = contest.towns_held_back(folder)
        tried = [
            score(pd.Series(random.random(len(town.truth)), index=town.truth.index), town.truth) for _ in range(20)
        ]
        assert abs(np.mean([each.rank for each in tried])) < 0.1


class TestSubmissions:
    """Scores of the towns held back are limited in number and logged."""

    def test_a_team_has_three_and_its_name_has_one_form(self, folder: Path, log: Path, tmp_path: Path) -> None:
        file = tmp_path / "mine.csv"
        held_back(folder).to_csv(file, index=False)
        left = [
            evaluate(file, folder, "--team", name)["submissions_left"] for name in ("Team A", " team  a", "ＴＥＡＭ-A")
        ]
        assert left == [2, 1, 0]
        for name in ("Team A", "team\u200ba", "TEAMA"):
            with pytest.raises(CommandError, match="has used its 3 submissions"):
                evaluate(file, folder, "--team", name)
        entries = [json.loads(line) for line in log.read_text().splitlines()]
        assert len(entries) == 3
        assert len({each["sha256"] for each in entries}) == 1
        assert evaluate(file, folder, "--team", "B")["submissions_left"] == 2

    @pytest.mark.parametrize(
        "name",
        [
            "ALPHA 10",
            "álpha 10",
            "al-pha 1O",
            "Alpha lo",
            "alpha\u200b 10",
            "ａｌｐｈａ １０",
            "a l p h a 1 0",
            "Alpha\u0301 10",
        ],
    )
    def test_names_that_look_alike_are_one_team(self, name: str) -> None:
        assert team_key(team_name(name)) == team_key(team_name("Alpha 10"))

    @pytest.mark.parametrize("name", ["Аlpha", "αlpha", "ɑlpha", "al\u3164pha", "Ꭺlpha", "队", "alphа"])
    def test_a_name_in_letters_that_look_like_latin_ones_is_refused(self, name: str) -> None:
        with pytest.raises(RefusedError, match="Latin letters or digits"):
            team_name(name)

    @pytest.mark.parametrize("name", ["baseline", "Base Line", "BASELlNE"])
    def test_no_team_has_the_name_of_the_baseline(self, name: str) -> None:
        with pytest.raises(RefusedError, match="name of the baseline"):
            team_name(name)

    @pytest.mark.parametrize(
        "line",
        ["no line", "[]", '{"team": "A"}', '{"team": 5, "at": "", "sha256": "", "scores": null}', "\ud800"],
    )
    def test_a_log_that_was_changed_by_hand_is_named(self, folder: Path, log: Path, tmp_path: Path, line: str) -> None:
        file = tmp_path / "mine.csv"
        held_back(folder).to_csv(file, index=False)
        log.write_bytes(line.encode(errors="surrogatepass") + b"\n")
        with pytest.raises(CommandError, match=r"submissions\.jsonl is not as it was written"):
            evaluate(file, folder, "--team", "A")

    def test_scores_are_of_all_towns_together_and_in_few_digits(self, folder: Path, log: Path, tmp_path: Path) -> None:
        file = tmp_path / "mine.csv"
        rows = held_back(folder)
        rows.to_csv(file, index=False)
        said = evaluate(file, folder, "--team", "A")
        assert said["towns"] == 2
        assert said["skill"] == 0
        for name in ("main", "rank", "calibration", "deviance"):
            assert said[name] == round(said[name], 3)
        changed = rows.copy()
        changed.iloc[0, changed.columns.get_loc("share")] += 1e-6
        changed.to_csv(file, index=False)
        assert evaluate(file, folder, "--team", "A")["rank"] == said["rank"]

    def test_a_file_that_cannot_be_scored_costs_nothing_and_says_why(
        self, folder: Path, log: Path, tmp_path: Path
    ) -> None:
        file = tmp_path / "mine.csv"
        held_back(folder).iloc[1:].to_csv(file, index=False)
        with pytest.raises(CommandError, match="town-2: 1 predictions are missing"):
            evaluate(file, folder, "--team", "A")
        with pytest.raises(CommandError, match="There is no file"):
            evaluate(tmp_path / "absent.csv", folder, "--team", "A")
        with pytest.raises(CommandError, match="letters or digits"):
            evaluate(file, folder, "--team", " - ")
        held_back(folder).to_csv(file, index=False, encoding="utf-8-sig")
        assert evaluate(file, folder, "--team", "A")["submissions_left"] == 2

    def test_towns_to_learn_are_scored_without_limit(self, folder: Path, log: Path, tmp_path: Path) -> None:
        file = tmp_path / "mine.csv"
        assert evaluate(file, folder, "--write-baseline")["lines"] > 10
        for _ in range(5):
            assert evaluate(file, folder)["skill"] == pytest.approx(0)
        assert not log.exists()
        assert not (folder / "open" / "town-2" / "truth.csv").exists()
        assert (folder / "open" / "town-1" / "truth.csv").exists()

    def test_the_leaderboard_has_the_best_of_each_team_and_the_baseline(
        self, folder: Path, log: Path, tmp_path: Path
    ) -> None:
        file = tmp_path / "mine.csv"
        truth = pd.concat(
            town.truth.eval("infectious / visits").rename("share").reset_index().assign(town=town.name)
            for town in contest.towns_held_back(folder)
        )
        truth.assign(share=0.1).to_csv(file, index=False)
        evaluate(file, folder, "--team", "Oracle")
        truth.to_csv(file, index=False)
        evaluate(file, folder, "--team", "oracle")
        lines = read_leaderboard(folder / "open")
        assert lines is not None
        assert [line["team"] for line in lines] == ["oracle", "baseline"]
        assert (lines[0]["rank"], lines[0]["submissions"], lines[0]["place"]) == (1, 2, 1)


def test_every_town_has_the_tables_of_a_release_and_no_person(folder: Path) -> None:
    for name in ("town-1", "town-2", "town-3"):
        here = folder / "open" / name
        rows = pq.read_table(here / "rows.parquet").to_pandas()
        assert rows["userid"].isna().all()
        assert len(rows) > 1000
        signals = pq.read_table(here / "signals.parquet").to_pandas()
        assert {"nation", "state", "zip3"} <= set(signals["geo_type"])
        assert (signals["stderr"] > 0).all()
    assert json.loads((folder / "open" / "about.json").read_text())["simulated"] is True


def test_a_day_is_counted_as_the_database_counts_it(tmp_path: Path) -> None:
    """Compare the rows that a simulation writes, counted by their statement, with the columns."""
    plan = TownPlan(
        visitors=300, venues=20, days=1, seed=5, start=dt.date(2021, 5, 20), parameters=parameters_at_start()
    )
    owner = sign_up(username="simulation", password="a long enough one", now=NOW)
    simulate_town(plan=plan, owner=owner, label="Town", truth_folder=tmp_path / "truth", now=NOW)
    town = Town(plan)
    zips = sorted(set(town.areas.zip3))
    tables = workloads(zip3=zips, readings=False)
    levels = levels_on(day=plan.start, zip3=["", *zips]).by_zip3
    theirs = released.exact_counts(day=plan.start, tables=tables, levels=levels)
    day = town.next_day()
    rows = Rows.of_whole(day, town)
    ours = exact_counts(
        rows=rows, marked=np.ones(rows.number.size, bool), day=day, town=town, tables=tables, levels=levels_of(town)
    )
    assert levels == levels_of(town)
    for table in tables:
        # The database has the coin's nine in ten, and one visitor of the full chain whose coins are the service's.
        assert np.abs(ours[table.name] - theirs[table.name] / 0.9).sum() < 0.35 * ours[table.name].sum(), table.name
        assert ((ours[table.name] > 0) | (theirs[table.name] == 0)).all(), table.name


def test_an_existing_folder_and_a_missing_contest_give_messages(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="exists"):
        call_command("benchmark", str(folder))
    with pytest.raises(CommandError, match="at least one town"):
        call_command("benchmark", str(tmp_path / "new"), "--learn", "0")
    file = tmp_path / "mine.csv"
    file.write_text("town,day,zip,share\n")
    with pytest.raises(CommandError, match="holds no truth"):
        evaluate(file, tmp_path / "nowhere")
    with pytest.raises(CommandError, match="requires --contest"):
        call_command("evaluate", str(file), "--team", "A")
