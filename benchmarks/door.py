"""Measure how soon an offline door responds, in a real Chromium: from a decoded code to the light on the screen.

The door verifies the signature, walks the hash chain of the minute, checks whether the pass was used, and queues the
scan in its storage before it shows a light. The floor, alternating in the same page, is the least that any door must
do: one Ed25519 verification by WebCrypto and one row written to IndexedDB. The time that a camera needs to find the
code is not included. Each pass is scanned only once, so every scan is of another pass.

    python -m benchmarks.door [--scans 40]
"""

import argparse
import os
import statistics
from collections.abc import Sequence
from typing import Final

from playwright.sync_api import Page, ViewportSize, sync_playwright

from benchmarks.homes import measuring_home

# From the last key of a scanner, when the code is available as text, to the attribute that makes the light appear.
ANSWER: Final = """async (text) => {
  const signal = document.querySelector(".signal");
  while (!signal.hidden) await new Promise((done) => setTimeout(done, 50));
  let typed = 0;
  addEventListener("keydown", (event) => { if (event.code === "Enter") typed = performance.now(); }, { capture: true });
  const shown = new Promise((done) => {
    new MutationObserver((_, observer) => {
      if (signal.hidden) return;
      observer.disconnect();
      done(performance.now());
    }).observe(signal, { attributes: true });
  });
  await (TYPE)([text, 0]);
  return [(await shown) - typed, signal.dataset.signal];
}"""
FLOOR: Final = """async () => {
  const message = new Uint8Array(64);
  window.floor ??= await (async () => {
    const keys = await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"]);
    const opening = indexedDB.open("floor", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("rows", { autoIncrement: true });
    await new Promise((done) => (opening.onsuccess = done));
    const signature = await crypto.subtle.sign("Ed25519", keys.privateKey, message);
    return { key: keys.publicKey, signature, rows: opening.result };
  })();
  const { key, signature, rows } = window.floor;
  const started = performance.now();
  const good = await crypto.subtle.verify("Ed25519", key, signature, message);
  const writing = rows.transaction("rows", "readwrite");
  writing.objectStore("rows").add({ good });
  await new Promise((done) => (writing.oncomplete = done));
  return performance.now() - started;
}"""


def answers(page: Page, codes: Sequence[str], keys: str) -> tuple[list[float], list[float]]:
    """Return milliseconds of each scan and, after each, of the floor."""
    times, floors = [], []
    for code in codes:
        took, light = page.evaluate(ANSWER.replace("TYPE", keys), code)
        if light != "green":
            raise SystemExit(f"the door says {light}")
        times.append(took)
        floors.append(page.evaluate(FLOOR))
    return times, floors


def measure(scans: int) -> None:
    """Enrol a door at a running copy, disconnect its network, scan."""
    from django.test.utils import setup_test_environment

    import embedded
    from embedded.network import free_port
    from tests.browser.actions import TYPE_KEYS, enrol, now
    from tests.browser.conftest import TABLET, launch
    from tests.factories import make_venue
    from tests.live import running
    from tests.passes.people import Phone

    port = free_port()
    setup_test_environment()  # phones check in through Django's test client
    with running(embedded.home(), port), sync_playwright() as playwright:
        # Django's connections belong to this thread, in which Playwright runs an event loop.
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
        venue = make_venue(now=now())
        held = [Phone().check_in(venue, now=now()) for _ in range(scans + 1)]
        browser = launch(playwright)
        size = ViewportSize(width=TABLET["width"], height=TABLET["height"])
        context = browser.new_context(base_url=f"http://127.0.0.1:{port}", viewport=size)
        page = context.new_page()
        enrol(page, venue)
        context.set_offline(True)
        answers(page, [held[0].on_screen(now())], TYPE_KEYS)
        times, floors = answers(page, [each.on_screen(now()) for each in held[1:]], TYPE_KEYS)
        browser.close()
    minute = now().hour * 60 + now().minute
    print(f"{scans} passes at minute {minute} of the day (UTC), no network")
    for name, figures in (("door", times), ("floor", floors)):
        p95 = statistics.quantiles(figures, n=20)[18]
        print(f"{name:6} p50 {statistics.median(figures):5.1f} ms, p95 {p95:5.1f} ms")
    print(f"door / floor: {statistics.median(times) / statistics.median(floors):.1f}")


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scans", type=int, default=40)
    given = parser.parse_args()
    with measuring_home():
        measure(given.scans)


if __name__ == "__main__":
    main()
