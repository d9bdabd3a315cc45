"""The secrets that a backup leaves out: a separate file, and marks to check whether given secrets are the same."""

import hashlib
import hmac
import os
import re
from pathlib import Path
from typing import Final

from django.conf import settings

from common.crypto import b64encode
from exports.backup.folder import BackupError

UNREADABLE: Final = {
    "PEPPER": "no pass, ticket, device or erasure can be found again, for the database holds keyed hashes of them",
    "MASTER_KEY": "names, second factors, waiting erasures and the keys that sign passes and tickets cannot be read",
}
"""The consequence of losing each secret. Without `SECRET_KEY`, people only have to log in again."""
NAMES: Final = ("SECRET_KEY", *UNREADABLE)


def present() -> dict[str, str]:
    """Return the secrets of this deployment as text."""
    return {
        "SECRET_KEY": settings.SECRET_KEY,
        "PEPPER": b64encode(settings.PEPPER),
        "MASTER_KEY": b64encode(settings.MASTER_KEY),
    }


def marks(given: dict[str, str]) -> dict[str, str]:
    """Return a mark of each secret that a restore needs. It does not reveal the secret, which has 256 random bits."""
    return {
        name: hmac.new(given[name].encode(), f"crowdtrace/v1/backup/{name}".encode(), hashlib.sha256).hexdigest()
        for name in UNREADABLE
    }


def write_secrets(path: Path, *, backup: Path) -> None:
    """Write the secrets to a new file of mode 0600; raise `BackupError` if it exists or is in the backup."""
    if path.resolve().is_relative_to(backup.resolve()):
        raise BackupError("The file of --secrets would be in the backup: keep the two apart.")
    text = "".join(f"{name}={value}\n" for name, value in present().items())
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        if path.is_file() and path.read_bytes() == text.encode():  # left by an interrupted backup
            path.chmod(0o600)
            return
        raise BackupError(f"{path} exists: name a new file for --secrets.") from None
    except OSError as error:
        raise BackupError(f"{path} cannot be written: {error.strerror}.") from None
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def read_secrets(path: Path) -> dict[str, str]:
    """Return the secrets in such a file; raise `BackupError`."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise BackupError(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise BackupError(f"{path} is not a file that backup --secrets wrote.") from None
    found = dict(re.findall(r"^([A-Z_]+)=(.+?)\s*$", text, flags=re.MULTILINE))
    if missing := [name for name in NAMES if name not in found]:
        raise BackupError(f"{path} lacks {', '.join(missing)}: give the file that backup --secrets wrote.")
    return {name: found[name] for name in NAMES}


def refuse_others(given: dict[str, str], expected: dict[str, str]) -> None:
    """Raise `BackupError` if these are not the secrets that the backup was made under."""
    different = [name for name, mark in marks(given).items() if not hmac.compare_digest(mark, expected[name])]
    if different:
        names, verb = " and ".join(different), "is not the one" if len(different) == 1 else "are not those"
        lost = "; ".join(UNREADABLE[name] for name in different)
        raise BackupError(f"{names} {verb} of the backup: {lost}. Set the right ones, or give --secrets FILE.")
