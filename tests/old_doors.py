"""Doors and visitors of the first released version, which runs this file: it never sees the code of this checkout.

    python -P tests/old_doors.py scan OLD NEW SCANS    # doors scan at two servers until standard input ends
    python -P tests/old_doors.py visit FILE            # one of each request; FILE keeps the venue for the next run

In the folder of that version's code, with DATABASE_URL and the other variables. Prints JSON; `scan` also prints
`old` or `new` for each scan, by the server that answered.
"""

import datetime as dt
import http.client
import json
import os
import queue
import secrets
import sys
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

WAIT_SECONDS = 0.1


def ask(address: str, token: str, body: dict[str, Any]) -> str | None:
    """One response, or none."""
    headers = {"Authorization": f"Device {token}", "Content-Type": "application/json"}
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=10)
    try:
        connection.request("POST", "/api/v1/scans", json.dumps(body), headers)
        response = connection.getresponse()
        answer = json.loads(response.read())
        return str(answer["result"]) if response.status == 200 else None
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()


def scan(addresses: dict[str, str], scans: int) -> None:
    """Scan at both servers in turn; a door without a response asks the other one."""
    from benchmarks.scan import prepare

    town = prepare(scans)
    left: queue.SimpleQueue[Any] = queue.SimpleQueue()
    for number, screen in enumerate(town.shown):
        left.put((number, screen))
    results: dict[str, str] = {}
    is_over = threading.Event()

    def door(token: str) -> None:
        while not is_over.wait(WAIT_SECONDS):
            number, screen = left.get_nowait()
            at, servers = time.time(), sorted(addresses, reverse=bool(number % 2))
            body = {
                "scan_id": secrets.token_urlsafe(16),
                "credential": screen(at),
                "type": "Checkin",
                "scanned_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at)),
            }
            while True:
                if (result := ask(addresses[servers[0]], token, body)) is not None:
                    break
                servers.reverse()
                threading.Event().wait(WAIT_SECONDS)
            results[body["scan_id"]] = result
            print(servers[0], flush=True)

    threads = [threading.Thread(target=door, args=[token]) for token in town.tokens]
    for thread in threads:
        thread.start()
    sys.stdin.read()
    is_over.set()
    for thread in threads:
        thread.join()
    print(json.dumps({"results": results, "venue": town.venue}), flush=True)


def visit(file: Path) -> dict[str, Any]:
    """Send one of each request of a visitor and of a door; return the responses."""
    from passes.clock import calendar
    from passes.codec.identity import encode_base64url
    from tests.factories import make_device, make_organisation, make_user, make_venue
    from tests.passes.people import HeldPass, Phone
    from tests.passes.requests import send

    now = dt.datetime.now(dt.UTC)
    owner = make_user(username=f"owner-{secrets.token_hex(5)}", now=now)
    venue = make_venue(organisation=make_organisation(owner=owner, now=now), now=now)
    made = {"venue": venue.public_id, "token": make_device(venue=venue, now=now).token}
    known = json.loads(file.read_text()) if file.exists() else made
    file.write_text(json.dumps(known))
    door = {"Authorization": f"Device {known['token']}"}
    today, phone = calendar().current(now.timestamp()), Phone(int.from_bytes(secrets.token_bytes(6), "big"))
    found: dict[str, Any] = {"register": phone.register(now).status_code}
    holder, ill = phone.next_pass(today), phone.next_pass(today)
    answers = dict.fromkeys(("diagnosed", "contact", "near"), False) | {"symptoms": True}
    answer = phone.ask(known["venue"], holder, now=now)
    found["check in"] = answer.status_code
    found["refusal"] = phone.ask(known["venue"], ill, now=now, answers=answers).status_code
    held = HeldPass(holder, answer.json()["credential"])

    def told(method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> int:
        return int(send(method, path, body, now=now, headers=headers).status_code)

    for name, at, path in (
        ("scan", now, "/api/v1/scans"),
        ("batch", now + dt.timedelta(minutes=1), "/api/v1/scans/batch"),
    ):
        one = {
            "scan_id": secrets.token_urlsafe(16),
            "credential": held.on_screen(at),
            "type": "Checkin" if name == "scan" else "Checkout",
            "scanned_at": at.isoformat(),
        }
        body = one if name == "scan" else {"scans": [one]}
        sent = send("POST", path, body, now=at, headers=door)
        found[name] = [sent.status_code, *[each["result"] for each in sent.json().get("results", [sent.json()])]]
    found["bundle"] = told("GET", "/api/v1/device/bundle", headers=door)
    found["air"] = told("POST", "/api/v1/air", {"co2_ppm": 600, "measured_at": now.isoformat()}, door)
    found["rating"] = told("POST", "/api/v1/ratings", {"owner": held.owner, "masks": 4, "distancing": 3})
    found["name"] = told("POST", "/api/v1/names", {"owner": held.owner, "name": "A. B."})
    found["shield"] = told("POST", "/api/v1/shield", {"owners": [held.owner]})
    report = {"owners": [held.owner], "tested_on": now.date().isoformat(), "result": "positive"}
    found["report"] = told("POST", "/api/v1/diagnoses", report)
    found["revoke"] = told("POST", "/api/v1/passes/revoke", {"owners": [encode_base64url(ill.owner), held.owner]})
    found["venues"] = told("GET", "/api/v1/venues?limit=50")
    found["card"] = told("GET", f"/api/v1/venues/{known['venue']}")
    found["datasets"] = told("GET", "/api/v1/datasets")
    found["erasure"] = told("POST", "/api/v1/erasures", {"owners": [held.owner]})
    found["delete"] = told(
        "DELETE", "/api/v1/visitors/me", {"erase_key": encode_base64url(phone.keys.erase)}, phone.header
    )
    return found


def main(arguments: list[str]) -> None:
    """Run one of the two commands."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "crowdtrace.settings"
    sys.path.insert(0, str(Path.cwd()))
    import django

    django.setup()
    import crowdtrace.celery  # noqa: F401 - names the broker of tasks
    from common.tables import close_connections

    match arguments:
        case ["scan", old, new, scans]:
            scan({"old": old, "new": new}, int(scans))
        case ["visit", file]:
            from django.test.utils import setup_test_environment

            setup_test_environment()
            print(json.dumps(visit(Path(file))), flush=True)
    close_connections()


if __name__ == "__main__":
    main(sys.argv[1:])
