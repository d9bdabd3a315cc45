"""The CloudFormation template of a deployment's lake on AWS, generated from the description of the tables.

    python -m exports.dataset.cloudformation > infrastructure/crowdtrace.json

Bucket, Glue database and tables, Athena workgroup with a scan limit, and one role for each kind of process. It was
never run on AWS itself: it is linted, and the tests create its resources in a simulation of Glue and Athena.
"""

import json
import sys
from typing import Any, Final

from pyiceberg.types import BooleanType, DateType, DoubleType, IcebergType, LongType, StringType

from exports.dataset.engines import iceberg_schema, partition_spec, properties, sort_order
from exports.dataset.tables import OPEN_TABLES, VERIFIED, Table, Zone

GIB: Final = 1024**3
# Prefixes of the bucket, under the lake's own.
RESULTS: Final = "results"
LOGS: Final = ("draws", "erasures")
_TYPES: Final[dict[type[IcebergType], str]] = {
    StringType: "string",
    LongType: "long",
    DoubleType: "double",
    BooleanType: "boolean",
    DateType: "date",
}

Json = dict[str, Any]


def _sub(text: str) -> Json:
    return {"Fn::Sub": text}


def _ref(name: str) -> Json:
    return {"Ref": name}


PARAMETERS: Final[Json] = {
    "BucketName": {"Type": "String", "Description": "Bucket of the lake; LAKE_URL is s3://BucketName/Prefix"},
    "Prefix": {"Type": "String", "Default": "lake", "Description": "Folder of the lake in the bucket"},
    "Database": {"Type": "String", "Default": "covid-19", "Description": "Name that published queries use"},
    "ScanLimitBytes": {
        "Type": "Number",
        "Default": 10 * GIB,
        "MinValue": 10_000_000,
        "Description": "A query of the workgroup is cancelled once it has scanned as much",
    },
    "ServicePrincipal": {
        "Type": "String",
        "Default": "ecs-tasks.amazonaws.com",
        "Description": "Service that the deployment's processes run under",
    },
}


def template() -> Json:
    """Return the whole template."""
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "CrowdTrace: lake, catalogue, Athena workgroup and roles",
        "Parameters": PARAMETERS,
        "Resources": {
            "Bucket": _bucket(),
            "BucketPolicy": _bucket_policy(),
            "OpenDatabase": _database(_ref("Database"), "Open tables: synthetic rows under differential privacy"),
            "VerifiedDatabase": _database(_sub("${Database}-verified"), "Verified tier: approved organisations only"),
            **{_logical(table): _table(table) for table in (*OPEN_TABLES, VERIFIED)},
            "WorkGroup": _work_group(),
            "ReleaseRole": _role("Writes releases and erases: the worker", _release_statements()),
            "WebRole": _role("Runs queries on the open tables: the web server", _web_statements()),
            "VerifiedReaderRole": _verified_reader(),
        },
        "Outputs": {
            "LakeUrl": {"Value": _sub("s3://${BucketName}/${Prefix}")},
            "WorkGroupName": {"Value": _ref("WorkGroup")},
            "ReleaseRoleArn": {"Value": {"Fn::GetAtt": ["ReleaseRole", "Arn"]}},
            "WebRoleArn": {"Value": {"Fn::GetAtt": ["WebRole", "Arn"]}},
            "VerifiedReaderRoleArn": {"Value": {"Fn::GetAtt": ["VerifiedReaderRole", "Arn"]}},
        },
    }


# Bucket ---------------------------------------------------------------------------------------------------------------
def _bucket() -> Json:
    """Return an encrypted, versioned bucket. SSE-S3, not KMS: anonymous readers of the open prefix have no key."""
    return {
        "Type": "AWS::S3::Bucket",
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
        "Properties": {
            "BucketName": _ref("BucketName"),
            "BucketEncryption": {
                "ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
            },
            "VersioningConfiguration": {"Status": "Enabled"},
            "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
            # ACLs are blocked; policies are not, since the one below opens the open prefix.
            "PublicAccessBlockConfiguration": {
                "BlockPublicAcls": True,
                "IgnorePublicAcls": True,
                "BlockPublicPolicy": False,
                "RestrictPublicBuckets": False,
            },
            "LifecycleConfiguration": {
                "Rules": [
                    {
                        "Id": "results-go-after-a-day",
                        "Status": "Enabled",
                        "Prefix": _sub("${Prefix}/" + RESULTS + "/"),
                        "ExpirationInDays": 1,
                        "NoncurrentVersionExpiration": {"NoncurrentDays": 1},
                    },
                    {
                        "Id": "unfinished-uploads-go-after-a-day",
                        "Status": "Enabled",
                        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
                    },
                ]
            },
        },
    }


def _bucket_policy() -> Json:
    return {
        "Type": "AWS::S3::BucketPolicy",
        "Properties": {
            "Bucket": _ref("Bucket"),
            "PolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Sid": "AnyoneReadsTheOpenPrefix",
                        "Effect": "Allow",
                        "Principal": "*",
                        "Action": "s3:GetObject",
                        "Resource": _objects(Zone.OPEN.value),
                    },
                    {
                        "Sid": "NothingWithoutTls",
                        "Effect": "Deny",
                        "Principal": "*",
                        "Action": "s3:*",
                        "Resource": [_sub("arn:${AWS::Partition}:s3:::${Bucket}"), _objects()],
                        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                    },
                ],
            },
        },
    }


def _objects(*folders: str) -> Json:
    """Return the ARN of all objects under the lake's folder, or in the bucket."""
    path = "/".join(("${Prefix}", *folders, "*")) if folders else "*"
    return _sub("arn:${AWS::Partition}:s3:::${Bucket}/" + path)


# Glue -----------------------------------------------------------------------------------------------------------------
def _database(name: Json, description: str) -> Json:
    return {
        "Type": "AWS::Glue::Database",
        "Properties": {
            "CatalogId": _ref("AWS::AccountId"),
            "DatabaseInput": {"Name": name, "Description": description},
        },
    }


def _logical(table: Table) -> str:
    """Return a logical name of CloudFormation: letters and digits."""
    return "".join(part.capitalize() for part in table.name.split("_")) + "Table"


def _table(table: Table) -> Json:
    """Return an Iceberg table as pyiceberg would create it: same fields and ids, partition, order and properties."""
    return {
        "Type": "AWS::Glue::Table",
        "Properties": {
            "CatalogId": _ref("AWS::AccountId"),
            "DatabaseName": _ref("VerifiedDatabase" if table.zone is Zone.VERIFIED else "OpenDatabase"),
            "Name": table.name,
            "OpenTableFormatInput": {
                "IcebergInput": {"MetadataOperation": "CREATE", "Version": "2", "IcebergTableInput": _iceberg(table)}
            },
        },
    }


def _iceberg(table: Table) -> Json:
    spec, order = partition_spec(table), sort_order(table)
    made: Json = {
        "Location": _sub(f"s3://${{Bucket}}/${{Prefix}}/{table.zone.value}/{table.name}"),
        "Schema": {
            "Type": "struct",
            "Fields": [
                {
                    "Id": field.field_id,
                    "Name": field.name,
                    "Type": _TYPES[type(field.field_type)],
                    "Required": field.required,
                    "Doc": field.doc,
                }
                for field in iceberg_schema(table).fields
            ],
        },
        "Properties": {name: value for name, value in properties(table).items() if name != "format-version"},
    }
    if spec.fields:
        made["PartitionSpec"] = {
            "SpecId": spec.spec_id,
            "Fields": [
                {"SourceId": field.source_id, "FieldId": field.field_id, "Transform": "identity", "Name": field.name}
                for field in spec.fields
            ],
        }
    if order.fields:
        made["WriteOrder"] = {
            "OrderId": order.order_id,
            "Fields": [
                {"SourceId": field.source_id, "Transform": "identity", "Direction": "asc", "NullOrder": "nulls-first"}
                for field in order.fields
            ],
        }
    return made


# Athena ---------------------------------------------------------------------------------------------------------------
def _work_group() -> Json:
    return {
        "Type": "AWS::Athena::WorkGroup",
        "Properties": {
            "Name": _sub("${Database}-researchers"),
            "Description": "Queries on the open tables, with a limit on what one may scan",
            "State": "ENABLED",
            "RecursiveDeleteOption": True,
            "WorkGroupConfiguration": {
                "EnforceWorkGroupConfiguration": True,
                "BytesScannedCutoffPerQuery": _ref("ScanLimitBytes"),
                "PublishCloudWatchMetricsEnabled": True,
                "RequesterPaysEnabled": False,
                "EngineVersion": {"SelectedEngineVersion": "Athena engine version 3"},
                "ResultConfiguration": {
                    "OutputLocation": _sub("s3://${Bucket}/${Prefix}/" + RESULTS + "/"),
                    "EncryptionConfiguration": {"EncryptionOption": "SSE_S3"},
                    "ExpectedBucketOwner": _ref("AWS::AccountId"),
                },
            },
        },
    }


# Roles ----------------------------------------------------------------------------------------------------------------
def _role(description: str, statements: list[Json]) -> Json:
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "Description": description,
            "AssumeRolePolicyDocument": _trust({"Service": _ref("ServicePrincipal")}),
            "Policies": [_policy(statements)],
        },
    }


def _trust(principal: Json) -> Json:
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}],
    }


def _policy(statements: list[Json]) -> Json:
    return {"PolicyName": "lake", "PolicyDocument": {"Version": "2012-10-17", "Statement": statements}}


def _allow(actions: list[str], resource: Any, **condition: Any) -> Json:
    return {"Effect": "Allow", "Action": actions, "Resource": resource} | (
        {"Condition": condition} if condition else {}
    )


def _listing(*folders: str) -> Json:
    prefixes = [_sub("${Prefix}/" + folder + "/*") for folder in folders]
    return _allow(
        ["s3:ListBucket", "s3:ListBucketVersions"],
        _sub("arn:${AWS::Partition}:s3:::${Bucket}"),
        StringLike={"s3:prefix": prefixes},
    )


def _catalogue(*databases: str, tables: bool = True) -> list[Json]:
    arn = "arn:${AWS::Partition}:glue:${AWS::Region}:${AWS::AccountId}:"
    names = [f"${{{database}}}" for database in databases]
    return [
        _sub(arn + "catalog"),
        *(_sub(f"{arn}database/{name}") for name in names),
        *(_sub(f"{arn}table/{name}/*") for name in names if tables),
    ]


def _release_statements() -> list[Json]:
    """Allow objects of open and verified tables and of both logs, old versions included, and the catalogue's tables."""
    zones = (Zone.OPEN.value, Zone.VERIFIED.value, *LOGS)
    return [
        _allow(
            ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion"],
            [_objects(zone) for zone in zones],
        ),
        _listing(*zones),
        _allow(
            ["glue:GetDatabase", "glue:GetTable", "glue:GetTables", "glue:CreateTable", "glue:UpdateTable"],
            _catalogue("OpenDatabase", "VerifiedDatabase"),
        ),
    ]


def _web_statements() -> list[Json]:
    """Allow open objects, results and the workgroup; of the verified tier only its reader's role, for an hour."""
    group = "arn:${AWS::Partition}:athena:${AWS::Region}:${AWS::AccountId}:workgroup/${WorkGroup}"
    return [
        _allow(["s3:GetObject"], _objects(Zone.OPEN.value)),
        _allow(["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"], _objects(RESULTS)),
        _listing(Zone.OPEN.value, RESULTS),
        _allow(["s3:GetBucketLocation"], _sub("arn:${AWS::Partition}:s3:::${Bucket}")),
        _allow(["glue:GetDatabase", "glue:GetTable", "glue:GetTables"], _catalogue("OpenDatabase")),
        _allow(
            [
                "athena:StartQueryExecution", "athena:StopQueryExecution", "athena:GetQueryExecution",
                "athena:GetQueryResults", "athena:GetWorkGroup",
            ],
            _sub(group),
        ),
        _allow(
            ["sts:AssumeRole"],
            _sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:role/${AWS::StackName}-verified-reader"),
        ),
    ]  # fmt: skip


def _verified_reader() -> Json:
    """Return the role of approved organisations: the verified tables' objects, for an hour at most."""
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "RoleName": _sub("${AWS::StackName}-verified-reader"),
            "Description": "Reads the verified tier; assumed by the web server for an approved organisation",
            "MaxSessionDuration": 3600,
            "AssumeRolePolicyDocument": _trust({"AWS": {"Fn::GetAtt": ["WebRole", "Arn"]}}),
            "Policies": [
                _policy([_allow(["s3:GetObject"], _objects(Zone.VERIFIED.value)), _listing(Zone.VERIFIED.value)])
            ],
        },
    }


def text() -> str:
    """Return the template as stored in `infrastructure/`."""
    return json.dumps(template(), indent=2) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
