"""The home: one private folder that holds database, broker, lake, secrets and logs of one copy."""

import os
import secrets as entropy
import stat
from base64 import urlsafe_b64encode
from contextlib import suppress
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
APPLICATION_SECRETS = ("SECRET_KEY", "PEPPER", "MASTER_KEY")
SECRET_BYTES = 32
MARKER = "crowdtrace-home"
"""A file that says that a folder is a home. It holds a random name, by which a database outside knows its home."""


class HomeError(Exception):
    """The home cannot be used. The text is one sentence for the person who started the command."""


def home() -> Path:
    """Return the home, made when missing, with mode 0700: `CROWDTRACE_HOME`, or `.crowdtrace` in the checkout.

    A folder of another user, or one that holds anything but a home, is refused: its mode must not be changed, and
    files of two users would lock each other out.
    """
    folder = Path(os.environ.get("CROWDTRACE_HOME") or CHECKOUT / ".crowdtrace").expanduser().resolve()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _claim(folder)
    except NotADirectoryError:
        raise HomeError(f"{folder} is not a folder; give another one in CROWDTRACE_HOME.") from None
    except FileExistsError:
        raise HomeError(f"{folder} is a file; give a folder in CROWDTRACE_HOME.") from None
    except PermissionError:
        raise HomeError(f"{folder} cannot be written by this user; give another folder in CROWDTRACE_HOME.") from None
    return folder


def home_name(home: Path) -> str:
    """Return the random name of a home, which a copy of its path does not share."""
    return (home / MARKER).read_text().strip()


def secrets(home: Path) -> dict[str, str]:
    """Return `SECRET_KEY`, `PEPPER` and `MASTER_KEY` of a home: 32 random bytes each, base64url, made on first use."""
    return {name: secret(home, name) for name in APPLICATION_SECRETS}


def secret(home: Path, name: str) -> str:
    """Return one secret of a home, made on first use in a file of mode 0600."""
    folder = home / "secrets"
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / name
    if not path.exists():
        text = urlsafe_b64encode(entropy.token_bytes(SECRET_BYTES)).rstrip(b"=").decode()
        write_once(path, text)
    text = path.read_text().strip()
    if not text:
        # Never made anew: what was encrypted or hashed under the lost value could never be read again.
        raise HomeError(f"The secret {path} is empty; restore it from a backup.")
    return text


def put_secrets(home: Path, given: dict[str, str]) -> None:
    """Replace secrets of a home by those of another, whose database was restored here."""
    for name in APPLICATION_SECRETS:
        replace_private(home / "secrets" / name, given[name])


def write_once(path: Path, text: str) -> None:
    """Write a file of mode 0600 whole or not at all; whoever comes second leaves the first one's file alone."""
    draft = path.with_name(f".{path.name}.{entropy.token_hex(8)}")
    try:
        write_private(draft, text)
        with suppress(FileExistsError):
            path.hardlink_to(draft)
    finally:
        draft.unlink(missing_ok=True)


def write_private(path: Path, text: str) -> None:
    """Write a file of mode 0600 and bring it to the disk."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def replace_private(path: Path, text: str) -> None:
    """Put a new content in the place of an old one; a reader sees one of the two, never a part."""
    draft = path.with_name(f".{path.name}.{entropy.token_hex(8)}")
    write_private(draft, text)
    draft.replace(path)


def _claim(folder: Path) -> None:
    status = folder.stat()
    if status.st_uid != os.geteuid():
        raise HomeError(
            f"{folder} belongs to the user with number {status.st_uid}; start as that user, or give another folder in "
            "CROWDTRACE_HOME."
        )
    if not (folder / MARKER).exists():
        if any(not child.name.startswith(f".{MARKER}.") for child in folder.iterdir()) and not _made_meanwhile(folder):
            raise HomeError(f"{folder} holds other things; give an empty or a new folder in CROWDTRACE_HOME.")
        folder.chmod(0o700)
        write_once(folder / MARKER, entropy.token_hex(16))
    elif stat.S_IMODE(status.st_mode) != 0o700:
        folder.chmod(0o700)


def _made_meanwhile(folder: Path) -> bool:
    """Another process may have made the home between our two looks."""
    return (folder / MARKER).exists()
