"""Files of series and forecasts: what is accepted, and what is refused, with row and reason."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from risk.model.forecast.levels import LEVELS
from risk.model.forecast.radar import Forecast
from risk.radar.files import (
    COLUMNS,
    FLAGS,
    BadFileError,
    read_forecasts,
    read_history,
    read_population,
    read_references,
    read_vintages,
    write_forecasts,
)

HEADER = "date,location,value\n"
GOOD = HEADER + "2023-12-02,01,3\n2023-12-09,01,0\n2023-12-09,72,\n2023-12-09,02,1.5\n"
VINTAGES = "date,location,value,as_of\n"
ILI = "source,region,week_end,ili_percent\n"


def written(folder: Path, text: str | bytes, name: str = "given.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def content(path: Path) -> list[tuple[str, str, float]]:
    rows = read_history(path)
    return list(zip(rows.week.astype(str).tolist(), rows.area.tolist(), rows.value.tolist(), strict=True))


def test_a_series_is_read_with_zeros_and_without_missing_values(tmp_path: Path) -> None:
    expected = [("2023-12-02", "01", 3.0), ("2023-12-09", "01", 0.0), ("2023-12-09", "02", 1.5)]
    assert content(written(tmp_path, GOOD)) == expected


@pytest.mark.parametrize(
    "form",
    [
        "byte order mark",
        "UTF-16",
        "gzip",
        "gzip without its name",
        "Parquet without its name",
        "Windows",
        "spaces",
        "Parquet",
        "dates",
        "twice the same",
    ],
)
def test_the_same_series_may_come_in_other_forms(tmp_path: Path, form: str) -> None:
    table = pd.read_csv(written(tmp_path, GOOD), dtype={"location": str})
    other = tmp_path / "other.parquet"
    if form == "Parquet":
        table.to_parquet(other)
    elif form == "Parquet without its name":
        table.to_parquet(other := tmp_path / "other.csv")
    elif form == "dates":
        table.assign(date=pd.to_datetime(table["date"])).to_parquet(other)
    else:
        text = {
            "byte order mark": b"\xef\xbb\xbf" + GOOD.encode(),
            "UTF-16": GOOD.encode("utf-16"),
            "gzip": gzip.compress(GOOD.encode()),
            "gzip without its name": gzip.compress(GOOD.encode()),
            "Windows": GOOD.replace("\n", "\r\n").encode(),
            "spaces": GOOD.replace(",", " , ").encode(),
            "twice the same": (GOOD + "2023-12-02,01,3.0\n").encode(),
        }[form]
        other = written(tmp_path, text, "other.csv.gz" if form == "gzip" else "other.csv")
    assert content(other) == content(tmp_path / "given.csv")


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("2023-12-02,01,many", "value is not a number: row 2 (many)"),
        ("2023-12-02,01,-1", "value is below 0: row 2 (-1)"),
        ("2023-12-02,01,inf", "value is not a number: row 2 (inf)"),
        ("2023-12-02,01,1\n2023-12-02,01,2", "another value for the same date and location: row 3 (2)"),
        ("2023-13-02,01,1", "date is not a date like 2026-01-03: row 2 (2023-13-02)"),
        ("02/12/2023,01,1", "date is not a date"),
        (",01,1", "date is not a date"),
        ("2023-12-02,,1", "location is missing: row 2"),
        ("2023-12-02,01,1\n2023-12-09,01,1\n2023-12-12,01,1", "date is not a Saturday like the others: row 4"),
        ("\n".join(f"2023-12-02,{n},x" for n in range(9)), "row 6 (x) and 4 more"),
        ("2023-12-02,01,1,2,3", "has rows with more fields than its header"),
        ("2023-12-02,01,1\n2023-12-02,01,1,2,3", "more fields than its header: row 3"),
    ],
)
def test_a_wrong_row_is_refused_by_its_number(tmp_path: Path, rows: str, said: str) -> None:
    with pytest.raises(BadFileError) as refused:
        read_history(written(tmp_path, HEADER + rows + "\n"))
    assert said in str(refused.value)
    assert str(refused.value).startswith("given.csv")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.csv", b"", "cannot be read as CSV"),
        ("a.csv", b"date,place\n", "has no column location, value; it needs date, location, value"),
        (
            "a.csv",
            "date,location,value\n2023-12-02,Añasco,1\n".encode("latin-1"),
            "is not text in UTF-8: byte 33 is no part of it",
        ),
        ("a.csv.gz", b"no gzip", "has no column"),
        ("a.csv.zip", b"PK\x03\x04\x14\xff", "is not text"),
        ("a.csv.xz", b"\xfd7zXZ\x00\x00", "is not text"),
        ("a.csv.zst", b"(\xb5/\xfd", "is not text"),
        ("a.csv", b"\xff\xfeS", "is not text in UTF-16"),
        ("a.csv.gz", gzip.compress(GOOD.encode(), mtime=0)[:40], "cannot be read as CSV"),
        ("a.parquet", b"no parquet", "cannot be read as Parquet"),
    ],
)
def test_a_file_that_is_something_else_is_refused(tmp_path: Path, name: str, text: bytes, said: str) -> None:
    with pytest.raises(BadFileError, match=said):
        read_history(written(tmp_path, text, name))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadFileError, match=r"There is no file .*nothing\.csv"):
        read_history(tmp_path / "nothing.csv")
    with pytest.raises(BadFileError, match="is a folder, not a file"):
        read_history(tmp_path)


def test_vintages_are_distinguished_by_their_date(tmp_path: Path) -> None:
    text = VINTAGES + "2023-12-02,01,1,2023-12-09\n2023-12-02,01,2,2023-12-02\n2023-12-09,01,3,2023-12-09\n"
    first, second = read_vintages(written(tmp_path, text))
    assert (str(first.as_of), first.rows.value.tolist()) == ("2023-12-02", [2.0])
    assert (str(second.as_of), second.rows.value.tolist()) == ("2023-12-09", [1.0, 3.0])


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("", "has no values"),
        ("2023-12-02,01,,2023-12-02\n", "has no values"),
        ("2023-12-09,01,1,2023-12-02\n", "date is after as_of"),
        ("2023-12-02,01,1,2023-12-06\n", "as_of is not whole weeks after date"),
        ("2023-12-02,01,1,soon\n", "as_of is not a date"),
    ],
)
def test_a_wrong_vintage_is_refused(tmp_path: Path, rows: str, said: str) -> None:
    with pytest.raises(BadFileError, match=said):
        read_vintages(written(tmp_path, VINTAGES + rows))


def test_references_are_one_series_a_source_over_all_files(tmp_path: Path) -> None:
    one = written(tmp_path, ILI + "b,X,2012-01-07,1.5\na,X,2012-01-07,2.5\n", "one.csv")
    two = written(tmp_path, ILI + "a,X,2012-01-14,3.5\n", "two.csv")
    assert [rows.value.tolist() for rows in read_references([one, two])] == [[2.5, 3.5], [1.5]]
    with pytest.raises(BadFileError, match="same week and region"):
        read_references([one, one])
    with pytest.raises(BadFileError, match="above 100"):
        read_references([written(tmp_path, ILI + "a,X,2012-01-07,250\n")])


def test_an_area_without_a_population_is_left_out(tmp_path: Path) -> None:
    text = "location,population\n01,5000\n02,\n03,0\n"
    assert read_population(written(tmp_path, text)) == {"01": 5000.0}
    with pytest.raises(BadFileError, match="location appears twice: row 5"):
        read_population(written(tmp_path, text + "01,4\n"))


def a_forecast() -> Forecast:
    quantiles = np.arange(2.0 * 4 * 23).reshape(2, 4, 23)
    return Forecast(np.datetime64("2023-12-02"), np.array(["01", "99"]), quantiles, {}, (("99", "short history"),))


def test_forecasts_are_written_as_the_hub_shapes_them_and_read_back(tmp_path: Path) -> None:
    path = tmp_path / "f.parquet"
    write_forecasts(path, [a_forecast()], model="radar")
    table = pq.read_table(path)
    assert tuple(table.column_names) == COLUMNS
    assert table.num_rows == 2 * 4 * 23
    assert table.slice(0, 1).to_pylist() == [
        {
            "model": "radar",
            "reference_date": "2023-12-09",
            "horizon": 0,
            "target_end_date": "2023-12-09",
            "location": "01",
            "quantile": 0.01,
            "value": 0.0,
        }
    ]
    assert table.schema.metadata[FLAGS].decode() == "99: short history (as of 2023-12-02)"
    tasks = read_forecasts(path)
    last = tasks[(tasks["location"] == "99") & (tasks["horizon"] == 3)].iloc[0]
    assert last["target_end_date"] == "2023-12-30"
    assert last[LEVELS.tolist()].tolist() == a_forecast().quantiles[1, 3].tolist()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda table: table.iloc[1:], "1 forecasts lack one of the 23 quantile levels"),
        (lambda table: pd.concat([table, table.iloc[:1]]), "a quantile appears twice"),
        (lambda table: table.assign(horizon=7), "horizon is not 0, 1, 2 or 3"),
        (lambda table: table.assign(value=np.nan), "value is missing"),
        (lambda table: table.drop(columns="model"), "has no column model"),
    ],
)
def test_a_wrong_forecast_is_refused(tmp_path: Path, change: Callable[[pd.DataFrame], pd.DataFrame], said: str) -> None:
    path = tmp_path / "f.parquet"
    write_forecasts(path, [a_forecast()], model="radar")
    change(pd.read_parquet(path)).to_parquet(path)
    with pytest.raises(BadFileError, match=said):
        read_forecasts(path)
