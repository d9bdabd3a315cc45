"""The home: a private folder with the database, broker, lake, secrets and logs of one copy."""

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
"""A file that marks a folder as a home. It holds a random name, by which a database outside identifies its home."""


class HomeError(Exception):
    """The home cannot be used. The text is one sentence for the person who ran the command."""


def home() -> Path:
    """Return the home: `CROWDTRACE_HOME`, or `.crowdtrace` in the checkout. Create it with mode 0700 if it is missing.

    Raise `HomeError` for a folder of another user, or one that holds anything but a home: its mode must not be changed,
    and files of two users would lock each other out.
    """
    folder = Path(os.environ.get("CROWDTRACE_HOME") or CHECKOUT / ".crowdtrace").expanduser().resolve()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _claim(folder)
    except NotADirectoryError:
        raise HomeError(f"{folder} is not a folder; set CROWDTRACE_HOME to another one.") from None
    except FileExistsError:
        raise HomeError(f"{folder} is a file; set CROWDTRACE_HOME to a folder.") from None
    except PermissionError:
        raise HomeError(f"{folder} is not writable for this user; set CROWDTRACE_HOME to another folder.") from None
    return folder


def home_name(home: Path) -> str:
    """Return the random name of a home; a home copied to another path has another name."""
    return (home / MARKER).read_text().strip()


def secrets(home: Path) -> dict[str, str]:
    """Return `SECRET_KEY`, `PEPPER` and `MASTER_KEY` of a home, each 32 random bytes in base64url, created once."""
    return {name: secret(home, name) for name in APPLICATION_SECRETS}


def secret(home: Path, name: str) -> str:
    """Return one secret of a home, created on first use in a file of mode 0600."""
    folder = home / "secrets"
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / name
    if not path.exists():
        text = urlsafe_b64encode(entropy.token_bytes(SECRET_BYTES)).rstrip(b"=").decode()
        write_once(path, text)
    text = path.read_text().strip()
    if not text:
        # Never create it again: values encrypted or hashed with the lost secret could never be read again.
        raise HomeError(f"The secret {path} is empty; restore it from a backup.")
    return text


def put_secrets(home: Path, given: dict[str, str]) -> None:
    """Replace secrets of a home by those of another, whose database was restored here."""
    for name in APPLICATION_SECRETS:
        replace_private(home / "secrets" / name, given[name])


def write_once(path: Path, text: str) -> None:
    """Write a file of mode 0600 atomically; if it already exists, leave it unchanged."""
    draft = path.with_name(f".{path.name}.{entropy.token_hex(8)}")
    try:
        write_private(draft, text)
        with suppress(FileExistsError):
            path.hardlink_to(draft)
    finally:
        draft.unlink(missing_ok=True)


def write_private(path: Path, text: str) -> None:
    """Write a file of mode 0600 and flush it to disk."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def replace_private(path: Path, text: str) -> None:
    """Replace the content of a file atomically: a reader sees the old or the new content, never a part."""
    draft = path.with_name(f".{path.name}.{entropy.token_hex(8)}")
    write_private(draft, text)
    draft.replace(path)


def _claim(folder: Path) -> None:
    status = folder.stat()
    if status.st_uid != os.geteuid():
        raise HomeError(
            f"{folder} belongs to the user with number {status.st_uid}; start as that user, or set CROWDTRACE_HOME to "
            "another folder."
        )
    if not (folder / MARKER).exists():
        if any(not child.name.startswith(f".{MARKER}.") for child in folder.iterdir()) and not _made_meanwhile(folder):
            raise HomeError(f"{folder} contains other files; set CROWDTRACE_HOME to an empty or new folder.")
        folder.chmod(0o700)
        write_once(folder / MARKER, entropy.token_hex(16))
    elif stat.S_IMODE(status.st_mode) != 0o700:
        folder.chmod(0o700)


def _made_meanwhile(folder: Path) -> bool:
    """Return whether another process has created the home between our two checks."""
    return (folder / MARKER).exists()
