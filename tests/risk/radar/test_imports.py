"""Official series from files: accepted formats, refused rows, and the effect of a revision."""

from __future__ import annotations

import datetime as dt
import gzip
import io
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest
from django.core.management import CommandError, call_command

from risk.models import PublicSignal, Series, SeriesWeek
from risk.radar import files
from risk.radar.files import BadFileError
from risk.radar.imports import BadRowsError, Imported, import_file
from risk.radar.regions import FIPS, find_region, states
from risk.radar.series import numbers_known, week_of

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2026, 2, 11, 12, tzinfo=dt.UTC)
FLUSIGHT = "date,location,location_name,value,weekly_rate\n"
COVIDCAST = "geo_type,geo_value,time_value,signal,source,value,stderr,sample_size\n"
ACTIVE = "region,week,known_active_per_person,source\n"


def read(folder: Path, text: str, *, now: dt.datetime = NOW, encoding: str = "utf-8") -> Imported:
    file = folder / "series.csv"
    file.write_text(text, encoding=encoding)
    return import_file(file, now=now)


def refused(folder: Path, text: str) -> list[tuple[int, str]]:
    with pytest.raises(BadRowsError) as caught:
        read(folder, text)
    assert not SeriesWeek.objects.exists()
    assert not Series.objects.exists()
    assert not PublicSignal.objects.exists()
    return caught.value.rows


# Shapes ---------------------------------------------------------------------------------------------------------------
def test_target_data_of_flusight_is_read(tmp_path: Path) -> None:
    text = FLUSIGHT + "2026-01-31,06,California,412,1.05\n2026-01-31,US,US,9000,2.7\n2026-02-07,06,California,NA,NA\n"
    assert read(tmp_path, text) == Imported(stored=2, known=0, empty=1)
    series = Series.objects.get()
    assert (series.source, series.signal, series.unit) == ("FluSight", "hospital admissions", "count")
    week = dt.date(2026, 1, 31)
    known = numbers_known(series, at=NOW)
    assert {key: one.value for key, one in known.items()} == {("CA", week): 412.0, ("US", week): 9000.0}


def test_a_file_in_parquet_with_the_newer_names_is_read(tmp_path: Path) -> None:
    rows = {"target_end_date": [dt.date(2026, 1, 31)], "location": ["36"], "observation": [77.0]}
    pd.DataFrame(rows).to_parquet(tmp_path / "t.parquet")
    assert import_file(tmp_path / "t.parquet", now=NOW).stored == 1
    assert SeriesWeek.objects.get().region == "NY"


@pytest.mark.parametrize("week", ["2026-01-25", "2026-01-31", "20260131", "202604"])
def test_rows_of_covidcast_are_read_with_a_week_by_any_of_its_days(tmp_path: Path, week: str) -> None:
    read(tmp_path, COVIDCAST + f"state,ca,{week},smoothed_cli,fb-survey,1.5,0.1,2000\nnation,us,{week},x,y,1,,\n")
    row = SeriesWeek.objects.get(series__source="fb-survey")
    assert (row.region, row.week, row.value, row.stderr, row.sample_size) == (
        "CA",
        dt.date(2026, 1, 31),
        1.5,
        0.1,
        2000.0,
    )
    assert Series.objects.get(source="y").unit == "percent"


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path: Path) -> None:
    assert read(tmp_path, FLUSIGHT + "2026-01-31,06,California,412,1\n", encoding="utf-8-sig").stored == 1
    assert read(tmp_path, ACTIVE + "CA,2026-02-02,0.001,office\n", encoding="utf-8-sig").stored == 1


def test_epidemiological_weeks_are_those_of_the_cdc() -> None:
    """Week 1 of 2026 ended on 10 January, week 53 of 2025 on 3 January."""
    assert week_of(dt.date(2026, 1, 4)) == dt.date(2026, 1, 10)
    assert week_of(dt.date(2026, 1, 3)) == dt.date(2026, 1, 3)


def test_every_code_of_a_state_is_known() -> None:
    assert set(FIPS.values()) <= states()
    assert find_region("6") == find_region("06") == find_region("ca") == "CA"
    assert find_region("941") == "941"
    assert find_region("941", "state") is None


# Rows that are refused ------------------------------------------------------------------------------------------------
ROWS = [
    ("2026-01-31,06,x,-3,1", "below 0"),
    ("2026-01-31,06,x,many,1", "not a number"),
    ("2026-01-31,06,x,inf,1", "not a number"),
    ("2026-01-31,06,x,1_000,1", "not a number"),
    ("2026-01-31,06,x,1e300,1", "above"),
    ("2026-01-31,77,x,3,1", "not a known region"),
    ("2026-01-31,,x,3,1", "not a known region"),
    ("2026-01-31,County 7,x,3,1", "not a known region"),
    ("2026-02-14,06,x,3,1", "in the future"),
    ("2027-02-13,06,x,3,1", "in the future"),
    ("0026-02-14,06,x,3,1", "before 1990"),
    ("31.1.2026,06,x,3,1", "not a date"),
    ("2026-02-30,06,x,3,1", "not a date"),
    (",06,x,3,1", "not a date"),
    ("2026-01-24,06,x,5,1", "in row 2 already"),
    ("2026-01-20,CA,x,4,1", "in row 2 already"),
    ("9999-12-31,06,x,3,1", "in the future"),
    ("2026-01-31Tnoon,06,x,3,1", "not a date"),
    ("2026-01-31,06,x,\u0663,1", "not a number"),
    ("2026-01-31,06,x,0x10,1", "not a number"),
    ("2026-01-31,06,x,1e400,1", "not a number"),
    ("2026-01-31,06,x,3%,1", "not a number"),
    ("2026-01-31,94110,x,3,1", "not a known region"),
    ("date,location,location_name,value,weekly_rate", "not a date"),
]


@pytest.mark.parametrize(("row", "reason"), ROWS)
def test_a_row_is_refused_by_its_number_with_its_reason(tmp_path: Path, row: str, reason: str) -> None:
    ((number, why),) = refused(tmp_path, FLUSIGHT + f"2026-01-24,06,x,4,1\n{row}\n2026-01-31,36,x,9,1\n")
    assert number == 3
    assert reason in why


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("county,06075,2026-01-31,s,o,1,,", "geo_type county"),
        ("state,ca,202560,s,o,1,,", "no week 60"),
        ("state,ca,202553,s,o,101,,", "above 100"),
        ("state,ca,2026-01-31,s,,1,,", "--source"),
        ("state,ca,2026-01-31,s,o,1,-1,", "stderr -1 is below 0"),
        ("zip3,ca,2026-01-31,s,o,1,,", "not a known region"),
    ],
)
def test_a_row_of_covidcast_is_refused_the_same_way(tmp_path: Path, row: str, reason: str) -> None:
    ((number, why),) = refused(tmp_path, COVIDCAST + f"{row}\n")
    assert number == 2
    assert reason in why


def test_days_are_refused_since_a_week_is_not_one_of_them(tmp_path: Path) -> None:
    text = "geo_type,geo_value,time_type,time_value,signal,source,value\nstate,ca,day,20260131,s,o,1\n"
    ((_number, why),) = refused(tmp_path, text)
    assert "time_type is day" in why


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("XX,2026-02-02,0.1,o", "not a known region"),
        ("US,2026-02-02,0.1,o", "neither a state"),
        ("NY,2026-02-02,1.1,o", "from 0 to 1"),
        ("NY,2026-02-02,,o", "from 0 to 1"),
        ("NY,2026-02-02,0.1,", "name the origin"),
        ("NY,2026-02-16,0.1,o", "in the future"),
        ("CA,2026-02-06,0.2,o", "in row 2 already"),
    ],
)
def test_a_row_of_known_active_cases_is_refused_the_same_way(tmp_path: Path, row: str, reason: str) -> None:
    ((number, why),) = refused(tmp_path, ACTIVE + f"CA,2026-02-02,0.001,office\n{row}\n")
    assert number == 3
    assert reason in why


def test_all_refused_rows_are_named_at_once(tmp_path: Path) -> None:
    rows = "".join(f"2026-01-31,06,x,-{n},1\n" for n in range(1, 61))
    (tmp_path / "f.csv").write_text(FLUSIGHT + "2026-01-24,36,x,4,1\n" + rows)
    with pytest.raises(CommandError) as caught:
        call_command("import-series", tmp_path / "f.csv")
    assert "60 rows are refused, nothing was stored" in str(caught.value)
    assert "row 3: value -1 is below 0" in str(caught.value)
    assert "and 10 more rows" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("date,location,value\n2026-01-31,06,3\n2026-01-31,36\n", r"fewer fields than its header: row 3"),
        ("date,location,value\n2026-01-31,06,3,4\n", r"more fields"),
        ("date,location,value,value\n2026-01-31,06,3,4\n", r"a column twice"),
        (
            "date,location,geo_type,geo_value,time_value,value\n2026-01-31,06,state,ca,202604,3\n",
            r"more than one format",
        ),
    ],
)
def test_a_file_whose_rows_mean_two_things_is_refused_whole(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(BadFileError, match=said):
        read(tmp_path, text)
    assert not SeriesWeek.objects.exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"date;location;value\n2026-01-31;06;3,5\n", "Save it with commas"),
        (b"sep=;\ndate;location;value\n2026-01-31;06;3\n", "Save it with commas"),
        (b"date\tlocation\tvalue\n2026-01-31\t06\t3\n", "Save it with commas"),
        ("date,location,value\n2026-01-31,06,3\n".encode("utf-16-le"), "Save it as UTF-8"),
    ],
)
def test_a_file_of_another_spreadsheet_is_refused_with_what_to_do(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "f.csv").write_bytes(content)
    with pytest.raises(BadFileError, match=said):
        import_file(tmp_path / "f.csv", now=NOW)
    assert not SeriesWeek.objects.exists()


def test_names_of_columns_are_read_without_regard_to_case(tmp_path: Path) -> None:
    assert read(tmp_path, "Date, LOCATION ,Value\n2026-01-31,06,3\n") == Imported(stored=1, known=0, empty=0)


def test_blank_lines_at_the_end_are_no_rows(tmp_path: Path) -> None:
    assert read(tmp_path, FLUSIGHT + "2026-01-31,06,x,3,1\n\n\n") == Imported(stored=1, known=0, empty=0)


@pytest.mark.parametrize("packed", [False, True])
def test_a_huge_file_is_refused_before_it_is_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, packed: bool
) -> None:
    monkeypatch.setattr(files, "LARGEST_BYTES", 1 << 20)
    content = b"0" * (2 << 20)
    file = tmp_path / ("f.csv.gz" if packed else "f.csv")
    file.write_bytes(gzip.compress(content) if packed else content)
    with pytest.raises(BadFileError, match="larger than 1 MB"):
        import_file(file, now=NOW)


def test_an_error_names_no_more_of_a_strange_file_than_a_person_reads(tmp_path: Path) -> None:
    with pytest.raises(BadFileError) as caught:
        read(tmp_path, "0" * 100_000 + "," + ",".join(f"c{n}" for n in range(5000)) + "\n")
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize(
    ("column", "reason"),
    [
        ({"value": [True]}, "not a number"),
        ({"value": [[1.0]]}, "not a number"),
        ({"value": [float("inf")]}, "not a number"),
        ({"value": [2**62]}, "above"),
        ({"date": [dt.time(1)]}, "not a date"),
        ({"location": [1.5]}, "not a known region"),
    ],
)
def test_a_row_of_parquet_with_another_type_is_refused(
    tmp_path: Path, column: dict[str, list[object]], reason: str
) -> None:
    rows: dict[str, list[object]] = {"date": [dt.date(2026, 1, 31)], "location": ["06"], "value": [3.0]}
    pd.DataFrame(rows | column).to_parquet(tmp_path / "t.parquet")
    with pytest.raises(BadRowsError) as caught:
        import_file(tmp_path / "t.parquet", now=NOW)
    assert reason in caught.value.rows[0][1]


@pytest.mark.parametrize(
    "column",
    [
        {"date": pd.to_datetime(["2026-01-31"]).tz_localize("UTC")},
        {"date": [20260131]},
        {"location": [6]},
        {"value": [Decimal("3.0")]},
        {"value": pd.Categorical(["3"])},
    ],
)
def test_parquet_of_other_types_that_mean_the_same_is_read(tmp_path: Path, column: dict[str, object]) -> None:
    rows: dict[str, object] = {"date": [dt.date(2026, 1, 31)], "location": ["06"], "value": [3.0]}
    pd.DataFrame(rows | column).to_parquet(tmp_path / "t.parquet")
    assert import_file(tmp_path / "t.parquet", now=NOW).stored == 1
    row = SeriesWeek.objects.get()
    assert (row.region, row.week, row.value) == ("CA", dt.date(2026, 1, 31), 3.0)


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"\xff\xfe\x00", b"PAR1"])
def test_a_file_of_no_known_shape_is_refused_with_a_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "f.csv").write_bytes(content)
    with pytest.raises(CommandError) as caught:
        call_command("import-series", tmp_path / "f.csv")
    assert "f.csv" in str(caught.value)
    assert "Traceback" not in str(caught.value)


# Vintages -------------------------------------------------------------------------------------------------------------
def test_known_active_cases_of_an_earlier_import_count_as_known(tmp_path: Path) -> None:
    first = "CA,2026-02-02,0.001,office\n"
    assert read(tmp_path, ACTIVE + first) == Imported(stored=1, known=0, empty=0)
    revised = ACTIVE + first + "NY,2026-02-02,0.002,office\n"
    assert read(tmp_path, revised) == Imported(stored=1, known=1, empty=0)
    assert read(tmp_path, revised.replace("0.001", "0.003")) == Imported(stored=1, known=1, empty=0)
    assert PublicSignal.objects.get(region="CA").known_active_per_person == 0.003


def test_a_revision_is_a_row_of_its_own_and_what_was_known_stays(tmp_path: Path) -> None:
    later, week = NOW + dt.timedelta(days=7), dt.date(2026, 1, 31)
    read(tmp_path, FLUSIGHT + "2026-01-31,06,x,400,1\n2026-01-31,36,x,9,1\n")
    assert read(tmp_path, FLUSIGHT + "2026-01-31,06,x,450,1\n2026-01-31,36,x,9,1\n", now=later) == Imported(1, 1, 0)
    series = Series.objects.get()
    assert numbers_known(series, at=NOW)["CA", week].value == 400.0
    assert numbers_known(series, at=later)["CA", week].value == 450.0


def test_a_file_cannot_say_that_it_was_known_earlier(tmp_path: Path) -> None:
    """A column `as_of` or `issue` is the publisher's statement; the time of the import counts."""
    read(tmp_path, "target_end_date,location,observation,as_of\n2026-01-31,06,9e9,2020-01-01\n")
    assert not numbers_known(Series.objects.get(), at=NOW - dt.timedelta(seconds=1))


def test_a_series_keeps_its_unit(tmp_path: Path) -> None:
    text = FLUSIGHT + "2026-01-31,06,x,40,1\n"
    read(tmp_path, text)
    (tmp_path / "f.csv").write_text(text)
    with pytest.raises(CommandError, match="unit count"):
        call_command("import-series", tmp_path / "f.csv", unit="percent")
    out = io.StringIO()
    call_command("import-series", tmp_path / "f.csv", source="other", unit="percent", stdout=out)
    assert out.getvalue() == "1 numbers stored, 0 were known already, 0 rows have no value\n"
