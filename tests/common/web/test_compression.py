"""What is compressed, and what never is."""

import gzip
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from django.utils import timezone

from tests.factories import make_user, make_venue

GZIP = {"accept-encoding": "gzip, deflate, br"}
SHEET = "site/built/pico.min.css"
pytestmark = pytest.mark.django_db


def content_of(name: str) -> bytes:
    return Path(str(finders.find(name))).read_bytes()


@pytest.mark.parametrize("name", [SHEET, "passes/built/kiosk.js", "passes/built/zxing_reader.wasm", "site/icon.svg"])
def test_a_file_comes_compressed_to_those_who_take_it(client: Client, name: str) -> None:
    original = content_of(name)
    plain: Any = client.get(f"/static/{name}")
    assert plain.getvalue() == original
    small: Any = client.get(f"/static/{name}", headers=GZIP)
    body = small.getvalue()
    if len(original) < 512:
        assert "Content-Encoding" not in small.headers
        assert body == original
        return
    assert small.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(body) == original
    assert len(body) == int(small.headers["Content-Length"]) < 0.6 * len(original)
    for one in (plain, small):
        assert one.headers["Vary"] == "Accept-Encoding"
    assert small.headers["Content-Type"] == plain.headers["Content-Type"]


def test_a_file_that_did_not_change_is_not_sent_again(client: Client) -> None:
    mark = client.get(f"/static/{SHEET}", headers=GZIP).headers["ETag"]
    again = client.get(f"/static/{SHEET}", headers=GZIP | {"if-none-match": mark})
    assert (again.status_code, again.getvalue()) == (304, b"")


def test_a_part_of_a_file_is_a_part_of_the_original(client: Client) -> None:
    part = client.get(f"/static/{SHEET}", headers=GZIP | {"range": "bytes=10-19"})
    assert part.status_code == 206
    assert "Content-Encoding" not in part.headers
    assert part.getvalue() == content_of(SHEET)[10:20]


def test_a_page_comes_compressed(client: Client) -> None:
    small = client.get("/", headers=GZIP)
    assert small.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(small.content).startswith(b"<!DOCTYPE html>")
    assert "Content-Encoding" not in client.get("/").headers


def test_a_page_of_an_account_does_not(client: Client) -> None:
    client.force_login(make_user(now=timezone.now()))
    page = client.get("/owner/account", headers=GZIP)
    assert page.status_code == 200
    assert "Content-Encoding" not in page.headers


def test_an_answer_of_the_api_keeps_its_size(client: Client) -> None:
    venue = make_venue(now=timezone.now())
    for address in (f"/api/v1/venues/{venue.public_id}", "/api/v1/datasets", "/api/schema/"):
        answer = client.get(address, headers=GZIP)
        assert answer.status_code == 200
        assert len(answer.content) > 200
        assert "Content-Encoding" not in answer.headers, address
