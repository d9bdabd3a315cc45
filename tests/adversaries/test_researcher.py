"""A researcher who reads what is published and knows something about a person, such as three of their visits."""

import datetime as dt
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benchmarks.days import Day, simulated_day
from exports.dataset.tables import ANSWERS, states_by_zip3
from exports.policy.domain import workloads
from exports.policy.draw import draw
from exports.policy.fit import fit
from exports.policy.rows import SyntheticDay, deal
from exports.policy.verified import QUASI, SENSITIVE, ClassPolicy
from tests.exports.policy.classes import class_of, generalise

ROOT = Path(__file__).parents[2]
POLICY = ClassPolicy()
DATE = dt.date(2020, 10, 15)
KNOWN_VISITS = 3
PEOPLE = 3000
DAYS = 10


def measure(job: dict[str, Any]) -> dict[str, Any]:
    """Run `tests/exports/anonymity_check.py` in the second environment."""
    python = os.environ.get("CROWDTRACE_PEERS") or str(ROOT / ".venv-peers" / "bin" / "python")
    done = subprocess.run(
        [python, str(ROOT / "tests" / "exports" / "anonymity_check.py")],
        input=json.dumps(job),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def a_town(seed: int = 1) -> pd.DataFrame:
    """Return at most one visit per person and day: each has a home area and a preferred hour, with exceptions."""
    rng = np.random.default_rng(seed)
    home, likes = rng.integers(0, 8, PEOPLE), rng.integers(8, 21, PEOPLE)
    parts = []
    for day in range(DAYS):
        out = np.flatnonzero(rng.random(PEOPLE) < 0.6)
        area = np.where(rng.random(out.size) < 0.8, home[out], rng.integers(0, 8, out.size))
        hour = np.where(rng.random(out.size) < 0.5, likes[out], rng.integers(7, 23, out.size))
        parts.append(
            pd.DataFrame(
                {
                    "person": out,
                    "day": day,
                    "zip": [f"{100 + each}" for each in area],
                    "hour": [f"{each:02d}" for each in hour],
                    "readingtype": np.where(rng.random(out.size) < 0.5, "Gate", "Personal"),
                    "accesslevel": "Public",
                    "type_of_scan": np.where(rng.random(out.size) < 0.4, "Checkout", "Checkin"),
                    "capacity": rng.choice(["10", "100", "1000"], out.size),
                }
                | {name: rng.random(out.size) < 0.1 for name in SENSITIVE}
            )
        )
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def town() -> pd.DataFrame:
    return a_town()


@pytest.fixture(scope="module")
def published(town: pd.DataFrame) -> pd.DataFrame:
    """Return the verified rows of each day, as a reader sees them; `person` is added to check guesses."""
    days = []
    for _, rows in town.groupby("day"):
        counts = rows.groupby([*QUASI, *SENSITIVE], as_index=False).size().rename(columns={"size": "count"})
        shown = class_of(rows, generalise(counts, POLICY))
        days.append(shown.join(rows[["person", "day", *SENSITIVE]]))
    return pd.concat(days, ignore_index=True)


class TestThreeKnownVisits:
    """The adversary saw a person at three places, to the hour, and wants the rest of their visits."""

    def targets(self, town: pd.DataFrame, count: int = 200) -> list[tuple[int, pd.DataFrame]]:
        rng = np.random.default_rng(7)
        often = town.groupby("person").filter(lambda rows: len(rows) > KNOWN_VISITS)
        people = rng.choice(often["person"].unique(), count, replace=False)
        return [(int(one), often[often["person"] == one].sample(KNOWN_VISITS, random_state=1)) for one in people]

    def test_stable_tokens_would_let_it_succeed_for_nearly_everybody(self, town: pd.DataFrame) -> None:
        """The measure works: the same rows, only to the hour and ZIP, with one token per person."""
        won = 0
        tokens_at = {key: set(rows) for key, rows in town.groupby(["day", "zip", "hour"])["person"]}
        for person, seen in self.targets(town):
            found = [tokens_at[row.day, row.zip, row.hour] for row in seen.itertuples()]
            won += set.intersection(*found) == {person}
        assert won / 200 > 0.9

    def test_on_our_rows_it_is_no_better_than_guessing_within_a_class(
        self, town: pd.DataFrame, published: pd.DataFrame
    ) -> None:
        """A token is in one row, so three visits lead to three rows at best, and each is one of a class."""
        sizes = published.groupby(["day", *QUASI], sort=False)["person"].transform("size")
        assert sizes.min() >= POLICY.k + POLICY.margin
        mine = published.assign(size=sizes).set_index(["person", "day"])["size"]
        chances = [
            1 / mine[person, row.day]
            for person, seen in self.targets(town)
            for row in seen.itertuples()
            if (person, row.day) in mine.index
        ]
        assert len(chances) > 500
        assert np.mean(chances) <= 1 / (POLICY.k + POLICY.margin)

    def test_three_visits_do_not_reveal_a_fourth(self, town: pd.DataFrame, published: pd.DataFrame) -> None:
        """The adversary bets that the target did on another day what most rows similar to the known ones did.

        Knowing three visits of this person helps no more than three visits of anybody.
        """
        rng = np.random.default_rng(3)
        by_person = dict(iter(published.groupby("person")))
        people = [person for person, rows in by_person.items() if len(rows) > KNOWN_VISITS]
        chosen = rng.choice(people, 400, replace=False)
        strangers = rng.permutation(chosen)

        def right(known_of: int, person: int) -> bool:
            *known, _ = by_person[known_of].head(KNOWN_VISITS + 1).itertuples()
            fourth = by_person[person].iloc[KNOWN_VISITS]
            # The row of the fourth day that is most similar to the known visits; nothing else links rows of two days.
            day = published[published["day"] == fourth["day"]]
            alike = sum((day[name] == getattr(row, name)).astype(int) for row in known for name in QUASI)
            return int(day.iloc[int(np.argmax(alike.to_numpy()))]["person"]) == person

        mine = sum(right(person, person) for person in chosen)
        theirs = sum(right(other, person) for other, person in zip(strangers, chosen, strict=True))
        assert mine <= theirs + 8  # of 400; a stable token would give nearly all


@pytest.mark.peers
class TestWithOtherPeoplesPrograms:
    def test_pycanon_finds_the_classes_of_the_verified_tier_as_large_and_diverse_as_promised(
        self, published: pd.DataFrame, tmp_path: Path
    ) -> None:
        rows = tmp_path / "rows.parquet"
        published.drop(columns="person").to_parquet(rows)
        sensitive = ["contact", "near", "symptoms", "diagnosed", "declined"]
        found = measure({"do": "classes", "rows": str(rows), "quasi": ["day", *QUASI], "sensitive": sensitive})
        assert found["k"] >= POLICY.k + POLICY.margin
        assert max(found["l"].values()) == 2
        assert max(found["t"].values()) < 0.25

    @pytest.mark.long
    def test_anonymeter_finds_who_is_unusual_in_the_verified_tier_but_links_and_infers_nothing(
        self, town: pd.DataFrame, tmp_path: Path
    ) -> None:
        """Rows are real, so the guarantee of the open tier does not apply here; classes are the protection.

        Half of the town is published. The adversary knows true visits, to the hour and ZIP, of people of both halves:
        what works as well on people who are not in it is not a leak.
        """
        inside = town["person"] < PEOPLE // 2
        days = []
        for _, rows in town[inside].groupby("day"):
            counts = rows.groupby([*QUASI, *SENSITIVE], as_index=False).size().rename(columns={"size": "count"})
            days.append(class_of(rows, generalise(counts, POLICY)).join(rows[["day", *SENSITIVE]]))
        frames = {"original": town[inside], "control": town[~inside], "released": pd.concat(days)}
        columns = ["day", *QUASI, *SENSITIVE]
        for name, frame in frames.items():
            frame[columns].astype(str).sample(3000, random_state=1).to_parquet(tmp_path / f"{name}.parquet")
        found = measure(
            {"do": "attacks"}
            | {name: str(tmp_path / f"{name}.parquet") for name in frames}
            | {"aux": [["day", "zip", "hour"], ["type_of_scan", "capacity", "symptoms"]]}
            | {"secret": "symptoms", "known": ["day", *QUASI]}
        )
        assert found["linkability"]["low"] <= 0.02
        assert found["inference"]["low"] <= 0.02
        # Rows are real, so a description of place, time and answers fits exactly one of them more often: 0.13 of
        # attempts beyond those about strangers (0.03 to 0.22). It shows that a person is unusual, not who it is.
        assert found["singling_out"]["risk"] <= 0.2

    @pytest.mark.long
    def test_anonymeter_finds_no_excess_over_people_who_were_not_in_the_open_release(self, tmp_path: Path) -> None:
        """Membership, linkage and inference against rows of the day itself, with other people's rows as control."""
        tables = workloads(zip3=tuple(states_by_zip3()), readings=False)
        # Two halves of one population: what both have in common is not a secret of one person.
        town = simulated_day(rows=40_000, seed=1)
        half = len(town.marked) // 2
        day, others = (
            Day({name: codes[part] for name, codes in town.codes.items()}, town.within[part], town.marked[part])
            for part in (slice(None, half), slice(half, None))
        )
        drawn = draw(day=DATE, counts=day.exact(tables), tables=tables, budget=1.0)
        released = deal(drawn, fit(drawn))
        columns = ["zip", "hour", "risklevel", "result", "type_of_scan", "accesslevel", "readingtype", *ANSWERS]
        for name, codes in (
            ("original", texts(day, released, columns)),
            ("control", texts(others, released, columns)),
            ("released", texts(released, released, columns)),
        ):
            codes.sample(3000, random_state=1).to_parquet(tmp_path / f"{name}.parquet")
        found = measure(
            {"do": "attacks"}
            | {name: str(tmp_path / f"{name}.parquet") for name in ("original", "control", "released")}
            | {"aux": [["zip", "hour", "risklevel"], ["result", "symptoms", "type_of_scan"]]}
            | {"secret": "symptoms", "known": ["zip", "hour", "result", "type_of_scan", "accesslevel"]}
        )
        for name, risk in found.items():
            # The noise is fresh in every run and the estimate coarse: what counts is that no excess can be shown.
            assert risk["low"] <= 0.02, (name, risk)


def texts(day: Day | SyntheticDay, released: SyntheticDay, columns: list[str]) -> pd.DataFrame:
    """Return rows as the texts that are published; the code of a null is -1, the last text."""
    return pd.DataFrame({name: np.array([*released.axes[name].values, "null"])[day.codes[name]] for name in columns})
