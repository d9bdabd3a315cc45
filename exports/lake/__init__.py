"""The lake: Iceberg tables in a local folder or in S3, their writers, and the sweep after an erasure."""
