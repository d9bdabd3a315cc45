"""The template of the lake on AWS matches the tables, and its resources can be created."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from exports.dataset.cloudformation import template, text
from exports.dataset.engines import glue_table_input, iceberg_schema
from exports.dataset.tables import CROWD_TRACING, OPEN_TABLES, VERIFIED
from exports.engine.engine import Engine
from exports.engine.sources import open_sources
from exports.erasure import log
from exports.lake.catalogue import Lake
from exports.lake.storage import Storage
from exports.release import draw_log
from tests.exports.amazon import stand_in
from tests.exports.ledger import FIRST
from tests.exports.releases import release_day

KEPT = Path(__file__).parents[3] / "infrastructure" / "crowdtrace.json"
VALUES = {name: parameter.get("Default", "lake") for name, parameter in template()["Parameters"].items()}
PSEUDO = {"AWS::AccountId": "123456789012", "AWS::Partition": "aws", "AWS::Region": "us-east-1", "AWS::StackName": "x"}
TABLES = (*OPEN_TABLES, VERIFIED)


def resolved(node: Any) -> Any:
    """Return the template with parameters and names resolved, as CloudFormation would."""
    names = VALUES | PSEUDO | {"Bucket": "lake", "OpenDatabase": "covid-19", "VerifiedDatabase": "covid-19-verified"}
    names["WorkGroup"] = "covid-19-researchers"
    match node:
        case {"Ref": name}:
            return names[name]
        case {"Fn::Sub": str(pattern)}:
            for name, value in names.items():
                pattern = pattern.replace(f"${{{name}}}", str(value))
            assert "${" not in pattern
            return pattern
        case {"Fn::GetAtt": [name, _]}:
            return f"arn:{name}"
        case dict():
            return {key: resolved(value) for key, value in node.items()}
        case list():
            return [resolved(each) for each in node]
    return node


RESOURCES: dict[str, Any] = {name: resolved(value) for name, value in template()["Resources"].items()}


def of_type(kind: str) -> list[dict[str, Any]]:
    return [resource["Properties"] for resource in RESOURCES.values() if resource["Type"] == kind]


def test_the_kept_template_is_the_one_the_tables_make() -> None:
    assert KEPT.read_text() == text(), "run: python -m exports.dataset.cloudformation > infrastructure/crowdtrace.json"


def test_cfn_lint_has_nothing_to_say() -> None:
    lint = Path(sys.executable).with_name("cfn-lint")
    done = subprocess.run([lint, KEPT], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


class TestBucket:
    """Encrypted, versioned, closed but for the open prefix."""

    def test_it_is_encrypted_and_versioned(self) -> None:
        [bucket] = of_type("AWS::S3::Bucket")
        [rule] = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
        assert bucket["VersioningConfiguration"]["Status"] == "Enabled"
        assert bucket["PublicAccessBlockConfiguration"]["BlockPublicAcls"]

    def test_the_public_may_read_the_open_prefix_and_nothing_else(self) -> None:
        [policy] = of_type("AWS::S3::BucketPolicy")
        allowed = [each for each in policy["PolicyDocument"]["Statement"] if each["Effect"] == "Allow"]
        [statement] = allowed
        assert statement["Action"] == "s3:GetObject"
        assert statement["Resource"] == "arn:aws:s3:::lake/lake/open/*"


class TestRoles:
    """Each role may do what it needs."""

    def statements(self, role: str) -> list[dict[str, Any]]:
        [policy] = RESOURCES[role]["Properties"]["Policies"]
        return list(policy["PolicyDocument"]["Statement"])

    @pytest.mark.parametrize("role", ["ReleaseRole", "WebRole", "VerifiedReaderRole"])
    def test_no_statement_is_for_everything(self, role: str) -> None:
        for statement in self.statements(role):
            resources = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
            assert all(action.count("*") == 0 for action in statement["Action"])
            assert all(resource != "*" and not resource.endswith(":::lake/*") for resource in resources)

    def test_the_worker_reaches_every_folder_it_writes(self) -> None:
        written = ("open", "verified", draw_log.FOLDER, log.FOLDER)
        objects, listing = self.statements("ReleaseRole")[:2]
        assert objects["Resource"] == [f"arn:aws:s3:::lake/lake/{folder}/*" for folder in written]
        assert listing["Condition"]["StringLike"]["s3:prefix"] == [f"lake/{folder}/*" for folder in written]

    def test_the_web_server_cannot_read_the_verified_tier(self) -> None:
        said = json.dumps([each for each in self.statements("WebRole") if "sts:AssumeRole" not in each["Action"]])
        assert "verified" not in said

    def test_readers_of_the_verified_tier_only_read_it_and_for_an_hour(self) -> None:
        assert RESOURCES["VerifiedReaderRole"]["Properties"]["MaxSessionDuration"] == 3600
        said = self.statements("VerifiedReaderRole")
        assert [each["Action"] for each in said] == [["s3:GetObject"], ["s3:ListBucket", "s3:ListBucketVersions"]]
        assert said[0]["Resource"] == "arn:aws:s3:::lake/lake/verified/*"


@pytest.fixture(scope="module")
def aws() -> Iterator[str]:
    """Yield Glue's and Athena's control planes on loopback."""
    with stand_in() as address:
        yield address


def client(service: str, endpoint: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def test_glue_holds_what_the_template_says_and_the_lake_finds_it_there(
    aws: str, bucket: Storage, tmp_path: Path
) -> None:
    glue = client("glue", aws)
    for database in of_type("AWS::Glue::Database"):
        glue.create_database(DatabaseInput=database["DatabaseInput"])
    made = {each["Name"] for each in glue.get_databases()["DatabaseList"]}
    assert made == {"covid-19", "covid-19-verified"}
    described = {table.name: table for table in TABLES}
    for table in of_type("AWS::Glue::Table"):
        known = described[table["Name"]]
        given = table["OpenTableFormatInput"]["IcebergInput"]["IcebergTableInput"]
        assert [(field["Id"], field["Name"]) for field in given["Schema"]["Fields"]] == [
            (field.field_id, field.name) for field in iceberg_schema(known).fields
        ]
        assert given["Location"] == f"s3://lake/lake/{known.zone}/{known.name}"
        partition = given.get("PartitionSpec", {}).get("Fields", [])
        assert [field["Name"] for field in partition] == ([known.partition] if known.partition else [])
        glue.create_table(
            DatabaseName=table["DatabaseName"], TableInput=glue_table_input(known, location=given["Location"])
        )
        found = glue.get_table(DatabaseName=table["DatabaseName"], Name=known.name)["Table"]
        assert [column["Name"] for column in found["StorageDescriptor"]["Columns"]] == list(known.names)
        # The lake makes them itself below, with Iceberg's metadata, which the simulation does not write.
        glue.delete_table(DatabaseName=table["DatabaseName"], Name=known.name)
    with Lake.in_glue(endpoint=aws, storage=bucket, database="covid-19") as lake:
        lake.prepare()
        fitted = release_day(lake, day=FIRST, size=300)
        found = glue.get_table(DatabaseName="covid-19", Name=CROWD_TRACING.name)["Table"]
        assert found["Parameters"]["table_type"].upper() == "ICEBERG"
        engine = Engine(schema="covid-19", sources=open_sources(lake), storage=bucket, slots=tmp_path)
        counted = engine.run('SELECT count(*) AS n FROM "covid-19"."aspirevc_crowd_tracing"')
    assert counted.table["n"].to_pylist() == [fitted.total]


def test_the_workgroup_has_its_limit_and_a_fixed_result_location(aws: str) -> None:
    athena = client("athena", aws)
    [group] = of_type("AWS::Athena::WorkGroup")
    athena.create_work_group(
        Name=group["Name"], Description=group["Description"], Configuration=group["WorkGroupConfiguration"]
    )
    found = athena.get_work_group(WorkGroup=group["Name"])["WorkGroup"]["Configuration"]
    assert found["EnforceWorkGroupConfiguration"] is True
    assert found["BytesScannedCutoffPerQuery"] == 10 * 1024**3
    assert found["ResultConfiguration"]["OutputLocation"] == "s3://lake/lake/results/"
