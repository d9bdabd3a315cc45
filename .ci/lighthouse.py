"""Measures pages of a running copy with Lighthouse and fails below the aim: `lighthouse.py http://127.0.0.1:8000`.

Lighthouse 12.8.2 comes by npm when it is asked for (newer ones want a newer Node); it drives the system's Chromium.
Figures of a busy machine say little: run it at rest.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

LIGHTHOUSE = "lighthouse@12.8.2"
CATEGORIES = ("performance", "accessibility", "best-practices")
AIM = 95


def pages(url: str) -> dict[str, str]:
    """Name and address of each page that is measured; the check-in is that of the first place."""
    with urllib.request.urlopen(f"{url}/venues") as answer:  # noqa: S310 - the copy that was named
        found = re.search(r'href="/venues/(v_\w+)"', answer.read().decode())
    if found is None:
        raise SystemExit("this copy has no place to check in to")
    return {
        "check-in": f"/check-in/{found[1]}",
        "pass": "/pass",
        "kiosk": "/kiosk",
        "data": "/data",
        "sql": "/data/sql",
        "map": "/data/map",
    }


def measure(address: str, folder: Path) -> dict[str, int]:
    """Score of each category, 0 to 100."""
    report = folder / "report.json"
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome") or ""
    subprocess.run(
        [
            "npx", "--yes", LIGHTHOUSE, address, "--quiet", "--output=json", f"--output-path={report}",
            f"--only-categories={','.join(CATEGORIES)}", "--chrome-flags=--headless=new --no-sandbox",
        ],
        check=True,
        env={**os.environ, "CHROME_PATH": chromium},
    )  # fmt: skip
    found = json.loads(report.read_text())["categories"]
    return {name: round(100 * (found[name]["score"] or 0)) for name in CATEGORIES}


def main() -> None:
    """Measure every page, or those that are named, and say which are below."""
    url, *only = sys.argv[1:]
    below = []
    with tempfile.TemporaryDirectory() as folder:
        for name, path in pages(url).items():
            if only and name not in only:
                continue
            scores = measure(url + path, Path(folder))
            print(f"{name:10}", "  ".join(f"{category} {score}" for category, score in scores.items()), flush=True)  # noqa: T201
            below += [f"{name}: {category} {score}" for category, score in scores.items() if score < AIM]
    if below:
        raise SystemExit(f"below {AIM}: " + ", ".join(below))


if __name__ == "__main__":
    main()
