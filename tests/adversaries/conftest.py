"""Adversaries use the same services as everybody, and the same lake as researchers."""

from tests.exports.conftest import bucket, catalogue_url, deployment, deployment_in_s3, folder
from tests.passes.conftest import _fresh_limits

__all__ = [
    "_fresh_limits",
    "bucket",
    "catalogue_url",
    "deployment",
    "deployment_in_s3",
    "folder",
]
