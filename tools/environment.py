"""Make a virtual environment match a lock: `environment.py FOLDER LOCK [COVERED ...]`.

It does nothing if the environment was made from the same lock by the same Python. COVERED are locks whose packages LOCK
includes. If `wheelhouse/` exists, packages are installed from it without a network.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
WHEELHOUSE = CHECKOUT / "wheelhouse"
STAMP = "crowdtrace-locks.json"


def main(folder: Path, lock: Path, covered: list[Path]) -> None:
    """Make the environment match the lock."""
    refuse_foreign(folder)
    wanted = {path.name: digest(path) for path in [lock, *covered]}
    if read_stamp(folder).get(lock.name) == wanted[lock.name] and works(folder):
        return
    if not works(folder):
        make(folder)
    say(f"Installing {lock.relative_to(CHECKOUT)} into {folder.name} ...")
    (folder / STAMP).unlink(missing_ok=True)
    command = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    source = ["--no-index", "--find-links", str(WHEELHOUSE)] if WHEELHOUSE.is_dir() else []
    done = subprocess.run([*command, *source, "--require-hashes", "--requirement", str(lock)], check=False)
    if done.returncode != 0:
        sys.exit(f"Could not install {lock.name}; see the lines above for the reason, then run the same command again.")
    (folder / STAMP).write_text(json.dumps(wanted))


def refuse_foreign(folder: Path) -> None:
    """Refuse a folder that may not be ours: creating an environment there would empty it.

    A link leads to an environment that others use too, and a folder that contains anything but an environment was named
    by mistake.
    """
    if folder.is_symlink():
        sys.exit(f"{folder} is a link to {folder.readlink()}; remove the link, or choose a folder with VENV=.")
    if folder.exists() and any(folder.iterdir()) and not (folder / "pyvenv.cfg").is_file():
        sys.exit(f"{folder} is not a virtual environment; choose another folder with VENV=.")


def digest(path: Path) -> str:
    """Return a hash of what an environment is made from: the lock's content and the version of Python."""
    return hashlib.sha256(f"{sys.version_info[:2]}".encode() + path.read_bytes()).hexdigest()


def read_stamp(folder: Path) -> dict[str, str]:
    """Return names and digests of the locks that the environment was made from."""
    try:
        content: dict[str, str] = json.loads((folder / STAMP).read_text())
    except (OSError, ValueError):
        return {}
    return content


def works(folder: Path) -> bool:
    """Return whether the environment has this version of Python and works; a moved one does not."""
    python = folder / "bin" / "python"
    question = "import json, sys; print(json.dumps([sys.prefix, *sys.version_info[:2]]))"
    try:
        done = subprocess.run([str(python), "-I", "-c", question], capture_output=True, text=True, check=True)
        prefix, *version = json.loads(done.stdout)
    except (OSError, subprocess.CalledProcessError, ValueError):
        return False
    if version != list(sys.version_info[:2]) or Path(prefix).resolve() != folder.resolve():
        return False
    return is_at_home(folder)


def is_at_home(folder: Path) -> bool:
    """Return whether the environment was created at its present path; scripts of a moved one name the former path."""
    try:
        line = (folder / "bin" / "pip").read_text().splitlines()[0]
    except (OSError, IndexError, UnicodeDecodeError):
        return False
    # A path that is long or has a space makes pip write a shell line instead; such scripts are not read.
    if not line.startswith("#!/") or line == "#!/bin/sh":
        return True
    return Path(line[2:]).parent.resolve() == folder.resolve() / "bin"


def make(folder: Path) -> None:
    """Create an empty environment; install Debian's separate venv package if it is missing and we may."""
    say(f"Making {folder.name} with Python {sys.version.split()[0]} ...")
    if importable("ensurepip"):
        venv.create(folder, clear=True, with_pip=True, symlinks=True)
        return
    package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    install = CHECKOUT / "tools" / "system.sh"
    done = subprocess.run(["sh", str(install), package], check=False)
    if done.returncode != 0:
        sys.exit(done.returncode)
    shutil.rmtree(folder, ignore_errors=True)
    # Another process, because this one has already found that the package is missing.
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)


def importable(name: str) -> bool:
    """Return whether a module can be imported."""
    try:
        __import__(name)
    except ImportError:
        return False
    return True


def say(text: str) -> None:
    """Print a line of progress."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    os.umask(0o022)
    main(Path(sys.argv[1]), Path(sys.argv[2]).resolve(), [Path(name).resolve() for name in sys.argv[3:]])
