"""The templates of the lake on AWS: contents, permissions of roles, and whether the resources can be created."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from exports.dataset.cloudformation import FOLDER, OLD_VERSIONS_DAYS, RESULTS, researchers_template, texts
from exports.dataset.tables import CROWD_TRACING, OPEN_TABLES, ZIP3
from exports.engine.engine import Engine
from exports.engine.sources import open_sources
from exports.erasure import log
from exports.lake.catalogue import Lake
from exports.lake.storage import Storage
from exports.lake.write import folder_of
from exports.release import draw_log
from tests.exports.amazon import PSEUDO, arn_of, resources, stand_in
from tests.exports.iam import policy, trusts
from tests.exports.ledger import FIRST
from tests.exports.releases import release_day

RESOURCES: dict[str, Any] = resources()


def of_type(kind: str, among: dict[str, Any] = RESOURCES) -> list[dict[str, Any]]:
    return [resource["Properties"] for resource in among.values() if resource["Type"] == kind]


@pytest.mark.parametrize("name", texts())
def test_kept_templates_are_those_that_the_tables_make(name: str) -> None:
    assert (FOLDER / name).read_text() == texts()[name], "run: python -m exports.dataset.cloudformation"


def test_cfn_lint_finds_nothing() -> None:
    lint = Path(sys.executable).with_name("cfn-lint")
    done = subprocess.run([lint, *(FOLDER / name for name in texts())], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_a_stack_that_changes_or_goes_takes_no_data_and_no_pointer_along() -> None:
    """A table's location in Glue names its newest metadata; the template would reset it."""
    assert of_type("AWS::Glue::Table") == []
    kept = [each for each in RESOURCES.values() if each["Type"] in ("AWS::S3::Bucket", "AWS::Glue::Database")]
    assert len(kept) == 3
    assert all(each["DeletionPolicy"] == each["UpdateReplacePolicy"] == "Retain" for each in kept)


class TestBucket:
    """The bucket is encrypted, versioned, and closed except for the open prefix."""

    def test_it_is_encrypted_and_versioned(self) -> None:
        [bucket] = of_type("AWS::S3::Bucket")
        [rule] = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
        assert bucket["VersioningConfiguration"]["Status"] == "Enabled"
        assert bucket["PublicAccessBlockConfiguration"]["BlockPublicAcls"]

    def test_a_key_and_a_log_of_access_are_there_when_they_are_named(self) -> None:
        [bucket] = of_type("AWS::S3::Bucket", resources(KmsKeyArn="arn:key", AccessLogBucket="logs"))
        [rule] = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "arn:key"}
        assert bucket["LoggingConfiguration"]["DestinationBucketName"] == "logs"
        [without] = of_type("AWS::S3::Bucket")
        assert "LoggingConfiguration" not in without

    def test_old_versions_go_and_those_of_rows_within_a_day(self) -> None:
        [bucket] = of_type("AWS::S3::Bucket")
        rules = {rule.get("Prefix"): rule for rule in bucket["LifecycleConfiguration"]["Rules"]}
        for folder, days in OLD_VERSIONS_DAYS.items():
            assert rules[f"lake/{folder}/"]["NoncurrentVersionExpiration"] == {"NoncurrentDays": days}
            assert "ExpirationInDays" not in rules[f"lake/{folder}/"]
        assert OLD_VERSIONS_DAYS["verified"] == OLD_VERSIONS_DAYS["erasures"] == 1

    def test_the_public_may_read_the_open_prefix_and_nothing_else(self) -> None:
        [bucket] = of_type("AWS::S3::BucketPolicy")
        allowed = [each for each in bucket["PolicyDocument"]["Statement"] if each["Effect"] == "Allow"]
        read, listed = allowed
        assert (read["Action"], read["Resource"]) == ("s3:GetObject", "arn:aws:s3:::lake/lake/open/*")
        assert listed["Action"] == ["s3:ListBucket"]
        anyone = policy(bucket["PolicyDocument"]["Statement"])
        for prefix, may in {"lake/open/x/": True, "lake/": False, "": False, "lake/verified/": False}.items():
            assert anyone.allows("s3:ListBucket", "arn:aws:s3:::lake", {"s3:prefix": prefix}) is may
        assert not anyone.allows("s3:ListBucket", "arn:aws:s3:::lake")


class TestRoles:
    """Each role has the permissions it needs."""

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
        objects = self.statements("ReleaseRole")[0]
        assert objects["Resource"] == [f"arn:aws:s3:::lake/lake/{folder}/*" for folder in written]

    @pytest.mark.parametrize("role", ["ReleaseRole", "WebRole"])
    def test_only_services_of_this_account_take_a_role(self, role: str) -> None:
        trust = RESOURCES[role]["Properties"]["AssumeRolePolicyDocument"]
        assert trusts(trust, "ecs-tasks.amazonaws.com", {"aws:SourceAccount": PSEUDO["AWS::AccountId"]})
        assert not trusts(trust, "ecs-tasks.amazonaws.com", {"aws:SourceAccount": "999999999999"})
        assert not trusts(trust, "lambda.amazonaws.com")

    def test_only_the_web_server_takes_the_role_of_readers_and_for_an_hour(self) -> None:
        reader = RESOURCES["VerifiedReaderRole"]["Properties"]
        assert reader["MaxSessionDuration"] == 3600
        assert trusts(reader["AssumeRolePolicyDocument"], arn_of("WebRole"))
        assert not trusts(reader["AssumeRolePolicyDocument"], arn_of("ReleaseRole"))

    @pytest.mark.parametrize(
        ("role", "action", "path"),
        [
            ("WebRole", "s3:GetObject", "verified/a"),
            ("WebRole", "s3:PutObject", "open/a"),
            ("WebRole", "s3:GetObject", "erasures/2026-05-14"),
            ("WebRole", "s3:GetObject", "draws/2026-05-14"),
            ("VerifiedReaderRole", "s3:GetObject", "erasures/2026-05-14"),
            ("VerifiedReaderRole", "s3:PutObject", "verified/a"),
            ("ReleaseRole", "s3:GetObject", "results/a"),
            ("ReleaseRole", "s3:PutObject", "elsewhere/a"),
        ],
    )
    def test_a_role_has_nothing_else(self, role: str, action: str, path: str) -> None:
        assert not policy(self.statements(role)).allows(action, f"arn:aws:s3:::lake/lake/{path}")

    def test_the_key_is_for_roles_that_read_or_write_with_it(self) -> None:
        for role, actions in {"ReleaseRole": 2, "WebRole": 2, "VerifiedReaderRole": 1}.items():
            [given] = resources(KmsKeyArn="arn:key")[role]["Properties"]["Policies"]
            found = policy(given["PolicyDocument"]["Statement"])
            wanted = ("kms:Decrypt", "kms:GenerateDataKey", "kms:ScheduleKeyDeletion")
            assert [found.allows(action, "arn:key") for action in wanted].count(True) == actions
            assert not policy(self.statements(role)).allows("kms:Decrypt", "arn:key")


class TestResearchers:
    """A template for researchers: their own database over the public prefix, their own results."""

    MADE = resources(researchers_template(), LakeBucket="lake", ResultsBucketName="ours")

    def test_its_tables_read_the_public_prefix_only(self) -> None:
        tables = {table["TableInput"]["Name"]: table["TableInput"] for table in of_type("AWS::Glue::Table", self.MADE)}
        assert set(tables) == {table.name for table in OPEN_TABLES}
        [bucket_policy] = of_type("AWS::S3::BucketPolicy")
        public = policy(bucket_policy["PolicyDocument"]["Statement"])
        for described in OPEN_TABLES:
            location = tables[described.name]["StorageDescriptor"]["Location"]
            assert location == f"s3://lake/lake/open/{described.name}/data/"
            assert public.allows("s3:GetObject", f"arn:aws:s3:::{location.removeprefix('s3://')}a.parquet")
            folder = {"s3:prefix": location.removeprefix("s3://lake/")}  # Athena lists the files of a table
            assert public.allows("s3:ListBucket", "arn:aws:s3:::lake", folder)
            columns = [column["Name"] for column in tables[described.name]["StorageDescriptor"]["Columns"]]
            keys = [key["Name"] for key in tables[described.name].get("PartitionKeys", [])]
            assert sorted([*columns, *keys]) == sorted(described.names)

    def test_days_are_found_where_the_lake_writes_them(self) -> None:
        [table] = [
            each["TableInput"]
            for each in of_type("AWS::Glue::Table", self.MADE)
            if each["TableInput"]["Name"] == CROWD_TRACING.name
        ]
        pattern = table["Parameters"]["storage.location.template"]
        written = f"s3://lake/lake/open/{CROWD_TRACING.name}/{folder_of(CROWD_TRACING, FIRST)}/"
        assert pattern.replace("${scan_date}", FIRST.isoformat()) == written
        assert "projection.enabled" not in next(
            each["TableInput"]["Parameters"]
            for each in of_type("AWS::Glue::Table", self.MADE)
            if each["TableInput"]["Name"] == ZIP3.name
        )

    def test_it_has_no_role_and_its_results_are_private(self) -> None:
        assert of_type("AWS::IAM::Role", self.MADE) == []
        [bucket] = of_type("AWS::S3::Bucket", self.MADE)
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
        [group] = of_type("AWS::Athena::WorkGroup", self.MADE)
        assert group["WorkGroupConfiguration"]["ResultConfiguration"]["OutputLocation"] == "s3://ours/"

    def test_glue_takes_its_tables(self, aws: str) -> None:
        glue = client("glue", aws)
        glue.create_database(DatabaseInput={"Name": "researchers"})
        for table in of_type("AWS::Glue::Table", self.MADE):
            glue.create_table(DatabaseName="researchers", TableInput=table["TableInput"])
        made = glue.get_tables(DatabaseName="researchers")["TableList"]
        assert {table["Name"] for table in made} == {table.name for table in OPEN_TABLES}
        glue.delete_database(Name="researchers")


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
    assert found["ResultConfiguration"]["OutputLocation"] == f"s3://lake/lake/{RESULTS}/"
