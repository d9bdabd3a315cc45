"""Measure pages of a running copy with Lighthouse, and fail below the aim: `lighthouse.py http://127.0.0.1:8000`.

npm downloads Lighthouse 12.8.2 for the run (newer ones require a newer Node); it drives the system's Chromium. Figures
of a busy machine mean little: run it on an idle one.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path

LIGHTHOUSE = "lighthouse@12.8.2"
CATEGORIES = ("performance", "accessibility", "best-practices")
AIM = 95
ATTEMPTS = 3
OWNER = "owner"
"""The page that is measured as the logged-in owner of the demonstration."""


def pages(url: str) -> dict[str, str]:
    """Return name and URL of each page to measure; the check-in is that of the first place."""
    with urllib.request.urlopen(f"{url}/venues") as answer:  # noqa: S310 - the copy that was named
        found = re.search(r'href="/venues/(v_\w+)"', answer.read().decode())
    if found is None:
        raise SystemExit("this copy has no place to check in to")
    return {
        "front": "/",
        "places": "/venues",
        "place": f"/venues/{found[1]}",
        "check-in": f"/check-in/{found[1]}",
        "pass": "/pass",
        "kiosk": "/kiosk",
        "shield": "/shield",
        "data": "/data",
        "sql": "/data/sql",
        "map": "/data/map",
        "beliefs": "/beliefs",
        "radar": "/radar",
        "docs": "/docs",
        "document": "/docs/model",
        "log-in": "/owner/login",
        OWNER: "/owner",
    }


def owner_cookie(url: str) -> str:
    """Return the session of the demonstration's owner, after log-in by the form."""
    made = subprocess.run([sys.executable, "manage.py", "demo", "--json"], capture_output=True, check=True).stdout
    owner = json.loads(made)["owner"]
    jar = CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', browser.open(f"{url}/owner/login").read().decode())
    if token is None:
        raise SystemExit("the log-in page has no form")
    form = {"csrfmiddlewaretoken": token[1], "username": owner["username"], "password": owner["password"]}
    browser.open(f"{url}/owner/login", urllib.parse.urlencode(form).encode())
    return "; ".join(f"{one.name}={one.value}" for one in jar)


def measure(address: str, folder: Path, cookie: str) -> dict[str, int]:
    """Return the score of each category, 0 to 100."""
    report = folder / "report.json"
    headers = folder / "headers.json"
    headers.write_text(json.dumps({"Cookie": cookie} if cookie else {}))
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome") or ""
    command = [
        "npx", "--yes", LIGHTHOUSE, address, "--quiet", "--output=json", f"--output-path={report}",
        f"--only-categories={','.join(CATEGORIES)}", "--chrome-flags=--headless=new --no-sandbox",
        f"--extra-headers={headers}",
    ]  # fmt: skip
    for attempt in range(ATTEMPTS):
        # It sometimes misses the start of a load (NO_NAVSTART), which says nothing about the page.
        if subprocess.run(command, check=False, env={**os.environ, "CHROME_PATH": chromium}).returncode == 0:
            break
        if attempt == ATTEMPTS - 1:
            raise SystemExit(f"Lighthouse cannot measure {address}")
    found = json.loads(report.read_text())["categories"]
    return {name: round(100 * (found[name]["score"] or 0)) for name in CATEGORIES}


def main() -> None:
    """Measure every page, or the named ones, and report those below the aim."""
    url, *only = sys.argv[1:]
    below = []
    with tempfile.TemporaryDirectory() as folder:
        for name, path in pages(url).items():
            if only and name not in only:
                continue
            cookie = owner_cookie(url) if name == OWNER else ""
            scores = measure(url + path, Path(folder), cookie)
            print(f"{name:10}", "  ".join(f"{category} {score}" for category, score in scores.items()), flush=True)  # noqa: T201
            below += [f"{name}: {category} {score}" for category, score in scores.items() if score < AIM]
    if below:
        raise SystemExit(f"below {AIM}: " + ", ".join(below))


if __name__ == "__main__":
    main()
