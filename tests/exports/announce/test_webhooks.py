"""Registered URLs get each release, signed, until they accept it; none leads into our own network."""

import base64
import datetime as dt
import hashlib
import hmac
import ipaddress
import json
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.core.management import CommandError, call_command

from exports.announce import outbound
from exports.announce.outbound import AddressRefused, checked, is_public, resolve
from exports.announce.webhooks import TRIES, deliver_due, queue_deliveries, register_webhook
from exports.models import Release, Webhook, WebhookDelivery
from tests.exports.ledger import ANNOUNCED, FIRST, ReleasedLake, announce

URL = "https://lab.example/hook"
HOUR = dt.timedelta(hours=1)


@dataclass
class Receiver:
    """Replaces the network: answers with `status` and records requests."""

    status: int = 204
    got: list[tuple[str, bytes, Mapping[str, str]]] = field(default_factory=list)

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        self.got.append((url, body, headers))
        if self.status == 0:
            raise ConnectionRefusedError
        return self.status


@pytest.mark.django_db
class TestDelivery:
    """Deliveries and retries."""

    @pytest.fixture
    def secret(self, released: ReleasedLake, settings: Any) -> bytes:
        settings.PUBLIC_ORIGIN = "https://crowd.example"
        row, secret = register_webhook(url=URL, actor="operator", now=ANNOUNCED)
        assert secret.encode() not in bytes(row.secret)
        queue_deliveries(release=Release.objects.get(day=FIRST), now=ANNOUNCED)
        return base64.b64decode(secret.removeprefix("whsec_"))

    def test_an_announcement_is_sent_once_and_signed(self, secret: bytes) -> None:
        receiver = Receiver()
        assert deliver_due(now=ANNOUNCED, post=receiver) == 1
        assert deliver_due(now=ANNOUNCED + 100 * HOUR, post=receiver) == 0
        [(url, body, headers)] = receiver.got
        assert url == URL
        message = json.loads(body)
        assert (message["type"], message["data"]["day"]) == ("dataset.released", FIRST.isoformat())
        assert message["data"]["url"] == f"https://crowd.example/api/v1/datasets/covid-19/releases/{FIRST}"
        # As a receiver verifies it by the specification.
        content = b".".join((headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body))
        mac = base64.b64encode(hmac.new(secret, content, hashlib.sha256).digest()).decode()
        assert headers["webhook-signature"] == f"v1,{mac}"
        assert headers["webhook-timestamp"] == str(int(ANNOUNCED.timestamp()))

    @pytest.mark.parametrize(
        ("status", "failure"), [(0, "ConnectionRefusedError"), (500, "answered 500"), (302, "answered 302")]
    )
    def test_a_failed_delivery_is_retried_later_with_the_same_id(
        self, secret: bytes, status: int, failure: str
    ) -> None:
        receiver = Receiver(status=status)
        assert deliver_due(now=ANNOUNCED, post=receiver) == 0
        assert WebhookDelivery.objects.get().failure == failure
        assert deliver_due(now=ANNOUNCED + dt.timedelta(minutes=1), post=receiver) == 0
        assert len(receiver.got) == 1
        receiver.status = 200
        assert deliver_due(now=ANNOUNCED + HOUR, post=receiver) == 1
        first, second = receiver.got
        assert first[2]["webhook-id"] == second[2]["webhook-id"]

    def test_retries_end(self, secret: bytes) -> None:
        receiver = Receiver(status=500)
        for number in range(3 * TRIES):
            deliver_due(now=ANNOUNCED + number * 13 * HOUR, post=receiver)
        assert len(receiver.got) == TRIES

    def test_a_try_that_kills_the_worker_counts(self, secret: bytes) -> None:
        def die(*_: object) -> int:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            deliver_due(now=ANNOUNCED, post=die)
        assert WebhookDelivery.objects.get().tries == 1
        assert deliver_due(now=ANNOUNCED + HOUR, post=Receiver()) == 1

    def test_a_release_is_delivered_to_every_registered_url(
        self, settings: Any, tmp_path: Path, catalogue_url: str
    ) -> None:
        settings.LAKE_URL, settings.LAKE_CATALOGUE_URL = (tmp_path / "lake").as_uri(), catalogue_url
        register_webhook(url=URL, actor="operator", now=ANNOUNCED)
        release = announce(FIRST, now=ANNOUNCED, size=100)
        assert WebhookDelivery.objects.get().release == release


@pytest.mark.django_db
def test_the_operator_registers_lists_and_removes_addresses() -> None:
    out = StringIO()
    call_command("webhook", "add", URL, stdout=out)
    name, secret = out.getvalue().split()
    assert secret.startswith("whsec_")
    listed = StringIO()
    call_command("webhook", "list", stdout=listed)
    assert listed.getvalue() == f"{name} {URL}\n"
    call_command("webhook", "remove", name, stdout=StringIO())
    assert not Webhook.objects.exists()
    with pytest.raises(CommandError):
        call_command("webhook", "remove", name)
    with pytest.raises(CommandError, match="https"):
        call_command("webhook", "add", "http://lab.example")


class TestAddresses:
    """Refused URLs."""

    @pytest.mark.parametrize(
        "url",
        [
            "http://lab.example/", "ftp://lab.example/", "https://", "https:///x", "https://a b/", "//lab.example",
            "https://user:pass@lab.example/", "https://lab.example:0/", "https://lab.example:99999/",
            "https://lab.example/\r\nX: y", "https://lab.exämple/", "https://x/" + "a" * 500, "file:///etc/passwd",
        ],
    )  # fmt: skip
    def test_a_url_that_is_not_plain_https_is_refused(self, url: str) -> None:
        with pytest.raises(AddressRefused):
            checked(url)

    @pytest.mark.parametrize(
        "address",
        [
            "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
            "224.0.0.1", "255.255.255.255", "192.0.2.1", "::1", "::", "fe80::1", "fc00::1", "ff02::1",
            "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:7f00:1::",
            "fec0::1", "::127.0.0.1", "::ffff:0:127.0.0.1", "5f00::1", "3fff::1", "192.0.0.8", "192.88.99.1",
            "168.63.129.16",
        ],
    )  # fmt: skip
    def test_our_own_network_is_not_the_internet(self, address: str) -> None:
        assert not is_public(ipaddress.ip_address(address))

    @pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"])
    def test_the_internet_is(self, address: str) -> None:
        assert is_public(ipaddress.ip_address(address))

    @pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1", "2130706433", "0x7f000001", "::1"])
    def test_a_host_name_of_this_machine_is_refused_in_any_form(self, host: str) -> None:
        with pytest.raises(AddressRefused):
            resolve(host, 443)

    def test_one_private_address_among_public_ones_is_enough(self, monkeypatch: pytest.MonkeyPatch) -> None:
        found = [(0, 0, 0, "", (text, 443)) for text in ("93.184.215.14", "10.0.0.1")]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        with pytest.raises(AddressRefused):
            resolve("lab.example", 443)


class Handler(BaseHTTPRequestHandler):
    """Accept a request, or redirect it."""

    got: list[tuple[str, bytes, str]]
    status = 200

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self.got.append((self.path, self.rfile.read(length), self.headers["Host"]))
        self.send_response(self.status)
        self.send_header("Location", "https://127.0.0.1/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@contextmanager
def tls_server(folder: Path, host: str) -> Iterator[tuple[int, type[Handler], Path]]:
    """Run a TLS server on loopback whose certificate is for `host`."""
    key, now = ec.generate_private_key(ec.SECP256R1()), dt.datetime.now(dt.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - HOUR)
        .not_valid_after(now + HOUR)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, key_pem = folder / "certificate.pem", folder / "key.pem"
    pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_pem.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    handler = type("Handling", (Handler,), {"got": []})
    server = HTTPServer(("127.0.0.1", 0), handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, key_pem)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1], handler, pem
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class TestTheWire:
    """A real TLS connection to an IP address that the test declares public."""

    @pytest.fixture
    def served(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[int, type[Handler]]]:
        with tls_server(tmp_path, "lab.example") as (port, handler, pem):
            monkeypatch.setattr(outbound, "resolve", lambda _host, _port: ["127.0.0.1"])
            make = ssl.create_default_context
            monkeypatch.setattr(ssl, "create_default_context", lambda: make(cafile=str(pem)))
            yield port, handler

    def test_the_body_arrives_under_the_hosts_name(self, served: tuple[int, type[Handler]]) -> None:
        port, handler = served
        assert outbound.post(f"https://lab.example:{port}/hook?a=1", b"{}", {"webhook-id": "x"}) == 200
        assert handler.got == [("/hook?a=1", b"{}", f"lab.example:{port}")]

    def test_no_redirect_is_followed(self, served: tuple[int, type[Handler]]) -> None:
        port, handler = served
        handler.status = 302
        assert outbound.post(f"https://lab.example:{port}/", b"{}", {}) == 302
        assert len(handler.got) == 1

    def test_a_certificate_of_another_name_is_refused(self, served: tuple[int, type[Handler]]) -> None:
        port, handler = served
        with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
            outbound.post(f"https://other.example:{port}/", b"{}", {})
        assert handler.got == []
