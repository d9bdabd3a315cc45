"""The lake: Iceberg tables in a folder or in S3, their writers, and erasure from them. Begin with `write.py`."""
