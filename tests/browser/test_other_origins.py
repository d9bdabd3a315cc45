"""Pages of another origin read the open data in Chromium, and nothing else."""

import functools
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

READ = """async ([url, options]) => {
  try {
    const answer = await fetch(url, options);
    return [answer.status, (await answer.text()).slice(0, 4000), answer.headers.get('ETag') !== null];
  } catch (error) { return [0, String(error), false]; }
}"""
SQL = {
    "method": "POST",
    "headers": {"Content-Type": "application/json"},
    "body": '{"sql": "SELECT count(*) AS n FROM aspirevc_crowd_tracing"}',
}


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[str]:
    """Serve a page from another origin."""
    (tmp_path / "index.html").write_text("<!doctype html><title>elsewhere</title>")
    handler = functools.partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/index.html"
        server.shutdown()


@pytest.mark.django_db(transaction=True)
def test_a_page_elsewhere_reads_open_data_and_nothing_else(
    browser: Browser, live_server: Any, released: Any, elsewhere: str
) -> None:
    context = browser.new_context()
    try:
        page = context.new_page()
        page.goto(elsewhere)

        def read(path: str, options: dict[str, Any] | None = None) -> list[Any]:
            found: list[Any] = page.evaluate(READ, [f"{live_server.url}{path}", options or {}])
            return found

        status, text, has_tag = read("/api/v1/datasets")
        assert (status, has_tag) == (200, True)
        assert "covid-19" in text
        assert read("/api/v1/queries", SQL)[0] == 200
        assert read("/api/v1/datasets/covid-19/feed.atom")[0] == 200
        assert read("/api/v1/radar")[0] == 404  # readable, although nothing was forecast yet
        # With cookies, a browser refuses what is open to all, so that nothing can depend on who asks.
        assert read("/api/v1/datasets", {"credentials": "include"})[0] == 0
        for path in ("/api/v1/venues", "/api/v1/owner/venues", "/"):
            assert read(path)[0] == 0
        owners = {"method": "POST", "headers": {"Content-Type": "application/json"}, "body": '{"owners": []}'}
        for path in ("/api/v1/shield", "/api/v1/erasures"):
            assert read(path, owners)[0] == 0
    finally:
        context.close()
