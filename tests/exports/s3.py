"""A real S3 server on loopback for tests: SeaweedFS, in one process, with a separate folder and verified keys."""

import contextlib
import json
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from exports.lake.storage import S3Objects, Storage

START_SECONDS = 120.0


@dataclass(frozen=True)
class S3Server:
    """Address and keys of the running server."""

    endpoint: str
    access_key: str
    secret_key: str

    def storage(self, bucket: str, *, prefix: str = "lake") -> Storage:
        """Return a storage in that bucket."""
        return Storage(f"s3://{bucket}/{prefix}", self.endpoint, "us-east-1", self.access_key, self.secret_key)

    def make_bucket(self, bucket: str, *, versioned: bool) -> Storage:
        """Create a bucket; return a storage in it."""
        storage = self.storage(bucket)
        client = S3Objects(storage).client
        client.create_bucket(Bucket=bucket)
        if versioned:
            client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        return storage


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


@contextmanager
def s3_server() -> Iterator[S3Server]:
    """Start a server and stop it at the end; its folder goes with it."""
    folder = Path(tempfile.mkdtemp(prefix="crowdtrace-s3-"))
    access_key, secret_key = secrets.token_hex(10), secrets.token_hex(20)
    identity = {
        "name": "tests",
        "credentials": [{"accessKey": access_key, "secretKey": secret_key}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
    names = ("master", "volume", "filer", "s3")
    ports = dict(zip([*names, *(f"{name}-grpc" for name in names)], _free_ports(8), strict=True))
    command = [
        str(Path(sys.executable).with_name("weed")),
        "server",
        f"-dir={folder}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        "-master.telemetry=false",
        "-master.volumeSizeLimitMB=64",
        "-volume.max=100",
        "-filer",
        "-s3",
        f"-s3.config={folder / 's3.json'}",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        *(f"-{name}.port={ports[name]}" for name in names),
        *(f"-{name}.port.grpc={ports[name + '-grpc']}" for name in names),
    ]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
    try:
        server = S3Server(f"http://127.0.0.1:{ports['s3']}", access_key, secret_key)
        _wait(process, server, folder / "log")
        yield server
    finally:
        process.kill()  # its data is deleted anyway, and SIGTERM takes half a minute
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _wait(process: subprocess.Popen[bytes], server: S3Server, log: Path) -> None:
    """Wait until a bucket can be created and listed: the parts start one after another."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        with contextlib.suppress(urllib.error.URLError, OSError):
            urllib.request.urlopen(server.endpoint + "/healthz", timeout=2).close()
            storage = server.storage("started")
            client = S3Objects(storage).client
            # The bucket may exist already, where an earlier attempt could not write to it yet.
            with contextlib.suppress(Exception):
                client.create_bucket(Bucket="started")
            with contextlib.suppress(Exception):
                client.put_object(Bucket="started", Key="probe", Body=b"1")
                return
        time.sleep(0.2)
    raise RuntimeError("the S3 server does not start: " + log.read_text(errors="replace")[-2000:])
