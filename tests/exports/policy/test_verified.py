"""Classes of the verified tier."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exports.policy.verified import (
    ANY,
    LADDER,
    QUASI,
    SENSITIVE,
    ClassPolicy,
    generalise_by_zip,
    part_of_day,
)
from tests.exports.policy.classes import class_of, generalise

POLICY = ClassPolicy()


def passes(size: int, **values: object) -> pd.DataFrame:
    """Return `size` equal passes with answers no, except the first with a contact, so that the class is diverse."""
    row: dict[str, object] = {
        "zip": "021",
        "hour": "10",
        "readingtype": "Gate",
        "accesslevel": "Public",
        "type_of_scan": "Checkin",
        "capacity": "100",
    } | dict.fromkeys(SENSITIVE, False)
    frame = pd.DataFrame([row | values] * size)
    if "contact" not in values:
        frame.loc[0, "contact"] = True
    return frame


def counted(*parts: pd.DataFrame) -> pd.DataFrame:
    rows = pd.concat(parts, ignore_index=True)
    return rows.groupby([*QUASI, *SENSITIVE], as_index=False).size().rename(columns={"size": "count"})


def a_town(size: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "zip": rng.choice(["021", "100", "902", "005"], size, p=[0.6, 0.3, 0.09, 0.01]),
            "hour": [f"{hour:02d}" for hour in rng.integers(0, 24, size)],
            "readingtype": rng.choice(["Gate", "Personal"], size),
            "accesslevel": rng.choice(["Public", "Private"], size, p=[0.9, 0.1]),
            "type_of_scan": rng.choice(["Checkin", "Checkout"], size),
            "capacity": rng.choice(["10", "100", "1000"], size),
        }
        | {name: rng.random(size) < 0.1 for name in SENSITIVE}
    )


def test_a_large_diverse_class_is_published_as_it_is() -> None:
    rows = passes(36)
    published = class_of(rows, generalise(counted(rows), POLICY))
    pd.testing.assert_frame_equal(published, rows[list(QUASI)], check_dtype=False)


def test_a_class_without_the_margin_is_generalised_or_left_out() -> None:
    made = generalise(counted(passes(35)), POLICY)
    assert (made.published, made.dropped) == (0, 35)
    assert class_of(passes(35), made).empty


def test_two_small_classes_meet_one_step_up() -> None:
    rows = pd.concat([passes(20, hour="10"), passes(20, hour="11")], ignore_index=True)
    published = class_of(rows, generalise(counted(rows), POLICY))
    assert set(published["hour"]) == {"09"}
    assert set(published["capacity"]) == {ANY}
    assert set(published["zip"]) == {"021"}


def test_a_class_whose_answers_are_all_alike_is_not_published() -> None:
    made = generalise(counted(passes(500, contact=False)), POLICY)
    assert made.published == 0


@pytest.mark.parametrize("name", SENSITIVE)
def test_a_class_that_mostly_said_yes_is_not_published(name: str) -> None:
    ill, well = passes(60, **{name: True, "near": True}), passes(40, contact=True)
    made = generalise(counted(ill, well), POLICY)
    assert made.published == 0


def test_part_of_day_is_the_middle_of_a_quarter() -> None:
    parts = [part_of_day(f"{hour:02d}") for hour in range(24)]
    assert [(part, len(list(hours))) for part, hours in itertools.groupby(parts)] == [
        ("03", 6),
        ("09", 6),
        ("15", 6),
        ("21", 6),
    ]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 4000), st.integers(0, 100))
def test_every_published_class_is_large_and_diverse(size: int, seed: int) -> None:
    rows = a_town(size, seed)
    made = generalise(counted(rows), POLICY)
    published = class_of(rows, made)
    assert len(published) == made.published
    assert made.published + made.dropped == size
    joined = published.join(rows[list(SENSITIVE)])
    for _, members in joined.groupby(list(QUASI)):
        assert len(members) >= POLICY.k + POLICY.margin
        assert len(members.drop_duplicates(list(SENSITIVE[:4]))) >= POLICY.patterns
        assert (members[list(SENSITIVE)].mean() <= POLICY.most_yes).all()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_zip_by_zip_the_same_is_decided_as_for_the_whole_day(seed: int) -> None:
    counts = counted(a_town(3000, seed))
    whole = generalise(counts, POLICY)
    parts = list(generalise_by_zip((part for _, part in counts.groupby("zip")), POLICY))
    together = pd.concat([part.classes for part in parts])
    pd.testing.assert_frame_equal(together.sort_index(), whole.classes.sort_index(), check_dtype=False)
    assert sum(part.published for part in parts) == whole.published
    assert sum(part.dropped for part in parts) == whole.dropped


def test_a_town_is_mostly_published_and_its_rare_zip_only_without_its_name() -> None:
    rows = a_town(4000, 3)
    made = generalise(counted(rows), POLICY)
    assert made.published > 0.95 * len(rows)
    assert made.classes["step"].nunique() > 1


def test_the_ladder_only_ever_reveals_less() -> None:
    rows = a_town(3000, 5)
    distinct = []
    for step in LADDER:
        changed = rows[list(QUASI)].copy()
        for name, change in step.items():
            changed[name] = changed[name].map(change)
        distinct.append(len(changed.drop_duplicates()))
    assert distinct == sorted(distinct, reverse=True)
    assert distinct[-1] == 1
