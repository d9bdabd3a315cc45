"""The vectors of the kiosk's tests match the server's current decisions."""

import json

from passes.codec import open_scan
from tests.frontend.door_vectors import FILE, SCAN_ID, SEALING, build


def test_the_file_holds_what_the_server_decides() -> None:
    stored = json.loads(FILE.read_text())
    del stored["sealed"]
    assert stored == build()


def test_the_stored_sealed_scan_opens_on_the_server() -> None:
    sealed = json.loads(FILE.read_text())["sealed"]
    plain = open_scan(sealed, scan_id=SCAN_ID, keys=[SEALING])
    assert plain is not None
    assert json.loads(plain)["type"] == "Checkin"
