"""The API of the dataset and its files."""

import csv
import datetime as dt
import hashlib
import io
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import frictionless
import mlcroissant
import pyarrow.parquet as pq
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from frictionless.resources import TableResource

from exports.dataset.descriptors import FRICTIONLESS
from exports.dataset.engines import arrow_schema
from exports.dataset.tables import CROWD_TRACING, DAILY, DP_COUNTS, OPEN_TABLES, TABLES, ZIP3, Table, table
from exports.dataset.whole import renew_whole_files
from exports.models import Release
from exports.policy.checks import violations
from exports.release.closed_days import mark_served
from tests.exports.ledger import ANNOUNCED, BUDGET, FIRST, SECOND, ReleasedLake, announce
from tests.exports.releases import expected_daily

pytestmark = pytest.mark.django_db
ALL = "/api/v1/datasets"
ONE = f"{ALL}/covid-19"
DOCUMENTED = (*OPEN_TABLES, DAILY)


def body(response: Any) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else bytes(response.content)


def get(client: Client, address: str) -> Any:
    response = client.get(address)
    assert response.status_code == 200, response.content
    return response.json()


@pytest.fixture
def one(client: Client, released: ReleasedLake) -> dict[str, Any]:
    return dict(get(client, ONE))


def test_the_list_names_the_database_that_queries_are_about(client: Client, released: ReleasedLake) -> None:
    [entry] = get(client, ALL)["results"]
    assert (entry["name"], entry["as_of"]) == ("covid-19", SECOND.isoformat())
    assert entry["tables"] == [described.name for described in OPEN_TABLES]
    assert entry["url"] == f"http://testserver{ONE}"


def test_before_the_first_release_everything_but_files_is_said(client: Client) -> None:
    found = get(client, ONE)
    assert (found["as_of"], found["citation"], found["files"]) == (None, None, [])
    assert found["coverage"]["days"] == 0
    assert get(client, f"{ONE}/releases")["results"] == []
    assert client.get(f"{ONE}/datapackage.json").status_code == 404
    assert client.get(f"{ONE}/daily.csv").getvalue().decode().startswith("scan_date,state,total_count")


class TestTheDataset:
    """One dataset."""

    def test_the_dictionary_has_every_column_with_its_meaning(self, one: dict[str, Any]) -> None:
        found = {table["name"]: table for table in one["tables"]}
        assert set(found) == {described.name for described in TABLES}
        for described in TABLES:
            assert (found[described.name]["zone"], found[described.name]["owner"]) == (described.zone, described.owner)
            columns = found[described.name]["columns"]
            assert [(column["name"], column["type"]) for column in columns] == [
                (column.name, column.kind) for column in described.columns
            ]
            assert all(column["meaning"] and column["sensitivity"] for column in columns)

    def test_every_zone_says_what_lies_in_it_and_who_may_read_it(self, one: dict[str, Any]) -> None:
        zones = {zone["zone"]: zone for zone in one["zones"]}
        assert set(zones) == {"landing", "verified", "open", "live"} >= {table["zone"] for table in one["tables"]}
        assert all(all(zone.values()) for zone in zones.values())
        assert "outside the release's guarantee" in zones["live"]["sensitivity"]

    def test_the_guarantee_comes_with_its_numbers(self, one: dict[str, Any]) -> None:
        guarantee = one["guarantee"]
        assert guarantee["epsilon_per_day"] == pytest.approx(BUDGET)
        assert guarantee["days"] == 2
        assert guarantee["epsilon_of_all_days"] == pytest.approx(2 * BUDGET)
        assert "54.6 times" in guarantee["sentence"]
        assert "98 % sure" in guarantee["sentence"]

    def test_coverage_counts_days_and_rows(self, one: dict[str, Any], released: ReleasedLake) -> None:
        coverage = one["coverage"]
        assert (coverage["first_day"], coverage["last_day"]) == (FIRST.isoformat(), SECOND.isoformat())
        assert coverage["rows"] == sum(released.fitted(day).total for day in (FIRST, SECOND))
        assert "not a sample of the population" in coverage["text"]

    def test_the_licence_takes_in_cc_by_and_keeps_algorithms_open(self, client: Client, one: dict[str, Any]) -> None:
        licence = one["licence"]
        assert licence["takes_in"]["name"] == "CC-BY-4.0"
        assert not licence["name"].upper().startswith("CC")
        assert "https://creativecommons.org/licenses/by/4.0/legalcode" in licence["text"]
        assert "algorithm" in licence["text"]
        assert client.get(f"{ONE}/licence").content.decode() == licence["text"]

    def test_files_of_a_demonstration_say_so(self, client: Client, released: ReleasedLake, settings: Any) -> None:
        settings.EMBEDDED = True
        found = get(client, ONE)
        assert found["title"].endswith("(demonstration)")
        assert "(demonstration)" in found["citation"]["text"]
        assert found["known_problems"][0]["code"] == "demonstration"
        package = get(client, f"{ONE}/datapackage.json")
        assert package["title"].endswith("(demonstration)")
        assert package["description"].startswith(found["known_problems"][0]["text"])

    def test_the_citation_names_the_release(self, one: dict[str, Any]) -> None:
        assert SECOND.isoformat() in one["citation"]["text"]
        assert one["citation"]["bibtex"].count("{") == one["citation"]["bibtex"].count("}")
        assert {problem["code"] for problem in one["known_problems"]} >= {"suppressed-zips", "independent-columns"}

    def test_every_link_leads_somewhere(self, client: Client, one: dict[str, Any]) -> None:
        for name, link in one["links"].items():
            status = client.get(link.removeprefix("http://testserver")).status_code
            assert status == (400 if name == "queries" else 200), name

    def test_it_is_as_it_was_on_an_earlier_day(self, client: Client, released: ReleasedLake) -> None:
        found = get(client, f"{ONE}?as_of={FIRST}")
        assert (found["as_of"], found["coverage"]["days"]) == (FIRST.isoformat(), 1)

    def test_another_name_is_not_found(self, client: Client, released: ReleasedLake) -> None:
        for path in ("", "/releases", "/datapackage.json", "/daily.csv", "/feed.atom", "/licence"):
            assert client.get(f"{ALL}/covid-20{path}").status_code == 404

    def test_what_has_not_changed_is_not_sent_again(self, client: Client, released: ReleasedLake) -> None:
        for path in ("", "/releases", "/datapackage.json", "/croissant.json", "/daily.csv", "/feed.atom"):
            first = client.get(ONE + path)
            assert client.get(ONE + path, headers={"If-None-Match": first["ETag"]}).status_code == 304, path

    @pytest.mark.parametrize(
        ("path", "most"),
        [("", 3), ("/releases", 1), (f"/releases/{SECOND}", 1), (f"/releases/{SECOND}/profile", 1),
         (f"/releases/{SECOND}/files/NAME", 1), ("/datapackage.json", 3), ("/croissant.json", 3), ("/daily.csv", 3),
         ("/feed.atom", 3), ("/licence", 0)],
    )  # fmt: skip
    def test_an_answer_asks_the_database_few_times(
        self, client: Client, released: ReleasedLake, path: str, most: int
    ) -> None:
        file = released.release(SECOND).manifest["files"][0]["name"]
        with CaptureQueriesContext(connection) as asked:
            response = client.get(ONE + path.replace("NAME", file))
            assert response.status_code == 200
            body(response)
        assert len(asked) <= most


class TestReleases:
    """The list of releases and their files."""

    def test_the_newest_day_comes_first_with_its_manifest(self, client: Client, released: ReleasedLake) -> None:
        second, first = get(client, f"{ONE}/releases")["results"]
        assert (second["day"], first["day"]) == (SECOND.isoformat(), FIRST.isoformat())
        assert second["as_of"] == second["day"]
        assert second["manifest"]["guarantee"]["epsilon"] == pytest.approx(BUDGET)
        assert second["rows"] == released.fitted(SECOND).total
        assert get(client, second["url"].removeprefix("http://testserver")) == second

    def test_as_of_leaves_out_later_days(self, client: Client, released: ReleasedLake) -> None:
        assert [each["day"] for each in get(client, f"{ONE}/releases?as_of={FIRST}")["results"]] == [FIRST.isoformat()]
        assert get(client, f"{ONE}/releases?as_of=2020-01-01")["results"] == []

    def test_the_list_comes_in_pages(self, client: Client, released: ReleasedLake) -> None:
        page = get(client, f"{ONE}/releases?limit=1")
        after = get(client, page["next"].removeprefix("http://testserver"))
        assert [each["day"] for each in (*page["results"], *after["results"])] == [
            SECOND.isoformat(),
            FIRST.isoformat(),
        ]

    def test_each_file_is_what_the_list_says(self, client: Client, released: ReleasedLake) -> None:
        release = get(client, f"{ONE}/releases/{SECOND}")
        assert {file["table"] for file in release["files"]} == {described.name for described in OPEN_TABLES}
        for file in release["files"]:
            response = client.get(file["url"].removeprefix("http://testserver"))
            data = body(response)
            assert response["Content-Type"] == file["media_type"]
            assert len(data) == file["bytes"] == int(response["Content-Length"])
            assert hashlib.sha256(data).hexdigest() == file["sha256"]
            assert pq.read_table(io.BytesIO(data)).num_rows == file["rows"]

    @pytest.mark.parametrize(
        ("asked", "part"),
        [("bytes=0-99", slice(0, 100)), ("bytes=100-", slice(100, None)), ("bytes=-8", slice(-8, None)),
         ("bytes=4-4", slice(4, 5)), ("bytes=90-99999999", slice(90, None)), ("bytes=-99999999", slice(0, None))],
    )  # fmt: skip
    def test_a_part_of_a_file_can_be_asked_for(
        self, client: Client, released: ReleasedLake, asked: str, part: slice
    ) -> None:
        address, whole = self._a_file(client)
        response = client.get(address, headers={"Range": asked})
        data, places = body(response), range(len(whole))[part]
        assert (response.status_code, data) == (206, whole[part])
        assert response["Content-Range"] == f"bytes {places.start}-{places.stop - 1}/{len(whole)}"
        assert int(response["Content-Length"]) == len(data)

    @pytest.mark.parametrize("asked", ["bytes=0-1,5-9", "rows=0-9", "bytes=9-2", "bytes=-", "bytes=x-", "nonsense", ""])
    def test_a_header_that_is_not_a_single_range_gets_the_whole_file(
        self, client: Client, released: ReleasedLake, asked: str
    ) -> None:
        address, whole = self._a_file(client)
        response = client.get(address, headers={"Range": asked})
        assert (response.status_code, body(response)) == (200, whole)
        assert response["Accept-Ranges"] == "bytes"
        assert "Content-Range" not in response

    @pytest.mark.parametrize("asked", ["bytes=99999999-", "bytes=-0"])
    def test_a_part_past_the_end_is_refused_with_the_size(
        self, client: Client, released: ReleasedLake, asked: str
    ) -> None:
        address, whole = self._a_file(client)
        response = client.get(address, headers={"Range": asked})
        assert (response.status_code, response["Content-Range"]) == (416, f"bytes */{len(whole)}")
        assert response.json()["type"] == "/problems/range-not-satisfiable"

    def test_a_part_goes_on_only_with_the_version_that_was_begun(self, client: Client, released: ReleasedLake) -> None:
        address, whole = self._a_file(client)
        tag = client.get(address)["ETag"]
        on = client.get(address, headers={"Range": "bytes=10-", "If-Range": tag})
        assert (on.status_code, body(on)) == (206, whole[10:])
        again = client.get(address, headers={"Range": "bytes=10-", "If-Range": '"another"'})
        assert (again.status_code, body(again)) == (200, whole)

    def _a_file(self, client: Client) -> tuple[str, bytes]:
        address = get(client, f"{ONE}/releases/{SECOND}")["files"][0]["url"].removeprefix("http://testserver")
        return address, body(client.get(address))

    @pytest.mark.parametrize(
        "file",
        ["..%2f..%2fsecrets", "..", "%2e%2e", "/etc/passwd", "x.parquet", "%00", "open%2faspirevc_crowd_tracing"],
    )
    def test_no_other_file_is_given(self, client: Client, released: ReleasedLake, file: str) -> None:
        assert client.get(f"{ONE}/releases/{SECOND}/files/{file}").status_code in (400, 404)

    def test_a_file_of_another_day_is_not_found(self, client: Client, released: ReleasedLake) -> None:
        name = get(client, f"{ONE}/releases/{SECOND}")["files"][0]["name"]
        assert SECOND.isoformat() in name
        assert client.get(f"{ONE}/releases/{FIRST}/files/{name}").status_code == 404

    @pytest.mark.parametrize("day", ["2020-01-01", "2020-13-01", "yesterday"])
    def test_a_day_without_a_release_is_not_found(self, client: Client, released: ReleasedLake, day: str) -> None:
        assert client.get(f"{ONE}/releases/{day}").status_code == 404

    def test_files_are_served_from_a_bucket(
        self, client: Client, settings: Any, bucket: Any, catalogue_url: str
    ) -> None:
        settings.LAKE_URL, settings.LAKE_CATALOGUE_URL = bucket.url, catalogue_url
        settings.LAKE_S3_ENDPOINT = bucket.endpoint
        settings.LAKE_S3_ACCESS_KEY, settings.LAKE_S3_SECRET_KEY = bucket.access_key, bucket.secret_key
        announce(FIRST, now=ANNOUNCED, size=100)
        files = get(client, ONE)["files"]
        assert files
        for file in files:
            data = body(client.get(file["url"].removeprefix("http://testserver")))
            assert hashlib.sha256(data).hexdigest() == file["sha256"]


class TestDailyCounts:
    """The aggregate for clients without SQL."""

    def rows(self, client: Client, query: str = "") -> list[dict[str, str]]:
        response = client.get(f"{ONE}/daily.csv{query}")
        assert response["Content-Type"].startswith("text/csv")
        return list(csv.DictReader(io.StringIO(response.getvalue().decode())))

    def test_each_day_adds_up_to_the_published_daily_counts(self, client: Client, released: ReleasedLake) -> None:
        sums: dict[str, Counter[str]] = {}
        for row in self.rows(client):
            sums.setdefault(row["scan_date"], Counter()).update(
                {name: int(row[f"{name}_count"]) for name in ("symptoms", "diagnosed", "contact", "near", "total")}
            )
        for day in (FIRST, SECOND):
            assert tuple(sums[day.isoformat()].values()) == expected_daily(released.fitted(day))

    def test_results_and_risks_of_a_state_add_up_to_its_total(self, client: Client, released: ReleasedLake) -> None:
        rows = self.rows(client)
        assert {row["state"] for row in rows} == {"", "CA", "MA", "NY"}
        for row in rows:
            number = {
                name: int(row[f"{name}_count"]) for name in ("total", "approved", "declined", "low", "moderate", "high")
            }
            assert number["approved"] + number["declined"] == number["total"]
            assert number["low"] + number["moderate"] + number["high"] == number["total"]

    def test_as_of_leaves_out_later_days(self, client: Client, released: ReleasedLake) -> None:
        assert {row["scan_date"] for row in self.rows(client, f"?as_of={FIRST}")} == {FIRST.isoformat()}


class TestDescriptors:
    """Independent readers accept the descriptors, and read the files through them."""

    def saved(self, client: Client, folder: Path) -> dict[str, Path]:
        """Return the files of the newest release and the daily counts, by their URL in descriptors."""
        found: dict[str, Path] = {}
        daily = f"{ONE}/daily.csv?as_of={SECOND}"
        for address in (*(file["url"] for file in get(client, ONE)["files"]), f"http://testserver{daily}"):
            response = client.get(address.removeprefix("http://testserver"))
            path = folder / re.sub(r"\W+", "-", address.rpartition("/")[2]).replace("-parquet", ".parquet")
            path.write_bytes(body(response))
            found[address] = path
        return found

    def test_frictionless_takes_the_package_and_its_csv(
        self, client: Client, released: ReleasedLake, tmp_path: Path
    ) -> None:
        package = get(client, f"{ONE}/datapackage.json")
        assert frictionless.Package.validate_descriptor(package).valid
        files = self.saved(client, tmp_path)
        for resource in package["resources"]:
            data = files[resource["path"]].read_bytes()
            assert resource["bytes"] == len(data)
            assert resource["hash"] == "sha256:" + hashlib.sha256(data).hexdigest()
        [described] = [resource for resource in package["resources"] if resource["format"] == "csv"]
        path = tmp_path / "daily.csv"
        path.write_bytes(files[described["path"]].read_bytes())
        local = described | {"path": "daily.csv"}
        report = TableResource.from_descriptor(local, basepath=str(tmp_path)).validate()
        assert report.valid, report.flatten(["message"])
        path.write_text(path.read_text().replace("\r\n", ",surplus\r\n"))
        assert not TableResource.from_descriptor(local, basepath=str(tmp_path)).validate().valid

    # From the reader's own use of its libraries.
    @pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")
    @pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame.reset_index is deprecated")
    def test_mlcroissant_takes_the_description_and_reads_every_table_by_it(
        self, client: Client, released: ReleasedLake, tmp_path: Path
    ) -> None:
        response = client.get(f"{ONE}/croissant.json")
        assert response["Content-Type"].startswith("application/ld+json")
        document = json.loads(response.content)
        files = self.saved(client, tmp_path)
        mapping = {item["@id"]: str(files[item["contentUrl"]]) for item in document["distribution"]}
        dataset = mlcroissant.Dataset(jsonld=document, mapping=mapping)
        assert not dataset.metadata.issues.errors
        assert not dataset.metadata.issues.warnings
        for described, key in (
            (CROWD_TRACING, "risklevel"),
            (ZIP3, "state"),
            (DP_COUNTS, "measure"),
            (DAILY, "total_count"),
        ):
            first = next(iter(dataset.records(described.name)))
            assert set(first) == {f"{described.name}/{name}" for name in described.names}
            assert first[f"{described.name}/{key}"]

    def test_the_description_equals_what_the_files_contain(
        self, client: Client, released: ReleasedLake, tmp_path: Path
    ) -> None:
        """The schema is induced from the bytes alone: names, types, nulls, values, ranges."""
        files = self.saved(client, tmp_path)
        seen = set()
        for path in files.values():
            if path.suffix != ".parquet":
                continue
            rows = pq.read_table(path)
            described = table(path.name.partition("-")[0])
            seen.add(described.name)
            assert [(field.name, field.type) for field in rows.schema] == [
                (field.name, field.type) for field in arrow_schema(described)
            ]
            assert violations(rows.cast(arrow_schema(described)), described) == []
        assert seen == {described.name for described in OPEN_TABLES}
        daily = tmp_path / "daily.csv"
        daily.write_bytes(files[f"http://testserver{ONE}/daily.csv?as_of={SECOND}"].read_bytes())
        induced = frictionless.Schema.describe(str(daily), basepath="")
        assert [(field.name, field.type) for field in induced.fields] == [
            (column.name, FRICTIONLESS[column.kind]) for column in DAILY.columns
        ]

    @pytest.mark.parametrize("as_of", [FIRST, SECOND])
    def test_the_package_describes_every_row_up_to_the_release(
        self, client: Client, released: ReleasedLake, as_of: dt.date
    ) -> None:
        resources = get(client, f"{ONE}/datapackage.json?as_of={as_of}")["resources"]
        whole = next(each for each in resources if each["title"] == CROWD_TRACING.title)
        rows = pq.read_table(io.BytesIO(body(client.get(whole["path"].removeprefix("http://testserver")))))
        days = [day for day in (FIRST, SECOND) if day <= as_of]
        assert rows.num_rows == sum(released.fitted(day).total for day in days)
        assert set(rows["scan_date"].to_pylist()) == set(days)
        listed = {file["name"]: file for file in get(client, f"{ONE}?as_of={as_of}")["files"]}
        assert listed[f"{CROWD_TRACING.name}-whole.parquet"]["rows"] == rows.num_rows

    def test_whole_files_of_older_releases_are_removed(self, client: Client, released: ReleasedLake) -> None:
        for day in (FIRST, SECOND):
            get(client, f"{ONE}/datapackage.json?as_of={day}")
        renew_whole_files()
        names = {day: f"{ONE}/releases/{day}/files/{CROWD_TRACING.name}-whole.parquet" for day in (FIRST, SECOND)}
        assert [client.get(names[day]).status_code for day in (FIRST, SECOND)] == [404, 200]

    @pytest.mark.parametrize("described", DOCUMENTED, ids=lambda table: table.name)
    def test_api_package_and_croissant_agree_on_every_column(
        self, client: Client, released: ReleasedLake, described: Table
    ) -> None:
        names = list(described.names)
        tables = {table["name"]: table for table in get(client, ONE)["tables"]}
        assert [column["name"] for column in tables[described.name]["columns"]] == names
        resources = get(client, f"{ONE}/datapackage.json")["resources"]
        [resource] = [each for each in resources if each["title"] == described.title]
        assert [field["name"] for field in resource["schema"]["fields"]] == names
        records = {each["name"]: each for each in get(client, f"{ONE}/croissant.json")["recordSet"]}
        assert [field["name"] for field in records[described.name]["field"]] == names


def test_the_feed_announces_each_release_once_newest_first(client: Client, released: ReleasedLake) -> None:
    response = client.get(f"{ONE}/feed.atom")
    assert response["Content-Type"].startswith("application/atom+xml")
    feed = ElementTree.fromstring(response.content)
    atom = "{http://www.w3.org/2005/Atom}"
    # RFC 4287 section 4.1.1: what a feed must have
    assert all(feed.find(f"{atom}{name}") is not None for name in ("id", "title", "updated", "author"))
    assert feed.findtext(f"{atom}author/{atom}name") == "CrowdTrace"
    entries = feed.findall(f"{atom}entry")
    assert [entry.findtext(f"{atom}id") for entry in entries] == [
        f"http://testserver{ONE}/releases/{day}" for day in (SECOND, FIRST)
    ]
    updated = [dt.datetime.fromisoformat(entry.findtext(f"{atom}updated") or "") for entry in entries]
    assert updated == [ANNOUNCED + dt.timedelta(days=1), ANNOUNCED]


def test_clients_that_accept_only_a_general_type_get_it(client: Client, released: ReleasedLake) -> None:
    """Generated clients know only the general type; all others get the type of the file."""
    [file, *_] = client.get(f"{ONE}/releases/{SECOND}").json()["files"]
    signals = f"{ONE}/signals?format=parquet"
    for address, own, general in (
        (f"{ONE}/feed.atom", "application/atom+xml; charset=utf-8", "text/xml; charset=utf-8"),
        (file["url"], "application/vnd.apache.parquet", "application/octet-stream"),
        (signals, "application/vnd.apache.parquet", "application/octet-stream"),
    ):
        assert client.get(address)["Content-Type"] == own
        accepted = {"accept": general.partition(";")[0]}
        response = client.get(address, headers=accepted)
        assert (response.status_code, response["Content-Type"]) == (200, general)
        assert "Accept" in response["Vary"]
        assert client.get(address, headers={"accept": own.partition(";")[0]})["Content-Type"] == own


def test_the_profile_of_a_release_has_its_statistics_and_what_drifted(client: Client, released: ReleasedLake) -> None:
    first, second = (get(client, f"{ONE}/releases/{day}/profile") for day in (FIRST, SECOND))
    assert (first["day"], first["drift"]["against"]) == (FIRST.isoformat(), None)
    assert second["drift"]["against"] == FIRST.isoformat()
    assert second["drift"]["total_variation"]["answers"] < 0.1
    assert len(second["statistics"]) >= 40
    assert get(client, f"{ONE}/releases/{SECOND}")["profile"].endswith(f"{ONE}/releases/{SECOND}/profile")


class TestDaysAndStates:
    """Releases and daily counts of some days and states."""

    def test_releases_of_days_weeks_and_ranges(self, client: Client, released: ReleasedLake) -> None:
        def days(query: str) -> list[str]:
            return [each["day"] for each in get(client, f"{ONE}/releases?{query}")["results"]]

        year, week, _ = FIRST.isocalendar()
        assert days(f"time_values={FIRST}") == [FIRST.isoformat()]
        assert days(f"time_values={FIRST}--{SECOND}") == [SECOND.isoformat(), FIRST.isoformat()]
        assert FIRST.isoformat() in days(f"time_values={year}-W{week:02d}")
        assert days("time_values=2001-01-01,2001-02-03") == []
        assert days("time_values=*") == days("") == [SECOND.isoformat(), FIRST.isoformat()]

    def test_a_week_that_is_drawn_as_one_is_found_by_each_of_its_days(
        self, client: Client, released: ReleasedLake
    ) -> None:
        """Rows of a week are dated with its last day."""
        Release.objects.filter(day=FIRST).update(days=7)
        inside, before = FIRST - dt.timedelta(days=6), FIRST - dt.timedelta(days=7)
        for day, found in ((inside, [FIRST.isoformat()]), (before, [])):
            listed = get(client, f"{ONE}/releases?time_values={day}")["results"]
            assert [each["day"] for each in listed] == found
            rows = csv.DictReader(io.StringIO(body(client.get(f"{ONE}/daily.csv?time_values={day}")).decode()))
            assert sorted({row["scan_date"] for row in rows}) == found

    def test_daily_counts_of_a_state_and_a_day(self, client: Client, released: ReleasedLake) -> None:
        whole = list(csv.DictReader(io.StringIO(client.get(f"{ONE}/daily.csv").getvalue().decode())))
        state = next(row["state"] for row in whole if row["state"])
        asked = client.get(f"{ONE}/daily.csv?geo_values={state.lower()}&time_values={FIRST}")
        found = list(csv.DictReader(io.StringIO(asked.getvalue().decode())))
        assert found == [row for row in whole if row["state"] == state and row["scan_date"] == FIRST.isoformat()]
        assert found
        held = {row["scan_date"] for row in whole if row["state"] == state}
        listed = get(client, f"{ONE}/releases?geo_values={state}")["results"]
        assert {each["day"] for each in listed} == held

    @pytest.mark.parametrize("path", ["releases", "daily.csv"])
    @pytest.mark.parametrize(
        ("query", "pointer", "says"),
        [
            ("geo_values=zz", "?geo_values", "There is no"),
            ("time_values=soon", "?time_values", "no day such as 2020-10-15"),
            ("time_values=2020-10-16--2020-10-01", "?time_values", "no range"),
            ("states=ma", "?states", ""),
        ],
    )
    def test_a_wrong_value_is_a_problem_that_names_it(
        self, client: Client, path: str, query: str, pointer: str, says: str
    ) -> None:
        response = client.get(f"{ONE}/{path}?{query}")
        assert response.status_code == 400
        [error] = response.json()["errors"]
        assert error["pointer"] == pointer
        assert says in error["detail"]


def test_manifests_name_the_version_of_the_code(client: Client, released: ReleasedLake) -> None:
    code = get(client, f"{ONE}/releases/{FIRST}")["manifest"]["code"]
    assert re.fullmatch(r"\d+\.\d+\.\d+.*", code["crowdtrace"])
    assert re.fullmatch(r"\d+\.\d+\.\d+.*", code["opendp"])


def test_simulated_days_on_a_server_of_ones_own_are_labelled(client: Client, settings: Any) -> None:
    settings.EMBEDDED = False
    assert "simulated" not in get(client, ONE)["title"]
    mark_served(days={FIRST, SECOND})
    assert "simulated" not in get(client, ONE)["title"]
    mark_served(days={SECOND}, simulated=True)
    found = get(client, ONE)
    assert found["title"].endswith("(simulated)")
    assert found["known_problems"][0]["code"] == "simulated"
    mark_served(days={SECOND})
    assert get(client, ONE)["title"].endswith("(simulated)")
