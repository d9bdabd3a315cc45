"""Fill `wheelhouse/` with everything the locks name, for a machine without a network: `wheelhouse.py PYTHON LOCK...`.

Files are stored as they were published, because the locks contain their hashes. A package that is published only as
source is built at installation, so its build requirements (`build-system.requires`) are stored too.
"""

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
WHEELHOUSE = CHECKOUT / "wheelhouse"
DRAFT = CHECKOUT / "wheelhouse.part"
DEFAULT_BUILD = ["setuptools", "wheel"]  # PEP 518, for a source without pyproject.toml


def main(python: str, locks: list[str]) -> None:
    """Download into a temporary folder, which is renamed when it is complete."""
    DRAFT.mkdir(exist_ok=True)
    for lock in locks:
        say(f"Downloading {lock} ...")
        download(python, "--require-hashes", "--requirement", lock)
        if others := for_other_patches(Path(lock).read_text()):
            extra = DRAFT / "others.txt"
            extra.write_text(others)
            download(python, "--no-deps", "--require-hashes", "--requirement", str(extra))
            extra.unlink()
    needs = sorted({need for source in sources() for need in build_needs(source)})
    if needs:
        say(f"Downloading build requirements of {len(sources())} sources: {', '.join(needs)} ...")
        download(python, *needs)
    if WHEELHOUSE.exists():
        for old in WHEELHOUSE.iterdir():
            old.unlink()
        WHEELHOUSE.rmdir()
    DRAFT.rename(WHEELHOUSE)
    size = sum(path.stat().st_size for path in WHEELHOUSE.iterdir())
    say(f"wheelhouse/ holds {len(list(WHEELHOUSE.iterdir()))} files, {size / 1e6:.0f} MB.")


def download(python: str, *what: str) -> None:
    """Download packages with pip, which skips existing files."""
    command = [python, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--dest", str(DRAFT), *what]
    if subprocess.run(command, check=False).returncode != 0:
        sys.exit("The download failed; see the lines above for the reason. Run the same command again to continue.")


def for_other_patches(lock: str) -> str:
    """Return the requirements that only other patch releases of this Python need, without their marker.

    The target may have 3.11.2 where this machine has 3.11.7.
    """
    minor = f"{sys.version_info.major}.{sys.version_info.minor}"
    marker = re.compile(rf" ; python_full_version (?:<|<=|>|>=) '{re.escape(minor)}\.\d+'")
    entries = re.split(r"^(?=[a-z0-9])", lock, flags=re.MULTILINE)
    return "".join(marker.sub("", entry) for entry in entries if marker.search(entry))


def sources() -> list[Path]:
    """Return the files that are sources, not wheels."""
    return sorted(path for path in DRAFT.iterdir() if path.suffix in {".gz", ".zip"})


def build_needs(source: Path) -> list[str]:
    """Return the build requirements of a source, from its pyproject.toml."""
    text = read_member(source, "pyproject.toml")
    if text is None:
        return DEFAULT_BUILD
    needs: list[str] = tomllib.loads(text).get("build-system", {}).get("requires", DEFAULT_BUILD)
    # Old setuptools builds require the wheel package too.
    return [*needs, "wheel"] if any(need.startswith("setuptools") for need in needs) else needs


def read_member(source: Path, name: str) -> str | None:
    """Return a file of the source's top folder."""
    if source.suffix == ".zip":
        with zipfile.ZipFile(source) as archive:
            found = [member for member in archive.namelist() if member.count("/") == 1 and member.endswith(f"/{name}")]
            return archive.read(found[0]).decode() if found else None
    with tarfile.open(source) as archive:
        for member in archive:
            if member.name.count("/") == 1 and member.name.endswith(f"/{name}"):
                file = archive.extractfile(member)
                return file.read().decode() if file else None
    return None


def say(text: str) -> None:
    """Print a line of progress."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
