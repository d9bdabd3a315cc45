"""Query a local Athena with awswrangler, in the second environment. The job is on stdin, the result on stdout."""

import json
import sys

import awswrangler
import boto3

job = json.load(sys.stdin)
awswrangler.config.athena_endpoint_url = job["athena"]
awswrangler.config.glue_endpoint_url = job["athena"]
awswrangler.config.s3_endpoint_url = job["s3"]
session = boto3.Session(
    aws_access_key_id=job["access_key"], aws_secret_access_key=job["secret_key"], region_name="us-east-1"
)
try:
    answers = [
        awswrangler.athena.read_sql_query(
            sql,
            database=job["database"],
            ctas_approach=job.get("ctas", False),
            s3_output="s3://unused/" if job.get("ctas") else None,
            workgroup=job["workgroup"],
            boto3_session=session,
        )
        for sql in job["queries"]
    ]
except Exception as error:
    json.dump({"refused": str(error)}, sys.stdout)
    sys.exit()
json.dump(
    [
        {
            "columns": list(frame.columns),
            "types": [str(kind) for kind in frame.dtypes],
            "rows": frame.astype(str).values.tolist(),
        }
        for frame in answers
    ],
    sys.stdout,
)
