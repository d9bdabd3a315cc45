"""Record what a drill of backup and restore compares: lights, tickets, erasures and releases of a home.

    python -m tests.drill prepare FILE OWNERS    # visitors check in, a door scans; their requests go to FILE
    python -m tests.drill look FILE              # send all requests again and print the responses

This is a separate process, on the services of the home.
"""

import datetime as dt
import json
import os
import sys
from pathlib import Path
from typing import Any, Final

import embedded

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crowdtrace.settings")
WELL: Final = dict.fromkeys(("symptoms", "diagnosed", "contact", "near"), False)
VISITORS: Final = ("green", "red", "erased", "later", "unwell")
"""`red` has a pass for another venue, `later` is not scanned before the backup, `unwell` is refused at check-in."""


def prepare(file: Path, owners: Path) -> None:
    """Check in and scan."""
    from common.time import utc_now
    from passes.clock import calendar
    from passes.codec.identity import encode_base64url
    from tests.factories import make_device, make_organisation, make_user, make_venue
    from tests.passes.people import HeldPass, Phone
    from venues.requirements import RequirementValues

    now, rules = utc_now(), RequirementValues(capacity=1_000)
    ours = make_organisation(owner=make_user(username="drill", now=now), now=now)
    venue, other = (make_venue(organisation=ours, requirements=rules, now=now) for _ in range(2))
    known: dict[str, Any] = {"at": now.timestamp(), "token": make_device(venue=venue, now=now).token, "visitors": {}}
    today = calendar().current(now.timestamp())
    for name in VISITORS:
        phone = Phone()
        holder = phone.next_pass(today)
        visitor: dict[str, Any] = {
            "ticket": phone.ticket(0, today, now=now).header,
            "body": {
                "venue": (other if name == "red" else venue).public_id,
                "epoch": today.date.isoformat(),
                "anchor": encode_base64url(holder.anchor),
                "owner_hash": encode_base64url(holder.owner_hash),
                "answers": WELL | {"symptoms": name == "unwell"},
                "survey_seconds": 20,
            },
        }
        given = check_in(visitor, now)
        known["visitors"][name] = visitor | {"given": given}
        if credential := given[1].get("credential"):
            visitor["screen"] = HeldPass(holder, credential).on_screen(now)
            known["visitors"][name]["screen"] = visitor["screen"]
        if name == "erased":
            owners.write_text(encode_base64url(holder.owner) + "\n")
    known["lights"] = {name: light(known, name) for name in ("green", "red", "erased")}
    file.write_text(json.dumps(known))


def check_in(visitor: dict[str, Any], now: dt.datetime, **changes: Any) -> tuple[int, dict[str, Any]]:
    """Spend the visitor's ticket, which they may have spent before."""
    from tests.passes.requests import send

    answer = send("POST", "/api/v1/passes", visitor["body"] | changes, now=now, headers=visitor["ticket"])
    return answer.status_code, answer.json()


def light(known: dict[str, Any], name: str) -> str:
    """Scan the visitor, who may have been scanned before; a known scan has its first answer."""
    from tests.passes.requests import send

    at = moment(known)
    body = {
        "scan_id": f"drill-of-a-backup-{name}",
        "credential": known["visitors"][name]["screen"],
        "type": "Checkin",
        "scanned_at": at.isoformat(),
    }
    answer = send("POST", "/api/v1/scans", body, now=at, headers={"Authorization": f"Device {known['token']}"})
    return str(answer.json()["result"])


def moment(known: dict[str, Any]) -> dt.datetime:
    return dt.datetime.fromtimestamp(known["at"], dt.UTC)


def look(known: dict[str, Any]) -> dict[str, Any]:
    """Send all requests again, and read the stored data."""
    from common.time import utc_now
    from exports.models import Release
    from passes.codec.identity import decode_base64url
    from passes.models import Pass, Scan
    from tests.passes.requests import send

    at, visitors = moment(known), known["visitors"]
    scans = list(Scan.objects.values_list("scan_id", flat=True))
    return {
        "lights": {name: light(known, name) for name in ("green", "red")},
        "later": light(known, "later"),
        "repeated": {name: check_in(visitors[name], at) for name in ("green", "later", "unwell")},
        "spent": {name: check_in(visitors[name], at, survey_seconds=21)[0] for name in VISITORS},
        "keys": send("GET", "/.well-known/ticket-keys.json", now=utc_now()).json()["keys"],
        "erased": Pass.objects.filter(owner_hash=decode_base64url(visitors["erased"]["body"]["owner_hash"])).count(),
        "scans": len(scans),
        "doubled": len(scans) - len(set(scans)),
        "releases": [
            [row.day.isoformat(), row.step, row.epsilon, bytes(row.drawn or b"").hex()]
            for row in Release.objects.order_by("day")
        ],
    }


def main(arguments: list[str]) -> None:
    """Run one of the two commands."""
    with embedded.services(embedded.home()):
        import django

        django.setup()
        from django.test.utils import setup_test_environment

        from common.tables import close_connections

        setup_test_environment()

        match arguments:
            case ["prepare", file, owners]:
                prepare(Path(file), Path(owners))
            case ["look", file]:
                print(json.dumps(look(json.loads(Path(file).read_text()))))
        close_connections()


if __name__ == "__main__":
    main(sys.argv[1:])
