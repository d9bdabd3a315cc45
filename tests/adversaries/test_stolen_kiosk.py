"""P10: a stolen kiosk yields public keys, sealed blobs and its own token, which can be revoked."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, Playwright, ViewportSize
from pytest_django.live_server_helper import LiveServer

from passes.codec import open_scan
from passes.codec.identity import decode_base64url
from tests.adversaries.stores import traces
from tests.browser.actions import enrol, now, scan
from tests.browser.conftest import NOTE_LIGHTS, TABLET, chromium_path
from tests.factories import make_venue
from tests.passes.people import HeldPass, Phone
from venues.models import Device, Venue
from venues.services.devices import revoke_device

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# Everything a page of this origin can store, as text: bytes as hexadecimal, so that nothing hides in an encoding.
EVERYTHING = """async () => {
  const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const plain = (value) =>
    value instanceof Uint8Array ? hex(value)
    : value instanceof ArrayBuffer ? hex(new Uint8Array(value))
    : Array.isArray(value) ? value.map(plain)
    : value && typeof value === "object" ? Object.fromEntries(Object.entries(value).map(([k, v]) => [k, plain(v)]))
    : value;
  const asked = (request) => new Promise((done, failed) => {
    request.onsuccess = () => done(request.result);
    request.onerror = () => failed(request.error);
  });
  const found = { local: { ...localStorage }, session: { ...sessionStorage }, cookies: document.cookie };
  found.databases = {};
  for (const { name } of await indexedDB.databases()) {
    const database = await asked(indexedDB.open(name));
    for (const store of database.objectStoreNames) {
      const at = database.transaction(store).objectStore(store);
      found.databases[`${name}/${store}`] = plain(await Promise.all([asked(at.getAllKeys()), asked(at.getAll())]));
    }
    database.close();
  }
  found.cached = [];
  for (const name of await caches.keys()) {
    for (const request of await (await caches.open(name)).keys()) found.cached.push(new URL(request.url).pathname);
  }
  return found;
}"""


def plain_numbers(value: Any) -> list[float]:
    """Return all numbers in the result."""
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        return [number for each in inner for number in plain_numbers(each)]
    return [value] if isinstance(value, int | float) else []


class TestAThiefOfAKiosk:
    """A kiosk that admitted people, with and without a network, is stolen with its disk."""

    @pytest.fixture
    def venue(self) -> Venue:
        return make_venue(now=now())

    @pytest.fixture
    def people(self, venue: Venue) -> list[HeldPass]:
        return [Phone().check_in(venue, now=now()) for _ in range(3)]

    @pytest.fixture
    def profile(self, tmp_path: Path) -> Path:
        return tmp_path / "profile"

    @pytest.fixture
    def context(self, playwright: Playwright, live_server: LiveServer, profile: Path) -> Iterator[BrowserContext]:
        context = playwright.chromium.launch_persistent_context(
            str(profile),
            executable_path=chromium_path(),
            args=["--no-sandbox"],
            base_url=live_server.url,
            viewport=ViewportSize(width=TABLET["width"], height=TABLET["height"]),
        )
        context.add_init_script(NOTE_LIGHTS)
        yield context
        context.close()

    @pytest.fixture
    def kiosk(self, context: BrowserContext, venue: Venue, people: list[HeldPass]) -> Page:
        """Admit one person while connected and one without a network, and turn a third one away twice."""
        page = context.new_page()
        enrol(page, venue)
        assert scan(page, people[0].on_screen(now())) == "green"
        context.set_offline(True)
        assert scan(page, people[1].on_screen(now())) == "green"
        assert scan(page, people[2].on_paper()) == "red"
        assert scan(page, people[2].on_screen(now() - dt.timedelta(minutes=30))) == "red"
        return page

    def secrets_of(self, one: HeldPass) -> set[bytes]:
        """Return everything that a pass consists of and its holder knows: id, codes, signature, owner."""
        minute = one.secrets.code_at(now().timestamp())[0]
        codes = one.secrets.chain[max(1, minute - 40) : minute + 3]
        parts = [one.secrets.anchor, one.secrets.owner, one.secrets.owner_hash, one.pass_bytes[-64:], *codes]
        return {trace for part in parts for trace in traces(part)}

    def test_its_storage_holds_nothing_of_a_pass(
        self, kiosk: Page, context: BrowserContext, people: list[HeldPass], profile: Path
    ) -> None:
        found = kiosk.evaluate(EVERYTHING)
        kept = str(found).encode()
        token = self.device_row(found)["token"]
        assert any(trace in kept for trace in traces(token.encode())), "the search finds what is there"
        context.close()
        disk = b"".join(path.read_bytes() for path in profile.rglob("*") if path.is_file())
        assert token.encode() in disk, "and on the disk"
        for one in people:
            needles = self.secrets_of(one)
            assert not [needle for needle in needles if needle in kept]
            assert not [needle for needle in needles if needle in disk]

    def test_what_it_holds_is_named(self, kiosk: Page) -> None:
        found = kiosk.evaluate(EVERYTHING)
        assert found["local"] == found["session"] == {}
        assert found["cookies"] == ""
        # Pages as they are for everybody, and the files that they need.
        assert {path for path in found["cached"] if not path.startswith("/static/")} <= {
            "/kiosk",
            "/me",
            "/offline",
            "/pass",
            "/visits",
        }
        assert set(found["databases"]) == {
            "crowdtrace-kiosk/state",
            "crowdtrace-kiosk/queue",
            "crowdtrace-kiosk/refused",
            "crowdtrace-kiosk/replay",
        }
        names, _values = found["databases"]["crowdtrace-kiosk/state"]
        assert set(names) <= {
            "device",
            "bundle",
            "setting:lastAwake",
            "setting:settings",
            "setting:ticket-keys",
            "setting:pin",
        }
        assert set(self.device_row(found)) == {"token", "rootKey", "name"}
        for store in ("queue", "refused"):
            for row in found["databases"][f"crowdtrace-kiosk/{store}"][1]:
                assert set(row) == {"scan_id", "sealed"}
        for row in found["databases"]["crowdtrace-kiosk/replay"][1]:
            assert set(row) == {"tag", "sealed"}
            assert len(row["tag"]) == 16
            assert len(row["sealed"]) == 2 * (12 + 512 + 16)

    def test_nothing_reveals_when_somebody_came(self, kiosk: Page) -> None:
        databases = kiosk.evaluate(EVERYTHING)["databases"]
        rows = databases["crowdtrace-kiosk/replay"][1]
        assert len(rows) == 2
        assert {value for row in rows for value in row.values() if not isinstance(value, str)} == set()
        times = [number for number in plain_numbers(databases["crowdtrace-kiosk/state"]) if number > 1_000_000_000]
        assert all(number % 60 == 0 for number in times)

    def test_the_minute_it_was_awake_is_noted_with_visitors_and_without(self, context: BrowserContext) -> None:
        page = context.new_page()
        enrol(page, make_venue(now=now()))
        names, values = page.evaluate(EVERYTHING)["databases"]["crowdtrace-kiosk/state"]
        assert values[names.index("setting:lastAwake")] % 60 == 0

    def test_queued_scans_open_for_the_server_alone(self, kiosk: Page) -> None:
        from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

        from passes import keys

        queued = kiosk.evaluate(EVERYTHING)["databases"]["crowdtrace-kiosk/queue"][1]
        assert len(queued) == 3
        for row in queued:
            assert open_scan(row["sealed"], scan_id=row["scan_id"], keys=[X25519PrivateKey.generate()]) is None
            assert open_scan(row["sealed"], scan_id=row["scan_id"], keys=keys.opening_keys(now())) is not None

    def test_its_token_reads_nothing_about_anybody_and_ends_when_it_is_revoked(self, kiosk: Page, venue: Venue) -> None:
        token = self.device_row(kiosk.evaluate(EVERYTHING))["token"]
        assert len(decode_base64url(token)) == 32
        kiosk.context.set_offline(False)
        header = {"Authorization": f"Device {token}"}
        ask = kiosk.context.request
        assert ask.get("/api/v1/device/bundle", headers=header).status == 200
        for path in (
            "owner/venues",
            f"owner/venues/{venue.public_id}/names",
            f"owner/venues/{venue.public_id}/statistics",
        ):
            assert ask.get(f"/api/v1/{path}", headers=header).status in {401, 403}
        for path in ("passes", "shield", "ratings", "names"):
            assert ask.post(f"/api/v1/{path}", headers=header, data={}).status >= 400
        revoke_device(device=Device.objects.get(door__venue=venue), actor="owner", now=now())
        assert ask.get("/api/v1/device/bundle", headers=header).status == 401

    def device_row(self, found: Any) -> dict[str, str]:
        names, values = found["databases"]["crowdtrace-kiosk/state"]
        row: dict[str, str] = values[names.index("device")]
        return row
