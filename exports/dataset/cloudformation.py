"""The CloudFormation templates of a lake on AWS: that of a deployment, and that of researchers who read it.

    python -m exports.dataset.cloudformation

writes both to `infrastructure/`. The first has bucket, Glue databases, Athena workgroup with a scan limit, and one role
for each kind of process. It holds no tables: the worker creates them, and their place in Glue names the newest metadata
file, which an update of the stack would revert. Neither was run on AWS itself: they are linted, and the tests run the
deployment with the statements of the roles enforced.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from exports.dataset.engines import glue_table_input
from exports.dataset.tables import OPEN_TABLES, Table, Zone

GIB: Final = 1024**3
# Prefixes of the bucket, under the lake's own.
RESULTS: Final = "results"
LOGS: Final = ("draws", "erasures")
FOLDER: Final = Path(__file__).parents[2] / "infrastructure"
# Old versions are kept for operator mistakes. Those of rows and erasures expire within a day in case a sweep failed.
OLD_VERSIONS_DAYS: Final = {Zone.OPEN.value: 14, "draws": 14, Zone.VERIFIED.value: 1, "erasures": 1}

Json = dict[str, Any]


def _sub(text: str) -> Json:
    return {"Fn::Sub": text}


def _ref(name: str) -> Json:
    return {"Ref": name}


def _if(condition: str, then: Any, otherwise: Any) -> Json:
    return {"Fn::If": [condition, then, otherwise]}


PARAMETERS: Final[Json] = {
    "BucketName": {"Type": "String", "Description": "Bucket of the lake; LAKE_URL is s3://BucketName/Prefix"},
    "Prefix": {"Type": "String", "Default": "lake", "Description": "Folder of the lake in the bucket"},
    "Database": {"Type": "String", "Default": "covid-19", "Description": "Name that published queries use"},
    "ScanLimitBytes": {
        "Type": "Number",
        "Default": 10 * GIB,
        "MinValue": 10_000_000,
        "Description": "Number of bytes after which a query of the workgroup is cancelled",
    },
    "ServicePrincipal": {
        "Type": "String",
        "Default": "ecs-tasks.amazonaws.com",
        "Description": "Service that the deployment's processes run under",
    },
    "KmsKeyArn": {
        "Type": "String",
        "Default": "",
        "Description": "KMS key that encrypts the bucket; anonymous readers can then not read the open prefix",
    },
    "AccessLogBucket": {
        "Type": "String",
        "Default": "",
        "Description": "Bucket for the access log, with its own lifecycle rules: the log holds addresses of readers",
    },
}
CONDITIONS: Final[Json] = {
    "HasKey": {"Fn::Not": [{"Fn::Equals": [{"Ref": "KmsKeyArn"}, ""]}]},
    "HasAccessLog": {"Fn::Not": [{"Fn::Equals": [{"Ref": "AccessLogBucket"}, ""]}]},
}
BLOCKED: Final = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
NOTHING: Final[Json] = {"Ref": "AWS::NoValue"}


def template() -> Json:
    """Return the whole template."""
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "CrowdTrace: lake, catalogue, Athena workgroup and roles",
        "Parameters": PARAMETERS,
        "Conditions": CONDITIONS,
        "Resources": {
            "Bucket": _bucket(),
            "BucketPolicy": _bucket_policy(),
            "OpenDatabase": _database(_ref("Database"), "Open tables: synthetic rows under differential privacy"),
            "VerifiedDatabase": _database(_sub("${Database}-verified"), "Verified tier: approved organisations only"),
            "WorkGroup": _work_group(
                "s3://${Bucket}/${Prefix}/" + RESULTS + "/",
                EncryptionOption=_if("HasKey", "SSE_KMS", "SSE_S3"),
                KmsKey=_if("HasKey", _ref("KmsKeyArn"), NOTHING),
            ),
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
    """Return an encrypted, versioned bucket. Without a key of KMS, which anonymous readers cannot use, it is SSE-S3."""
    default = {
        "SSEAlgorithm": _if("HasKey", "aws:kms", "AES256"),
        "KMSMasterKeyID": _if("HasKey", _ref("KmsKeyArn"), NOTHING),
    }
    return {
        "Type": "AWS::S3::Bucket",
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
        "Properties": {
            "BucketName": _ref("BucketName"),
            "BucketEncryption": {
                "ServerSideEncryptionConfiguration": [
                    {"ServerSideEncryptionByDefault": default, "BucketKeyEnabled": _if("HasKey", True, NOTHING)}
                ]
            },
            "LoggingConfiguration": _if(
                "HasAccessLog",
                {"DestinationBucketName": _ref("AccessLogBucket"), "LogFilePrefix": _sub("${BucketName}/")},
                NOTHING,
            ),
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
                    *(
                        {
                            "Id": f"old-versions-of-{folder}-go",
                            "Status": "Enabled",
                            "Prefix": _sub("${Prefix}/" + folder + "/"),
                            "NoncurrentVersionExpiration": {"NoncurrentDays": days},
                            "ExpiredObjectDeleteMarker": True,
                        }
                        for folder, days in OLD_VERSIONS_DAYS.items()
                    ),
                ]
            },
        },
    }


def _bucket_policy() -> Json:
    """Return what everybody may do: read the open folder, and list it, as Athena does for tables over files."""
    open_alone = _listing(Zone.OPEN.value)
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
                    {"Sid": "AnyoneListsTheOpenPrefix", **open_alone, "Principal": "*"},
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
    """Return a database. Its tables are the worker's, so it outlives the stack."""
    return {
        "Type": "AWS::Glue::Database",
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
        "Properties": {
            "CatalogId": _ref("AWS::AccountId"),
            "DatabaseInput": {"Name": name, "Description": description},
        },
    }


# Athena ---------------------------------------------------------------------------------------------------------------
def _work_group(results: str, **encryption: Any) -> Json:
    """Return a workgroup whose queries have a limit, and whose clients cannot choose where results go."""
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
                    "OutputLocation": _sub(results),
                    "EncryptionConfiguration": encryption,
                    "ExpectedBucketOwner": _ref("AWS::AccountId"),
                },
            },
        },
    }


# Roles ----------------------------------------------------------------------------------------------------------------
READ: Final = ("s3:GetObject", "s3:GetObjectVersion")
REMOVE: Final = ("s3:DeleteObjectVersion",)  # the bucket is versioned, and a sweep names each version
WRITE: Final = ("s3:PutObject", "s3:AbortMultipartUpload")


def _role(description: str, statements: list[Json]) -> Json:
    ours = {"StringEqualsIfExists": {"aws:SourceAccount": _ref("AWS::AccountId")}}
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "Description": description,
            "AssumeRolePolicyDocument": _trust({"Service": _ref("ServicePrincipal")}, **ours),
            "Policies": [_policy(statements)],
        },
    }


def _trust(principal: Json, **condition: Any) -> Json:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement | ({"Condition": condition} if condition else {})]}


def _policy(statements: list[Json]) -> Json:
    return {"PolicyName": "lake", "PolicyDocument": {"Version": "2012-10-17", "Statement": statements}}


def _allow(actions: Iterable[str], resource: Any, **condition: Any) -> Json:
    return {"Effect": "Allow", "Action": [*actions], "Resource": resource} | (
        {"Condition": condition} if condition else {}
    )


def _listing(*folders: str, versions: bool = False, unnamed: bool = False) -> Json:
    """Allow listing these folders; `versions`: with old versions.

    `unnamed`: also without a prefix. S3 responds with 404 for a missing object only if the caller may list without one,
    else with 403, and the library that writes tables checks whether a new file exists. Readers manage without it
    (`Storage.open`).
    """
    actions = ["s3:ListBucket", *(["s3:ListBucketVersions"] if versions else [])]
    prefixes = {"s3:prefix": [_sub("${Prefix}/" + folder + "/*") for folder in folders]}
    condition = {"StringLikeIfExists" if unnamed else "StringLike": prefixes}
    return _allow(actions, _sub("arn:${AWS::Partition}:s3:::${Bucket}"), **condition)


def _key(*actions: str) -> Json:
    """Allow the use of the bucket's key, if it has one."""
    return _if("HasKey", _allow(actions, _ref("KmsKeyArn")), NOTHING)


def _catalogue(*databases: str) -> list[Json]:
    arn = "arn:${AWS::Partition}:glue:${AWS::Region}:${AWS::AccountId}:"
    names = [f"${{{database}}}" for database in databases]
    return [
        _sub(arn + "catalog"),
        *(_sub(f"{arn}database/{name}") for name in names),
        *(_sub(f"{arn}table/{name}/*") for name in names),
    ]


def _release_statements() -> list[Json]:
    """Allow all objects that the worker writes or sweeps, old versions included, and the catalogue's tables.

    `glue:DeleteTable` is for a restore, which replaces the current pointers by those of a backup;
    `s3:AbortMultipartUpload` for uploads that fail.
    """
    folders = (Zone.OPEN.value, Zone.VERIFIED.value, *LOGS)
    tables = ("GetTable", "CreateTable", "UpdateTable", "DeleteTable")
    return [
        _allow((*READ, *WRITE, *REMOVE), [_objects(folder) for folder in folders]),
        _allow(REMOVE, _objects(RESULTS)),
        _listing(*folders, RESULTS, versions=True, unnamed=True),
        _allow(
            ["glue:GetDatabase", *(f"glue:{action}" for action in tables)],
            _catalogue("OpenDatabase", "VerifiedDatabase"),
        ),
        _key("kms:Decrypt", "kms:GenerateDataKey"),
    ]


def _web_statements() -> list[Json]:
    """Allow open objects, results and the workgroup; of the verified tier only assuming its reader's role, for an hour.

    If queries are forwarded, Athena works with these rights: it also reads the bucket's location and the database, and
    what is in it for SHOW TABLES and SHOW PARTITIONS.
    """
    group = "arn:${AWS::Partition}:athena:${AWS::Region}:${AWS::AccountId}:workgroup/${WorkGroup}"
    queries = ("StartQueryExecution", "StopQueryExecution", "GetQueryExecution", "GetQueryResults", "GetWorkGroup")
    shown = ("GetDatabase", "GetTable", "GetTables", "GetPartitions")
    return [
        _allow(["s3:GetObject"], _objects(Zone.OPEN.value)),
        _allow(("s3:GetObject", *WRITE, *REMOVE), _objects(RESULTS)),
        _listing(Zone.OPEN.value),
        _listing(RESULTS, versions=True),
        _allow(["s3:GetBucketLocation"], _sub("arn:${AWS::Partition}:s3:::${Bucket}")),
        _allow([f"glue:{action}" for action in shown], _catalogue("OpenDatabase")),
        _allow([f"athena:{query}" for query in queries], _sub(group)),
        _allow(
            ["sts:AssumeRole"],
            _sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:role/${AWS::StackName}-verified-reader"),
        ),
        _key("kms:Decrypt", "kms:GenerateDataKey"),
    ]


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
                _policy(
                    [
                        _allow(["s3:GetObject"], _objects(Zone.VERIFIED.value)),
                        _listing(Zone.VERIFIED.value),
                        _key("kms:Decrypt"),
                    ]
                )
            ],
        },
    }


# Researchers ----------------------------------------------------------------------------------------------------------
def researchers_template() -> Json:
    """Return the template for an account of researchers: a database of their own over the public prefix."""
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "CrowdTrace for researchers: a database over the public files of a deployment, and a workgroup",
        "Parameters": {
            "LakeBucket": {"Type": "String", "Description": "Bucket of the deployment, whose open prefix anyone reads"},
            "LakePrefix": {"Type": "String", "Default": "lake", "Description": "Folder of the lake in that bucket"},
            "Database": PARAMETERS["Database"],
            "ResultsBucketName": {"Type": "String", "Description": "New bucket in your account for results of queries"},
            "ScanLimitBytes": PARAMETERS["ScanLimitBytes"],
            "Days": {
                "Type": "String",
                "Default": "2020-01-01,NOW",
                "Description": "First and last day that queries can find",
            },
        },
        "Resources": {
            "Results": {
                "Type": "AWS::S3::Bucket",
                "Properties": {
                    "BucketName": _ref("ResultsBucketName"),
                    "PublicAccessBlockConfiguration": dict.fromkeys(BLOCKED, True),
                    "LifecycleConfiguration": {
                        "Rules": [{"Id": "results-go-after-a-month", "Status": "Enabled", "ExpirationInDays": 30}]
                    },
                },
            },
            "OpenDatabase": {
                "Type": "AWS::Glue::Database",
                "Properties": {
                    "CatalogId": _ref("AWS::AccountId"),
                    "DatabaseInput": {"Name": _ref("Database"), "Description": "Public files of a CrowdTrace lake"},
                },
            },
            **{_logical(table): _public_table(table) for table in OPEN_TABLES},
            "WorkGroup": _work_group("s3://${Results}/", EncryptionOption="SSE_S3"),
        },
        "Outputs": {"WorkGroupName": {"Value": _ref("WorkGroup")}},
    }  # fmt: skip


def _logical(table: Table) -> str:
    """Return a CloudFormation logical name: letters and digits."""
    return "".join(part.capitalize() for part in table.name.split("_")) + "Table"


def _public_table(table: Table) -> Json:
    """Return an external table over the Parquet files of a table.

    It is no Iceberg table: that needs the newest metadata file, which only the deployment's own catalogue names.
    Days are found by partition projection, so that no crawler has to run.
    """
    location = f"s3://${{LakeBucket}}/${{LakePrefix}}/{table.zone.value}/{table.name}/data"
    parameters: Json = {"EXTERNAL": "TRUE", "classification": "parquet"}
    made: Json = {"Name": table.name, "TableType": "EXTERNAL_TABLE", "Parameters": parameters}
    if table.partition:
        day = f"projection.{table.partition}"
        parameters |= {
            "projection.enabled": "true",
            f"{day}.type": "date",
            f"{day}.format": "yyyy-MM-dd",
            f"{day}.range": _ref("Days"),
            "storage.location.template": _sub(location + "/" + table.partition + "=${!" + table.partition + "}/"),
        }
        made["PartitionKeys"] = [{"Name": table.partition, "Type": "date"}]
    made["StorageDescriptor"] = {
        "Columns": [
            {name: column[name] for name in ("Name", "Type", "Comment")}
            for column in glue_table_input(table, location="")["StorageDescriptor"]["Columns"]
            if column["Name"] != table.partition
        ],
        "Location": _sub(location + "/"),
        "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
        "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
        "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"},
    }
    return {
        "Type": "AWS::Glue::Table",
        "Properties": {
            "CatalogId": _ref("AWS::AccountId"),
            "DatabaseName": _ref("OpenDatabase"),
            "TableInput": made,
        },
    }


def texts() -> dict[str, str]:
    """Return the templates as stored in `infrastructure/`, by file name."""
    made = {"crowdtrace.json": template(), "crowdtrace-researchers.json": researchers_template()}
    return {name: json.dumps(one, indent=2) + "\n" for name, one in made.items()}


if __name__ == "__main__":
    for name, text in texts().items():
        (FOLDER / name).write_text(text)
