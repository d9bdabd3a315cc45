"""Query a local Athena with awswrangler, in the second environment. Job on stdin, result on stdout."""

import json
import sys

import awswrangler
import boto3

job = json.load(sys.stdin)
awswrangler.config.athena_endpoint_url = job["athena"]
awswrangler.config.s3_endpoint_url = job["s3"]
session = boto3.Session(
    aws_access_key_id=job["access_key"], aws_secret_access_key=job["secret_key"], region_name="us-east-1"
)
answers = [
    awswrangler.athena.read_sql_query(
        sql,
        database=job["database"],
        ctas_approach=False,
        workgroup=job["workgroup"],
        boto3_session=session,
    )
    for sql in job["queries"]
]
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
