"""Features of browsers that the pages use, how to detect each, and what the documents say about it."""

from pathlib import Path
from typing import Final

BROWSERS: Final = ("Chromium", "Firefox", "WebKit")
_CHECKOUT: Final = Path(__file__).parents[3]
DOCUMENTS: Final = ("docs/visitors.md", "docs/hosts.md")

# A JavaScript function for each text in the first column of the tables.
PROBES: Final = {
    "Reading QR codes (`BarcodeDetector`)": "() => 'BarcodeDetector' in window",
    "Camera (`getUserMedia`)": "() => typeof navigator.mediaDevices?.getUserMedia === 'function'",
    "NFC (`NDEFReader`)": "() => 'NDEFReader' in window",
    "Keeping the screen on (`wakeLock`)": "() => 'wakeLock' in navigator",
    "Offer to install (`beforeinstallprompt`)": "() => 'onbeforeinstallprompt' in window",
    "Offline copy (service worker)": "() => 'serviceWorker' in navigator",
    "Promise to keep the storage (`persist`)": "() => typeof navigator.storage?.persist === 'function'",
    "Notifications": "() => 'Notification' in window",
    "Position": "() => 'geolocation' in navigator",
    "Vibration": "() => 'vibrate' in navigator",
    "Full screen": "() => typeof document.body.requestFullscreen === 'function'",
    "Copying to the clipboard": "() => typeof navigator.clipboard?.writeText === 'function'",
    "One tab at a time (Web Locks)": "() => 'locks' in navigator",
    "Signatures in the browser (Ed25519)": """() => crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"])
      .then(() => true, () => false)""",
    "Sealing in the browser (X25519)": """() => crypto.subtle.generateKey("X25519", false, ["deriveBits"])
      .then(() => true, () => false)""",
}


def documented(document: str, browser: str) -> dict[str, bool]:
    """Return whether a browser has each feature by a document's table, whose cells begin with yes or no."""
    lines = (_CHECKOUT / document).read_text().splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    start = next(at for at, row in enumerate(rows) if row[1:4] == list(BROWSERS))
    said: dict[str, bool] = {}
    for row in rows[start + 2 :]:
        if len(row) != 5 or not row[1].startswith(("yes", "no")):
            break
        said[row[0]] = row[1 + BROWSERS.index(browser)].startswith("yes")
    return said
