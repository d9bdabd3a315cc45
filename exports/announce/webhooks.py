"""Webhooks: deliver each release to registered URLs, signed, at least once.

A delivery is a row that is created in the transaction of the announcement and retried by the schedule until the URL
accepts it, so that neither a crash nor a lost broker loses one. The signature is that of the Standard Webhooks
specification (https://www.standardwebhooks.com).
"""

import base64
import datetime as dt
import hashlib
import hmac
import json
import logging
import secrets
from collections.abc import Callable, Mapping
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.db.models import F

from common import audit
from common.crypto import decrypt, encrypt
from common.ids import public_id
from common.time import z
from exports import conf
from exports.announce import outbound
from exports.models import Release, Webhook, WebhookDelivery

PURPOSE: Final = "webhook-secret"
SECRET_BYTES: Final = 32
EVENT: Final = "dataset.released"
TRIES: Final = 10
FIRST_WAIT: Final = dt.timedelta(minutes=5)
LONGEST_WAIT: Final = dt.timedelta(hours=12)

Post = Callable[[str, bytes, Mapping[str, str]], int]
log = logging.getLogger(__name__)


def register_webhook(*, url: str, actor: str, now: dt.datetime) -> tuple[Webhook, str]:
    """Register a URL; return the row and its secret, which is shown only once. Raise `outbound.AddressRefused`."""
    outbound.checked(url)
    secret = secrets.token_bytes(SECRET_BYTES)
    with transaction.atomic():
        row = Webhook.objects.create(public_id=public_id("w"), url=url, secret=encrypt(PURPOSE, secret), created_at=now)
        audit.record(actor=actor, verb="webhook.registered", subject=row.public_id, now=now)
    return row, "whsec_" + base64.b64encode(secret).decode()


def remove_webhook(*, public_id: str, actor: str, now: dt.datetime) -> bool:
    """Delete a URL and its pending deliveries; return whether it existed."""
    with transaction.atomic():
        removed, _ = Webhook.objects.filter(public_id=public_id).delete()
        if removed:
            audit.record(actor=actor, verb="webhook.removed", subject=public_id, now=now)
    return bool(removed)


def queue_deliveries(*, release: Release, now: dt.datetime) -> None:
    """Queue a delivery to every URL; call it in the transaction of the announcement."""
    WebhookDelivery.objects.bulk_create(
        [
            WebhookDelivery(public_id=public_id("d", 20), webhook=row, release=release, created_at=now, next_try_at=now)
            for row in Webhook.objects.all()
        ]
    )


def deliver_due(*, now: dt.datetime, post: Post | None = None) -> int:
    """Try every due delivery; return the number accepted."""
    due = WebhookDelivery.objects.filter(delivered_at=None, tries__lt=TRIES, next_try_at__lte=now).order_by("pk")
    return sum(_deliver(pk, now, post or outbound.post) for pk in list(due.values_list("pk", flat=True)))


def _deliver(pk: int, now: dt.datetime, post: Post) -> bool:
    """Try a delivery once. The try is counted first, so one that kills the worker is not repeated forever."""
    row = WebhookDelivery.objects.select_related("webhook", "release").get(pk=pk)
    wait = min(FIRST_WAIT * 2**row.tries, LONGEST_WAIT)
    claimed = WebhookDelivery.objects.filter(pk=pk, tries=row.tries, delivered_at=None).update(
        tries=F("tries") + 1, next_try_at=now + wait
    )
    if not claimed:
        return False  # another worker is sending it
    body = json.dumps(message(row.release)).encode()
    headers = signed(row.public_id, decrypt(PURPOSE, bytes(row.webhook.secret)), body, now)
    try:
        status = post(row.webhook.url, body, headers)
    except (outbound.AddressRefused, OSError) as error:
        failure = str(error) if isinstance(error, outbound.AddressRefused) else type(error).__name__
    else:
        failure = "" if 200 <= status < 300 else f"answered {status}"
    delivered = None if failure else now
    WebhookDelivery.objects.filter(pk=pk).update(delivered_at=delivered, failure=failure[:200])
    if failure:
        log.info("delivery %s was not accepted: %s", row.public_id, failure)
    return delivered is not None


def message(release: Release) -> dict[str, Any]:
    """Return the body of a delivery: nothing that the release's own page does not say."""
    base = str(settings.PUBLIC_ORIGIN).rstrip("/")
    return {
        "type": EVENT,
        "timestamp": z(release.announced_at) if release.announced_at else None,
        "data": {
            "dataset": conf.database(),
            "day": release.day.isoformat(),
            "rows": release.manifest["rows"],
            "epsilon": release.epsilon,
            "url": f"{base}/api/v1/datasets/{conf.database()}/releases/{release.day.isoformat()}",
        },
    }


def signed(delivery: str, secret: bytes, body: bytes, now: dt.datetime) -> dict[str, str]:
    """Return the headers of a delivery: HMAC-SHA256 over `id.timestamp.body`, in base64 after `v1,`."""
    moment = str(int(now.timestamp()))
    content = f"{delivery}.{moment}.".encode() + body
    mac = base64.b64encode(hmac.digest(secret, content, hashlib.sha256)).decode()
    return {
        "Content-Type": "application/json",
        "User-Agent": "CrowdTrace",
        "webhook-id": delivery,
        "webhook-timestamp": moment,
        "webhook-signature": f"v1,{mac}",
    }
