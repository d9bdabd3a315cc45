"""The system user that runs PostgreSQL when this process is root, because PostgreSQL refuses to run as root."""

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .processes import ServiceError

SERVICE_USER = "crowdtrace"
STATE = Path("/var/lib/crowdtrace")
"""Parent of that user's folders: it cannot enter the home of root, and we do not change the modes of parent folders."""


@dataclass(frozen=True)
class Account:
    """A user of this machine: user and group number."""

    uid: int
    gid: int


def service_account() -> Account | None:
    """Return the user that runs PostgreSQL: `None` for the current one, the service user for root."""
    if os.geteuid() != 0:
        return None
    entry = _look_up() or _make()
    if entry.pw_uid == 0:
        raise ServiceError(f"The user {SERVICE_USER} has root's user number, and PostgreSQL refuses to run as root.")
    return Account(entry.pw_uid, entry.pw_gid)


def _look_up() -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(SERVICE_USER)
    except KeyError:
        return None


def _make() -> pwd.struct_passwd:
    reason = "there is no useradd"
    if shutil.which("useradd"):
        command = ["useradd", "--system", "--user-group", "--no-create-home", "--home-dir", str(STATE)]
        shell = shutil.which("nologin") or "/bin/false"
        done = subprocess.run([*command, "--shell", shell, SERVICE_USER], capture_output=True, text=True, check=False)
        reason = done.stderr.strip() or f"useradd ended with {done.returncode}"
    # Looked up after a failure too: another copy may have created the user at the same time.
    if (entry := _look_up()) is None:
        raise ServiceError(
            f"PostgreSQL refuses to run as root, and its system user {SERVICE_USER} could not be created ({reason}). "
            "Create that user, or start as an ordinary user."
        )
    return entry
