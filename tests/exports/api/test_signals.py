"""Signals over HTTP: unbiased counts with errors, by area and time."""

import csv
import datetime as dt
import io
from typing import Any

import pyarrow.parquet as pq
import pytest
from django.test import Client

from exports.dataset.tables import SIGNAL_NAMES, SIGNALS, states_by_zip3
from exports.models import Release
from exports.policy.draw import Drawn
from exports.policy.signals import Signal, signals_of
from exports.release.signals import stored_signals
from tests.exports.ledger import FIRST, SECOND, ReleasedLake

pytestmark = pytest.mark.django_db
URL = "/api/v1/datasets/covid-19/signals"
NAMES = ("geo_type", "geo_value", "time_value", "signal", "value", "stderr", "sample_size")


def ask(client: Client, **query: str) -> list[dict[str, Any]]:
    response = client.get(URL, query)
    assert response.status_code == 200, response.content
    return list(response.json()["results"])


def wrong(client: Client, **query: str) -> list[dict[str, str]]:
    response = client.get(URL, query)
    assert response.status_code == 400, response.content
    assert response["Content-Type"] == "application/problem+json"
    return list(response.json()["errors"])


def expected(released: ReleasedLake, day: dt.date) -> list[Signal]:
    return signals_of(Drawn.from_bytes(bytes(released.release(day).drawn or b"")), states_by_zip3())


def test_every_signal_has_the_columns_of_the_table(client: Client, released: ReleasedLake) -> None:
    found = ask(client)
    assert {tuple(row) for row in found} == {NAMES}
    assert {row["time_value"] for row in found} == {FIRST.isoformat(), SECOND.isoformat()}
    assert len(found) == len(expected(released, FIRST)) + len(expected(released, SECOND))
    assert set(NAMES) == set(SIGNALS.names) - {"scan_date"}


def test_values_are_those_of_the_draw(client: Client, released: ReleasedLake) -> None:
    found = {(row["geo_type"], row["geo_value"], row["signal"]): row for row in ask(client, time_values=f"{FIRST}")}
    for each in expected(released, FIRST):
        row = found[each.geo_type, each.geo_value, each.signal]
        assert row["value"] == pytest.approx(each.value, abs=0.001)
        assert row["stderr"] == pytest.approx(each.stderr, abs=0.001)
        assert row["sample_size"] == each.sample_size


def test_negative_values_are_kept(client: Client, released: ReleasedLake) -> None:
    line = ["nation", "us", FIRST.isoformat(), "diagnosed", -12.5, 78.25, 400]
    Release.objects.filter(day=FIRST).update(signals=[line])
    [found] = ask(client, time_values=FIRST.isoformat())
    assert found["value"] == -12.5
    text = client.get(URL, {"time_values": FIRST.isoformat(), "format": "csv"}).getvalue().decode()
    assert text.splitlines()[1] == "nation,us,2020-10-14,diagnosed,-12.5,78.25,400"


def test_areas_signals_and_times_are_chosen(client: Client, released: ReleasedLake) -> None:
    found = ask(client, geo_type="state", geo_values="MA,ca", signal="symptoms,checkins", time_values="2020-10-15")
    assert {(row["geo_value"], row["signal"]) for row in found} == {
        (state, signal) for state in ("ca", "ma") for signal in ("checkins", "symptoms")
    }
    assert {row["time_value"] for row in found} == {"2020-10-15"}
    assert len(ask(client, geo_type="zip3", geo_values="021", signal="low", time_values="20201001--20201031")) == 2
    assert ask(client, geo_type="state", geo_values="wy") == []


def test_as_of_leaves_out_what_was_released_later(client: Client, released: ReleasedLake) -> None:
    response = client.get(URL, {"as_of": FIRST.isoformat()}).json()
    assert response["as_of"] == FIRST.isoformat()
    assert {row["time_value"] for row in response["results"]} == {FIRST.isoformat()}
    before = client.get(URL, {"as_of": "2020-10-01"}).json()
    assert before == {"results": [], "as_of": None}


def test_csv_and_parquet_hold_the_same(client: Client, released: ReleasedLake) -> None:
    query = {"geo_type": "zip3", "time_values": FIRST.isoformat()}
    rows = ask(client, **query)
    text = client.get(URL, query | {"format": "csv"})
    assert text["Content-Type"].startswith("text/csv")
    as_text = list(csv.DictReader(io.StringIO(text.getvalue().decode())))
    assert [(row["geo_value"], float(row["value"])) for row in as_text] == [
        (row["geo_value"], row["value"]) for row in rows
    ]
    assert all(len(row["geo_value"]) in (0, 3) for row in as_text)
    table = pq.read_table(io.BytesIO(client.get(URL, query | {"format": "parquet"}).content))
    assert table.to_pylist() == rows


def test_what_has_not_changed_is_not_sent_again(client: Client, released: ReleasedLake) -> None:
    first = client.get(URL)
    assert client.get(URL, headers={"If-None-Match": first["ETag"]}).status_code == 304


class TestWeeks:
    """Weeks are sums of their days."""

    @pytest.fixture
    def week(self, released: ReleasedLake) -> list[dt.date]:
        """Return the other days of the week of the two releases, with their signals."""
        monday = dt.date(2020, 10, 12)
        days = [monday + dt.timedelta(days=number) for number in range(7)]
        other = released.release(SECOND)
        signals = [[*line[:2], "", *line[3:]] for line in other.signals]
        for number, day in enumerate(set(days) - {FIRST, SECOND}, start=3):
            stored = [[*line[:2], day.isoformat(), *line[3:]] for line in signals]
            Release.objects.create(
                day=day, step=other.step, budget=4.0, epsilon=4.0, drawn=other.drawn, number=number,
                signals=stored, manifest=other.manifest, snapshots=other.snapshots, announced_at=other.announced_at,
            )  # fmt: skip
        return days

    @pytest.mark.parametrize("query", [{"time_type": "week"}, {"time_values": "2020-W42"}, {"time_values": "2020W42"}])
    def test_a_whole_week_is_a_sum(self, client: Client, week: list[dt.date], query: dict[str, str]) -> None:
        asked = {"geo_type": "nation", "signal": "symptoms"}
        days = ask(client, **asked)
        [found] = ask(client, **asked, **query)
        assert found["time_value"] == "2020-W42"
        assert (found["value"], found["stderr"]) == (round(found["value"], 3), round(found["stderr"], 3))
        assert found["value"] == pytest.approx(sum(row["value"] for row in days), abs=0.01)
        assert found["stderr"] == pytest.approx(sum(row["stderr"] ** 2 for row in days) ** 0.5, abs=0.01)

    def test_a_week_that_lacks_a_day_is_not_there(self, client: Client, released: ReleasedLake) -> None:
        assert ask(client, time_type="week") == []


class TestBadInput:
    """All errors are reported at once, each with its position and the nearest name."""

    @pytest.mark.parametrize(
        ("query", "pointer", "said"),
        [
            ({"geo_type": "county"}, "?geo_type", "not one of the choices: nation, state, zip3"),
            ({"geo_values": "ma"}, "?geo_type", "kind"),
            ({"geo_type": "state", "geo_values": "mx"}, "?geo_values", "There is no"),
            ({"geo_type": "zip3", "geo_values": "0211"}, "?geo_values", "021"),
            ({"geo_type": "nation", "geo_values": "021"}, "?geo_values", "There is no"),
            ({"signal": "symptom"}, "?signal", "symptoms"),
            ({"signal": ""}, "?signal", "blank"),
            ({"time_values": "2020-13-01"}, "?time_values", "2020-10-15"),
            ({"time_values": "2020-W54"}, "?time_values", "2020-W42"),
            ({"time_values": "2020-10-16--2020-10-01"}, "?time_values", "range"),
            ({"time_values": "2020-10-16,2020-W42"}, "?time_values", "days or weeks"),
            ({"time_type": "week", "time_values": "2020-10-16"}, "?time_values", "days or weeks"),
            ({"time_values": "2020-10-01--2020-W42"}, "?time_values", "range"),
            ({"time_values": "9999-W53,0000-01-01"}, "?time_values", "2020-10-15"),
            ({"as_of": "yesterday"}, "?as_of", "YYYY-MM-DD"),
            ({"format": "xlsx"}, "?format", "not one of the choices"),
            ({"signals": "low"}, "?signals", "Did you mean signal?"),
            ({"geo_value": "ma"}, "?geo_value", "Did you mean geo_values?"),
            ({"geo_type": "zip3", "geo_values": "02139"}, "?geo_values", "Did you mean 021?"),
            ({"geo_type": "zip3", "geo_values": "94103"}, "?geo_values", "Did you mean 941?"),
            ({"signal": "x" * 5000}, "?signal", "4000"),
        ],
    )
    def test_it_is_a_problem_with_its_place(
        self, client: Client, released: ReleasedLake, query: dict[str, str], pointer: str, said: str
    ) -> None:
        found = wrong(client, **query)
        assert pointer in {error["pointer"] for error in found}
        assert said.lower() in " ".join(error["detail"] for error in found).lower()

    def test_several_are_said_together(self, client: Client, released: ReleasedLake) -> None:
        found = wrong(client, geo_type="state", geo_values="xx,ma,yy", signal="none", time_values="never")
        assert [error["pointer"] for error in found] == ["?geo_values", "?geo_values", "?signal", "?time_values"]

    def test_another_dataset_is_not_found(self, client: Client) -> None:
        assert client.get("/api/v1/datasets/covid-20/signals").status_code == 404


def test_what_is_stored_is_what_the_policy_made(released: ReleasedLake) -> None:
    assert released.release(FIRST).signals == stored_signals(expected(released, FIRST))
    assert {line[3] for line in released.release(FIRST).signals} == set(SIGNAL_NAMES)
