"""Draws of format 1, from before refusals were separate, are read correctly."""

import datetime as dt
import json
import zlib
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from exports.dataset.tables import DP_COUNTS, SIGNALS, states_by_zip3
from exports.policy.checks import release_failures, violations
from exports.policy.cut import has_refusals, usual_by_area
from exports.policy.domain import DURATION_EDGES, TOTAL
from exports.policy.draw import Drawn, _draw
from exports.policy.estimates import Estimates
from exports.policy.fit import fit
from exports.policy.profile import drifts, profile
from exports.policy.rows import deal, dp_counts
from exports.policy.signals import signals_of
from exports.release.signals import signals_table
from tests.exports.policy.factories import DAY, a_day_of, tables, without_noise

YES_NO = ["false", "true"]
RISK: list[Any] = ["risklevel", ["Low", "Moderate", "High"], []]
RESULT: list[Any] = ["result", ["Approved", "Declined"], []]
PLACE: list[Any] = ["zip", ["", "021", "100"], []]
ANSWERS = [[name, YES_NO, []] for name in ("symptoms", "diagnosed", "contact", "near")]
SCORES = ["none", "1", "2", "3", "4", "5"]
DURATION: list[Any] = ["duration", [f"{low}-{high}" for low, high in pairwise(DURATION_EDGES)], list(DURATION_EDGES)]
OLD: tuple[tuple[str, list[Any], int], ...] = (
    ("passes", [], 16),
    ("total", [], 3),
    ("zip_risklevel_result", [PLACE, RISK, RESULT], 3),
    ("risklevel_result_answers", [RISK, RESULT, *ANSWERS], 3),
    ("zip_symptoms", [PLACE, ANSWERS[0]], 3),
    ("hour", [["hour", [f"{hour:02d}" for hour in range(24)], []]], 3),
    ("type_of_scan", [["type_of_scan", ["Checkin", "Checkout"], []]], 3),
    ("accesslevel", [["accesslevel", ["Private", "Public"], []]], 3),
    ("readingtype", [["readingtype", ["Gate", "Personal"], []]], 3),
    ("risklevel_m_score", [RISK, ["m_score", SCORES, []]], 3),
    ("risklevel_s_score", [RISK, ["s_score", SCORES, []]], 3),
    ("risklevel_duration", [RISK, DURATION], 3),
)


def old_bytes(size: int = 90_000) -> bytes:
    """Return a draw as it was stored, its counts spread evenly, except for passes beyond the third."""
    made = []
    for name, axes, l1 in OLD:
        cells = int(np.prod([len(values) for _, values, _ in axes], dtype=int))
        noisy = [size // cells] * cells
        noisy[0] += size - sum(noisy) + (10_000 if name == "passes" else 0)
        table = {"name": name, "axes": axes, "share": 50, "core": False, "l1": l1, "scale": l1 * 12.0, "epsilon": 0.08}
        made.append(table | {"noisy": noisy})
    document = {
        "format": 1,
        "day": DAY.isoformat(),
        "budget": 1.0,
        "cap": 3,
        "keep": 0.9,
        "tables": made,
    }
    return zlib.compress(json.dumps(document, sort_keys=True, separators=(",", ":")).encode(), 9)


@pytest.fixture(scope="module")
def old() -> Drawn:
    return Drawn.from_bytes(old_bytes())


def test_it_keeps_its_bytes_and_its_seed(old: Drawn) -> None:
    assert zlib.decompress(old.to_bytes()) == zlib.decompress(old_bytes())
    assert (old.format, old.first_day, old.days, old.pool_epsilon) == (1, DAY, 1, 0.0)
    assert old.seed() == Drawn.from_bytes(old.to_bytes()).seed()


def test_its_total_is_that_of_marked_passes_and_nothing_is_cut(old: Drawn) -> None:
    assert Estimates(old).total == pytest.approx(100_000)
    assert not has_refusals(old)
    assert usual_by_area([old]) == {}


def test_rows_counts_signals_and_profile_follow_from_it(old: Drawn) -> None:
    fitted = fit(old)
    dealt = deal(old, fitted)
    assert fitted.total == dealt.rows == 100_000
    assert release_failures(drawn=old, fitted=fitted, batches=dealt.batches()) == []
    counts = dp_counts(old, fitted, dealt)
    assert violations(counts, DP_COUNTS) == []
    by_measure = counts.to_pandas().groupby("measure")["released_count"].sum(min_count=1)
    assert by_measure["total"] == 100_000
    assert np.isnan(by_measure["passes"])
    signals = signals_of(old, states_by_zip3())
    assert isinstance(signals_table(signals), pa.Table)
    assert violations(signals_table(signals), SIGNALS) == []
    assert {each.signal for each in signals} >= {"checkins", "approved", "declined", "symptoms"}
    assert profile(drawn=old, fitted=fitted, before=None)["statistics"]


def test_a_day_of_the_new_format_is_compared_with_it(old: Drawn) -> None:
    day = DAY + dt.timedelta(days=1)
    new = _draw(day=day, counts=a_day_of(90_000), tables=tables(), budget=1.0, mechanism=without_noise)
    found = drifts(new, old)
    assert "answers" in found
    # Their axes differ, so they are not compared.
    assert not {"result", "zip"} & set(found)
    assert TOTAL in {table.workload.name for table in old.tables}
