"""The deployment on Amazon with exactly the roles of the template."""

import datetime as dt
import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import boto3
import pytest
from botocore.exceptions import ClientError
from django.core.management import call_command
from django.test import Client

from exports.athena import results
from exports.backup import lake as backup
from exports.dataset.tables import VERIFIED
from exports.dataset.whole import renew_whole_files
from exports.engine.run import run_query
from exports.erasure.batches import run_erasures
from exports.erasure.requests import request_erasure
from exports.lake import deployment
from exports.lake.deployment import deployment_lake, storage, verified_storage
from exports.lake.storage import S3Objects, Storage, StoredObject
from exports.lake.whole import remove_others
from exports.models import Erasure, Step, VerifiedDay
from exports.release import closed_days
from exports.release.recipients import approve_recipient, make_credential, read_file
from passes.codec.identity import hash_owner
from tests.exports.amazon import arn_of, stand_in
from tests.exports.gateway import ROLES, Gateway, Wish, gateway, glue_wishes, s3_wishes
from tests.exports.published import publish, published_rows
from tests.exports.rows import CLOSED, DAY, a_place, a_scanned_pass
from tests.exports.s3 import S3Server
from tests.exports.target import Target

pytestmark = pytest.mark.django_db(transaction=True)
NOW: Final = CLOSED + dt.timedelta(hours=1)
# Used by failed uploads, by a file that is rewritten between two requests, and by Athena with the permissions of the
# web server if queries are forwarded.
NOT_USED_HERE: Final = {
    "ReleaseRole": {"s3:AbortMultipartUpload"},
    "VerifiedReaderRole": {"s3:ListBucket"},
    "WebRole": {
        "s3:AbortMultipartUpload",
        "s3:GetBucketLocation",
        "glue:GetDatabase",
        "glue:GetTables",
        "glue:GetPartitions",
        "athena:StartQueryExecution",
        "athena:StopQueryExecution",
        "athena:GetQueryExecution",
        "athena:GetQueryResults",
        "athena:GetWorkGroup",
    },
}


@pytest.fixture
def amazon(
    s3: S3Server, bucket: Storage, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Gateway]:
    """Run S3, Glue and STS behind the statements, with databases as the template creates them, and no table."""
    prefix = bucket.url.rpartition("/")[2]
    with stand_in() as control, gateway(s3, control, BucketName="lake", Prefix=prefix) as made:
        glue = boto3.client(
            "glue", endpoint_url=control, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
        )
        for resource in made.made.values():
            if resource["Type"] == "AWS::Glue::Database":
                glue.create_database(DatabaseInput=resource["Properties"]["DatabaseInput"])
        settings.LAKE_URL, settings.LAKE_S3_ENDPOINT = bucket.url, made.address
        settings.LAKE_CATALOGUE, settings.LAKE_GLUE_ENDPOINT = "glue", made.address
        settings.LAKE_VERIFIED_ROLE = arn_of("VerifiedReaderRole")
        settings.QUERY_SLOTS, settings.DATASET_EPSILON = str(tmp_path), 8.0
        settings.LAKE_S3_SECRET_KEY = "of no use, as the gateway asks who it is and nothing more"
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", made.address)
        deployment._assumed.cache_clear()
        yield made
        deployment._assumed.cache_clear()


def act_as(role: str, amazon: Gateway, settings: Any) -> None:
    """Run as a process of the deployment with this role."""
    settings.LAKE_S3_ACCESS_KEY = amazon.key_of(role)


def test_the_night_of_the_worker_and_the_day_of_the_web_server(
    amazon: Gateway, settings: Any, tmp_path: Path, client: Client
) -> None:
    """Release, verified rows, sweep of results, query, download, erasure and restore are refused nothing."""
    act_as("WebRole", amazon, settings)
    before = run_query(sql="SELECT count(*) AS n FROM aspirevc_crowd_tracing")
    assert before.result.table["n"].to_pylist() == [0], "before the first release there is no table"

    act_as("ReleaseRole", amazon, settings)
    place = a_place()
    rows = [
        a_scanned_pass(place, owner_hash=hash_owner(bytes([number]) * 32), contact=number % 3 == 0)
        for number in range(60)
    ]
    closed_days.mark_served(days={DAY})
    [released] = closed_days.release_waiting(now=CLOSED)
    assert released.step == Step.ANNOUNCED
    renew_whole_files()
    publish(rows, day=DAY)
    VerifiedDay.objects.create(day=DAY, step=VerifiedDay.Step.ANNOUNCED, rows=60)

    act_as("WebRole", amazon, settings)
    answered = run_query(sql="SELECT count(*) AS n FROM aspirevc_crowd_tracing")
    assert answered.result.table["n"].to_pylist() == [released.manifest["rows"]]
    package = client.get("/api/v1/datasets/covid-19/datapackage.json").json()
    assert any(each["path"].endswith("-whole.parquet") for each in package["resources"])
    [file, *_] = released.manifest["files"]
    with storage().open(file["path"]) as stream:
        assert stream.read(4) == b"PAR1"
    storage().write(f"{results.FOLDER}/old.csv", b"1")
    with pytest.raises(FileNotFoundError):
        storage().open(f"{results.FOLDER}/missing.csv")
    recipient = approve_recipient(name="Institute", actor="operator", now=NOW)
    credential, _ = make_credential(recipient=recipient, days=1, first_day=DAY, last_day=DAY, actor="operator", now=NOW)
    assert read_file(credential=credential, day=DAY, number=0, now=NOW).body[:4] == b"PAR1"
    request_erasure(owner_hashes=[hash_owner(bytes([3]) * 32)], now=NOW)

    act_as("ReleaseRole", amazon, settings)
    with deployment_lake() as lake:
        tables = backup.pointers(lake)
        files = backup.copy_out(lake, tables, tmp_path / "backup")
    assert results.sweep_results() == 1
    assert run_erasures(now=NOW) == 1
    assert Erasure.objects.get().proven
    assert len(published_rows()) == 59
    backup.put_back(storage(), tables, tmp_path / "backup", files, old=storage().url)
    with deployment.lake_as_it_is() as lake:
        backup.point(lake, tables)
        backup.remove_unreached(lake)
    assert len(published_rows()) == 60, "the older pointer is in force again"

    act_as("WebRole", amazon, settings)
    [kept, other] = (uuid.uuid4() for _ in range(2))
    storage().write(f"{results.FOLDER}/{other}.csv", b"1")
    assert results.sweep_results() == 1, "the web server makes room for newer results"
    with pytest.raises(FileNotFoundError):
        storage().open(f"{results.FOLDER}/{kept}.csv")
    # Its first request for a missing object is refused, and then answered by the list of its folder.
    assert all(each.startswith("WebRole s3:ListBucket ") for each in amazon.refused)

    act_as("ReleaseRole", amazon, settings)
    remove_others(storage(), 0)
    act_as("WebRole", amazon, settings)
    package = client.get("/api/v1/datasets/covid-19/datapackage.json")
    assert package.status_code == 200, "whole tables that are not there, and that it may not write, are left out"
    assert not any(each["path"].endswith("-whole.parquet") for each in package.json()["resources"])

    for role in ROLES:
        unused = amazon.granted(role) - {action for one, action in amazon.asked if one == role}
        assert unused == NOT_USED_HERE[role]


@pytest.mark.long
def test_a_restore_with_the_roles_alone(amazon: Gateway, settings: Any, tmp_path: Path, catalogue_url: str) -> None:
    """Test a backup, an erasure and a release after it, the restore, both of them again, and a query."""
    act_as("ReleaseRole", amazon, settings)
    place, folder, later = a_place(), str(tmp_path / "backup"), DAY + dt.timedelta(days=1)
    rows = [
        a_scanned_pass(place, owner_hash=hash_owner(bytes([number]) * 32), contact=number % 3 == 0)
        for number in range(60)
    ]
    closed_days.release_day(day=DAY, now=CLOSED)
    publish(rows, day=DAY)
    call_command("backup", folder)

    a_scanned_pass(place, day=later)
    released = closed_days.release_day(day=later, now=CLOSED + dt.timedelta(days=1))
    act_as("WebRole", amazon, settings)
    request_erasure(owner_hashes=[hash_owner(bytes([3]) * 32)], now=NOW)
    act_as("ReleaseRole", amazon, settings)
    assert run_erasures(now=NOW) == 1
    kept = published_rows()
    call_command("backup", folder, "--logs")

    worker = Target(catalogue_url, storage(), amazon.address)
    printed = worker.says("restore", folder, "--replace")
    receipt = json.loads(printed[printed.index("{") : printed.rindex("}") + 1])
    assert (receipt["status"], receipt["lake"]["rows"], receipt["lake"]["proven"]) == ("done", 1, True)
    assert sorted(worker.rows(VERIFIED), key=lambda row: str(row["userid"])) == kept
    assert str(later) in worker.says("release")

    act_as("WebRole", amazon, settings)
    web = Target(catalogue_url, storage(), amazon.address)
    sql = f"SELECT count(*) AS n FROM aspirevc_crowd_tracing WHERE scan_date = DATE '{later}'"
    assert json.loads(web.says("query", sql, "--format", "json"))["rows"] == [[released.manifest["rows"]]]
    assert {each for each in amazon.refused if not each.startswith("WebRole s3:ListBucket")} == set()


def test_roles_are_refused_what_is_not_theirs(amazon: Gateway, settings: Any) -> None:
    act_as("ReleaseRole", amazon, settings)
    with deployment_lake() as lake:
        location = lake.location(VERIFIED)
    [metadata] = [each for each in storage().objects().versions(location) if each.url.endswith(".json")]

    act_as("WebRole", amazon, settings)
    objects = storage().objects()
    for refused in (
        lambda: objects.read(metadata),
        lambda: list(objects.versions(location)),
        lambda: objects.write(storage().at("open", "mine"), b"1"),
        lambda: objects.remove([StoredObject(storage().at("open", "mine"), 1)]),
        lambda: objects.write(storage().at("erasures", "2026-05-14"), b"1"),
    ):
        with pytest.raises(ClientError, match=r"AccessDenied|Access Denied|403"):
            refused()
    for key in ("", storage().url.rpartition("/")[2], "verified/"):
        for listed in ("list_objects_v2", "list_object_versions"):
            for prefix in ({"Prefix": key}, {}):
                with pytest.raises(ClientError, match="AccessDenied"):
                    getattr(S3Objects(storage()).client, listed)(Bucket="lake", **prefix)
    with pytest.raises(FileNotFoundError):
        storage().open("open/missing.json")
    with pytest.raises(OSError, match="ACCESS_DENIED"):
        storage().open(storage().relative(metadata.url))
    with pytest.raises((ClientError, OSError)), deployment_lake():
        pass  # readers create nothing, because they may not
    reader = S3Objects(verified_storage(reader="r"))
    assert reader.read(StoredObject(metadata.url, 0))
    with pytest.raises(FileNotFoundError):
        reader.read(StoredObject(storage().at("verified", "missing"), 0))
    with pytest.raises(ClientError, match="AccessDenied"):
        reader.client.list_objects_v2(Bucket="lake")
    with pytest.raises(ClientError, match="Access"):
        reader.write(metadata.url, b"1")

    settings.LAKE_S3_ACCESS_KEY = "AKIASTRANGER"
    with pytest.raises(ClientError):
        storage().objects().read(metadata)
    act_as("ReleaseRole", amazon, settings)
    deployment._assumed.cache_clear()
    with pytest.raises(ClientError, match="AssumeRole"):
        verified_storage(reader="r")


def test_the_gateway_knows_what_requests_need() -> None:
    """No role has a permission that the gateway does not know."""
    arn = "arn:aws:s3:::lake"
    assert s3_wishes("HEAD", "/lake/a/b%20c", b"") == [Wish("s3:GetObject", f"{arn}/a/b c")]
    assert s3_wishes("GET", "/lake/a?versionId=1", b"") == [Wish("s3:GetObjectVersion", f"{arn}/a")]
    assert s3_wishes("GET", "/lake?list-type=2&prefix=a/", b"") == [Wish("s3:ListBucket", arn, {"s3:prefix": "a/"})]
    assert s3_wishes("GET", "/lake/?versions&prefix=a/", b"") == [
        Wish("s3:ListBucketVersions", arn, {"s3:prefix": "a/"})
    ]
    two = b"<Delete><Object><Key>a</Key></Object><Object><Key>b</Key><VersionId>1</VersionId></Object></Delete>"
    assert [wish.action for wish in s3_wishes("POST", "/lake?delete", two)] == [
        "s3:DeleteObject", "s3:DeleteObjectVersion",
    ]  # fmt: skip
    assert s3_wishes("PUT", "/lake?policy", b"") == [Wish("s3:Unknown", arn)]
    asked = glue_wishes("AWSGlue.GetTable", b'{"DatabaseName": "covid-19", "Name": "t"}')
    assert [wish.resource.rpartition(":")[2] for wish in asked] == ["catalog", "database/covid-19", "table/covid-19/t"]
