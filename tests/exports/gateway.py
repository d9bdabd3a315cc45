"""A gateway in front of S3, Glue and STS that checks each request against the statements of a role.

The access key identifies the role, and `tests.exports.iam` decides. Permitted requests are forwarded to the real S3
server under its own keys, or to the simulation of Glue and STS. Refused ones get Amazon's response, and are recorded.
"""

import http.client
import json
import re
import secrets
import threading
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.exports.amazon import PSEUDO, arn_of, resources
from tests.exports.iam import Policy, policy, trusts
from tests.exports.s3 import S3Server

ROLES: Final = ("ReleaseRole", "WebRole", "VerifiedReaderRole")
BUCKET: Final = "arn:aws:s3:::"
GLUE: Final = f"arn:aws:glue:us-east-1:{PSEUDO['AWS::AccountId']}:"
# Headers that belong to one connection, or to the signature that is replaced.
_OWN: Final = {"host", "connection", "authorization", "content-length", "transfer-encoding", "expect", "x-amz-date",
    "x-amz-content-sha256", "x-amz-security-token", "x-amz-decoded-content-length", "x-amz-trailer", "content-encoding",
    "x-amz-sdk-checksum-algorithm", "accept-encoding"}  # fmt: skip


@dataclass(frozen=True)
class Wish:
    """An action on a resource, with the keys that conditions read."""

    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Gateway:
    """Access keys by role, and the refused requests."""

    s3: S3Server
    control: str
    made: dict[str, Any]
    address: str = ""
    keys: dict[str, str] = field(default_factory=dict)
    """Roles by access key."""
    refused: list[str] = field(default_factory=list)
    asked: set[tuple[str, str]] = field(default_factory=set)
    """Role and action of each request that was allowed."""

    def key_of(self, role: str) -> str:
        """Return an access key of a role."""
        key = "AKIA" + secrets.token_hex(8).upper()
        self.keys[key] = role
        return key

    def policy_of(self, role: str) -> Policy:
        """Return the statements of a role."""
        [given] = self.made[role]["Properties"]["Policies"]
        return policy(given["PolicyDocument"]["Statement"])

    def granted(self, role: str) -> set[str]:
        """Return all actions of a role's statements."""
        return {action for statement in self.policy_of(role).statements for action in statement["Action"]}

    def may(self, role: str, wish: Wish) -> bool:
        """Return whether a role may do this, and record a refusal."""
        allowed = self.policy_of(role).allows(wish.action, wish.resource, wish.context)
        if allowed:
            self.asked.add((role, wish.action))
        else:
            self.refused.append(f"{role} {wish.action} {wish.resource} {dict(wish.context)}")
        return allowed


@contextmanager
def gateway(s3: S3Server, control: str, **parameters: str) -> Iterator[Gateway]:
    """Yield a gateway that listens on loopback; `parameters` are those of the template."""
    made = Gateway(s3, control, resources(None, **parameters))
    handler = type("Handler", (_Handler,), {"gateway": made})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as listening:
        made.address = f"http://127.0.0.1:{listening.server_port}"
        thread = threading.Thread(target=listening.serve_forever, daemon=True)
        thread.start()
        try:
            yield made
        finally:
            listening.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    gateway: Gateway
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _answer(self) -> None:
        body = self._body()
        key = re.search(r"Credential=([^/]+)/[^/]+/[^/]+/([^/]+)/", self.headers.get("Authorization", ""))
        role = self.gateway.keys.get(key[1]) if key else None
        service = key[2] if key else "s3"
        if role is None:
            self._refuse(service)
        elif service == "s3":
            self._to_s3(role, body)
        else:
            self._to_control(role, service, body)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _answer  # noqa: N815 - named by the library

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            data = b""
            while size := int(self.rfile.readline().split(b";")[0], 16):
                data += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if "aws-chunked" in self.headers.get("Content-Encoding", ""):
            return _unchunked(data)
        return data

    def _refuse(self, service: str) -> None:
        text = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
        if service == "sts":
            text = f"<ErrorResponse>{text}</ErrorResponse>"
        if service == "glue":
            text = json.dumps({"__type": "AccessDeniedException", "Message": "not authorized"})
        self._send(400 if service == "glue" else 403, {"Content-Type": "application/xml"}, text.encode())

    def _send(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in {"connection", "transfer-encoding", "content-length", "keep-alive"}:
                self.send_header(name, value)
        size = headers.get("Content-Length", str(len(body))) if self.command == "HEAD" else str(len(body))
        self.send_header("Content-Length", size)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    # S3 ---------------------------------------------------------------------------------------------------------------
    def _to_s3(self, role: str, body: bytes) -> None:
        wishes = s3_wishes(self.command, self.path, body)
        if not all(self.gateway.may(role, wish) for wish in wishes):
            self._refuse("s3")
            return
        status, headers, answer = self._forwarded(body)
        bucket = f"{BUCKET}{urlsplit(self.path).path.split('/')[1]}"
        is_object = self.command in ("GET", "HEAD") and wishes[0].action.startswith("s3:GetObject")
        if status == 404 and is_object and not self.gateway.may(role, Wish("s3:ListBucket", bucket)):
            self._refuse("s3")  # as on Amazon: without permission to list, a missing object is not reported as missing
            return
        self._send(status, headers, answer)

    def _forwarded(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        server = self.gateway.s3
        kept = {name: value for name, value in self.headers.items() if name.lower() not in _OWN}
        kept = {name: value for name, value in kept.items() if not name.lower().startswith("x-amz-checksum")}
        request = AWSRequest(self.command, server.endpoint + self.path, headers=kept, data=body)
        S3SigV4Auth(Credentials(server.access_key, server.secret_key), "s3", "us-east-1").add_auth(request)
        connection = http.client.HTTPConnection(urlsplit(server.endpoint).netloc, timeout=60)
        try:
            connection.request(self.command, self.path, body, dict(request.headers.items()))
            response = connection.getresponse()
            return response.status, dict(response.getheaders()), response.read()
        finally:
            connection.close()

    # Glue and STS -----------------------------------------------------------------------------------------------------
    def _to_control(self, role: str, service: str, body: bytes) -> None:
        wishes = glue_wishes(self.headers.get("X-Amz-Target", ""), body) if service == "glue" else sts_wishes(body)
        if not all(self.gateway.may(role, wish) for wish in wishes) or not self._is_trusted(role, wishes):
            self._refuse(service)
            return
        connection = http.client.HTTPConnection(urlsplit(self.gateway.control).netloc, timeout=60)
        try:
            connection.request(self.command, self.path, body, dict(self.headers.items()))
            response = connection.getresponse()
            answer = response.read()
        finally:
            connection.close()
        if service == "sts" and (made := re.search(rb"<AccessKeyId>([^<]+)<", answer)):
            taken = next(name for name in ROLES if arn_of(name) == wishes[0].resource)
            self.gateway.keys[made[1].decode()] = taken
        self._send(response.status, dict(response.getheaders()), answer)

    def _is_trusted(self, role: str, wishes: list[Wish]) -> bool:
        for wish in wishes:
            if wish.action == "sts:AssumeRole":
                wanted = next((name for name in ROLES if arn_of(name) == wish.resource), None)
                document = self.gateway.made[wanted]["Properties"]["AssumeRolePolicyDocument"] if wanted else None
                if document is None or not trusts(document, arn_of(role)):
                    return False
        return True


def s3_wishes(method: str, path: str, body: bytes) -> list[Wish]:
    """Return what a request to S3 needs (Amazon S3 API reference, "Permissions" of each operation)."""
    parts = urlsplit(path)
    asked = dict(parse_qsl(parts.query, keep_blank_values=True))
    bucket, _, key = unquote(parts.path).lstrip("/").partition("/")
    resource = f"{BUCKET}{bucket}/{key}" if key else f"{BUCKET}{bucket}"
    listed = {"s3:prefix": asked["prefix"]} if "prefix" in asked else {}
    version = "Version" if "versionId" in asked else ""
    match method, bool(key):
        case (("GET" | "HEAD"), True):
            return [Wish(f"s3:GetObject{version}", resource)]
        case "DELETE", True:
            return [Wish("s3:AbortMultipartUpload" if "uploadId" in asked else f"s3:DeleteObject{version}", resource)]
        case (("PUT" | "POST"), True):
            return [Wish("s3:PutObject", resource)]
        case "GET", False if "versions" in asked:
            return [Wish("s3:ListBucketVersions", resource, listed)]
        case "GET", False if "location" in asked:
            return [Wish("s3:GetBucketLocation", resource)]
        case (("GET" | "HEAD"), False):
            return [Wish("s3:ListBucket", resource, listed)]
        case "POST", False if "delete" in asked:
            return list(_deleted(resource, body))
    return [Wish("s3:Unknown", resource)]


def _deleted(bucket: str, body: bytes) -> Iterator[Wish]:
    for each in ET.fromstring(body).iterfind("{*}Object"):
        version = "Version" if each.find("{*}VersionId") is not None else ""
        yield Wish(f"s3:DeleteObject{version}", f"{bucket}/{each.findtext('{*}Key')}")


def glue_wishes(target: str, body: bytes) -> list[Wish]:
    """Return what a request to Glue needs: the action on the catalogue, on the database, and on the table."""
    operation, asked = target.rpartition(".")[2], json.loads(body or b"{}")
    database = asked.get("DatabaseName") or asked.get("DatabaseInput", {}).get("Name")
    table = asked.get("TableInput", {}).get("Name") or (asked.get("Name") if "DatabaseName" in asked else None)
    if operation in ("GetDatabase", "DeleteDatabase", "UpdateDatabase"):
        database = asked.get("Name")
    found = [Wish(f"glue:{operation}", f"{GLUE}catalog")]
    if database:
        found.append(Wish(f"glue:{operation}", f"{GLUE}database/{database}"))
    if database and table:
        found.append(Wish(f"glue:{operation}", f"{GLUE}table/{database}/{table}"))
    return found


def sts_wishes(body: bytes) -> list[Wish]:
    """Return what a request to STS needs."""
    asked = {name: values[0] for name, values in parse_qs(body.decode()).items()}
    return [Wish(f"sts:{asked['Action']}", asked.get("RoleArn", "*"))]


def _unchunked(data: bytes) -> bytes:
    """Return the body of an `aws-chunked` upload, without its trailer."""
    body = b""
    while data:
        head, _, data = data.partition(b"\r\n")
        size = int(head.split(b";")[0], 16)
        if not size:
            break
        body, data = body + data[:size], data[size + 2 :]
    return body
