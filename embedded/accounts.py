"""The system user under which PostgreSQL runs when we are root, for PostgreSQL refuses to run as root."""

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .processes import ServiceError

SERVICE_USER = "crowdtrace"
STATE = Path("/var/lib/crowdtrace")
"""Where that user's folders lie: the home of root is closed to it, and the modes of its parents are not ours."""


@dataclass(frozen=True)
class Account:
    """A user of this machine: user and group number."""

    uid: int
    gid: int


def service_account() -> Account | None:
    """Return the user to run PostgreSQL as: None for ourselves, the service user (made when missing) when root."""
    if os.geteuid() != 0:
        return None
    entry = _look_up() or _make()
    if entry.pw_uid == 0:
        raise ServiceError(f"The user {SERVICE_USER} is root by another name, and PostgreSQL refuses to run as root.")
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
    # Looked up also after a failure: another copy may have made the user at the same moment.
    if (entry := _look_up()) is None:
        raise ServiceError(
            f"PostgreSQL refuses to run as root, and its system user {SERVICE_USER} could not be made ({reason}). "
            "Make that user, or start as an ordinary user."
        )
    return entry
