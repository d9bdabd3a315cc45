"""Rows are generated from the released counts and contain nothing else."""

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from exports.dataset.engines import arrow_schema
from exports.dataset.tables import ANSWERS, CROWD_TRACING, DP_COUNTS, RESULTS, RISKLEVELS
from exports.policy.domain import ANSWER_AXES, REFUSED
from exports.policy.draw import Drawn, _draw, draw
from exports.policy.fit import Fitted, fit
from exports.policy.rows import deal, dp_counts
from tests.exports.policy.factories import (
    DAY,
    a_day_of,
    counts_of,
    empty_counts,
    seeded_noise,
    tables,
    without_noise,
)


@pytest.fixture(scope="module")
def drawn() -> Drawn:
    return draw(day=DAY, counts=a_day_of(12_000), tables=tables(), budget=16.0)


@pytest.fixture(scope="module")
def fitted(drawn: Drawn) -> Fitted:
    return fit(drawn)


@pytest.fixture(scope="module")
def rows(drawn: Drawn, fitted: Fitted) -> pa.Table:
    return pa.Table.from_batches(deal(drawn, fitted).batches(size=700))


def as_results(counts: np.ndarray, axis: int) -> np.ndarray:
    """Return counts by result: a refusal is a row that is Declined."""
    approved, declined, refused = np.moveaxis(counts, axis, 0)
    return np.stack([approved, declined + refused], axis=axis)


def count(rows: pa.Table, **values: object) -> int:
    chosen = rows
    for name, value in values.items():
        chosen = chosen.filter(pc.equal(chosen[name], pa.scalar(value, chosen.schema.field(name).type)))
    return int(chosen.num_rows)


def test_rows_have_the_schema_of_the_table(rows: pa.Table) -> None:
    assert rows.schema.equals(arrow_schema(CROWD_TRACING), check_metadata=True)


def test_rows_add_up_to_every_released_count(rows: pa.Table, fitted: Fitted) -> None:
    assert rows.num_rows == fitted.total
    zips = ["", "02100", "10000", "90200"]
    for (place, risk, result), released in np.ndenumerate(as_results(fitted.cells, 2)):
        cell = {"scannerdevice_zipcode": zips[place], "risklevel": RISKLEVELS[risk], "result": RESULTS[result]}
        assert count(rows, **cell) == released
        assert count(rows, **cell, symptoms=True) == as_results(fitted.symptoms, 2)[place, risk, result]
    for (risk, result, *answers), released in np.ndenumerate(as_results(fitted.answers, 1)):
        group = {"risklevel": RISKLEVELS[risk], "result": RESULTS[result]}
        assert count(rows, **group, **dict(zip(ANSWERS, map(bool, answers), strict=True))) == released
    assert count(rows, type_of_scan="Checkout") == fitted.attributes["type_of_scan"][1]
    for risk, line in enumerate(fitted.attributes["risklevel_m_score"]):
        for score in range(1, 6):
            assert count(rows, risklevel=RISKLEVELS[risk], m_score=float(score)) == line[score]
    assert rows["temp"].null_count == fitted.total - fitted.attributes["risklevel_temp"][:, 1:].sum()


def test_every_required_column_is_whole_and_every_value_within_its_description(rows: pa.Table) -> None:
    for column in CROWD_TRACING.columns:
        values = rows[column.name]
        assert not (column.required and values.null_count), column.name
        if column.values:
            assert set(values.unique().to_pylist()) - {None} <= set(column.values)
        if column.pattern:
            assert all(re.fullmatch(column.pattern, text) for text in values.unique().to_pylist())
        if column.minimum is not None and values.null_count < len(values):
            assert pc.min(values).as_py() >= column.minimum
        if column.maximum is not None and values.null_count < len(values):
            assert pc.max(values).as_py() <= column.maximum


def test_no_row_carries_a_token_or_a_place(rows: pa.Table) -> None:
    for name in ("userid", "userdeviceid", "scannerdeviceid", "location_op_hours"):
        assert rows[name].null_count == rows.num_rows


def test_no_row_lies_at_midnight_and_all_lie_on_the_day(rows: pa.Table, fitted: Fitted) -> None:
    times = set(rows["scandate"].unique().to_pylist())
    assert all(time.startswith("2020-10-15T") and not time.endswith("T00:00:00.000Z") for time in times)
    assert len(times) == np.count_nonzero(fitted.attributes["hour"])


def test_rows_are_sorted_by_zip(rows: pa.Table) -> None:
    zips = rows["scannerdevice_zipcode"].to_pylist()
    assert zips == sorted(zips)


def test_the_same_draw_gives_the_same_rows(drawn: Drawn, rows: pa.Table) -> None:
    stored = Drawn.from_bytes(drawn.to_bytes())
    again = pa.Table.from_batches(deal(stored, fit(stored)).batches(size=700))
    assert again.equals(rows)


def test_the_declined_check_out_only_when_nobody_else_is_left(rows: pa.Table, fitted: Fitted) -> None:
    approved = int(fitted.cells[:, :, 0].sum())
    out = int(fitted.attributes["type_of_scan"][1])
    assert count(rows, type_of_scan="Checkout", result="Declined") == max(0, out - approved)


def test_a_refusal_has_met_no_device_and_no_rating(drawn: Drawn, fitted: Fitted) -> None:
    dealt = deal(drawn, fitted)
    refused = dealt.codes["outcome"] == REFUSED
    assert refused.any()
    for name, value in (("type_of_scan", "Checkin"), ("readingtype", "Personal"), ("m_score", "none")):
        assert set(dealt.codes[name][refused]) == {dealt.axes[name].values.index(value)}, name


@pytest.fixture(scope="module")
def small() -> tuple[pa.Table, Fitted]:
    """Return the rows of a day of 400 passes."""
    counts = a_day_of(400)
    drawn = _draw(day=DAY, counts=counts, tables=tables(), budget=1.0, mechanism=seeded_noise(3))
    fitted = fit(drawn)
    return pa.Table.from_batches(deal(drawn, fitted).batches()), fitted


class TestNoiseIsNull:
    """A column whose noise exceeds what it would show is null for the day."""

    def test_on_a_small_day_every_noisy_column_is(self, small: tuple[pa.Table, Fitted]) -> None:
        rows, fitted = small
        assert rows.num_rows > 0
        for name in ("accesslevel", "type_of_scan", "m_score", "s_score", "location_maxcapacity"):
            assert name in fitted.nulls
            assert rows[name].null_count == rows.num_rows

    def test_a_day_whose_hours_are_noise_is_at_noon_sharp(self, small: tuple[pa.Table, Fitted]) -> None:
        rows, fitted = small
        assert "hour" in fitted.nulls
        assert set(rows["scandate"].to_pylist()) == {"2020-10-15T12:00:00.000Z"}

    def test_a_value_that_never_occurs_is_not_made_of_noise(self) -> None:
        domain = tables()
        # Everybody came by a public door.
        counts = counts_of(domain, [{"accesslevel": 1, "zip": 1, "hour": 12}] * 20_000)
        for seed in range(5):
            fitted = fit(_draw(day=DAY, counts=counts, tables=domain, budget=1.0, mechanism=seeded_noise(seed)))
            assert fitted.attributes["accesslevel"][0] == 0
            assert fitted.attributes["accesslevel"][1] > 0
            assert fitted.attributes["hour"][:4].sum() == 0


def test_an_empty_day_gives_a_table_without_rows() -> None:
    domain = tables()
    drawn = _draw(day=DAY, counts=empty_counts(domain), tables=domain, budget=1.0, mechanism=without_noise)
    made = deal(drawn, fit(drawn))
    assert made.rows == 0
    assert list(made.batches()) == []


def test_every_noisy_count_is_published_with_its_interval(drawn: Drawn, fitted: Fitted) -> None:
    published = dp_counts(drawn, fitted)
    assert published.schema.equals(arrow_schema(DP_COUNTS), check_metadata=True)
    assert published.num_rows == sum(table.workload.cells for table in drawn.tables)
    for table in drawn.tables:
        part = published.filter(pc.equal(published["measure"], table.workload.name))
        assert part["noisy_count"].to_pylist() == table.noisy.ravel().tolist()
        assert set(part["noise_scale"].to_pylist()) == {table.scale}
        assert pc.all(pc.less_equal(part["low"], part["high"])).as_py()
        released = part["released_count"]
        if table.workload.axes[-1].name in fitted.nulls:
            assert released.null_count == part.num_rows
        else:
            assert (pc.sum(released).as_py() or 0) <= fitted.total
        if table.workload.core:
            assert pc.sum(released).as_py() == fitted.total


def test_suppressed_cells_are_marked_and_released_with_nothing(drawn: Drawn, fitted: Fitted) -> None:
    published = dp_counts(drawn, fitted)
    suppressed = published.filter(published["suppressed"])
    assert suppressed.num_rows == (~fitted.published).sum()
    assert set(suppressed["released_count"].to_pylist()) <= {0}


def test_a_row_of_dp_counts_says_which_cell_it_is(drawn: Drawn, fitted: Fitted) -> None:
    published = dp_counts(drawn, fitted)
    answers = published.filter(pc.equal(published["measure"], "risklevel_result_answers"))
    last = answers.slice(answers.num_rows - 1).to_pylist()[0]
    assert {last[axis.name] for axis in ANSWER_AXES} == {True}
    assert (last["risklevel"], last["result"], last["zip"], last["bucket"]) == ("High", "Refused", None, None)
    temp = published.filter(pc.equal(published["measure"], "risklevel_temp"))
    assert temp.slice(0, 2)["bucket"].to_pylist() == ["none", "94-96"]
