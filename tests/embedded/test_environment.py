"""Environments are created only in folders that are ours, and only if something changed."""

import json
import runpy
import subprocess
import sys
from pathlib import Path

from embedded.home import CHECKOUT

SCRIPT = CHECKOUT / "tools" / "environment.py"
LOCK = CHECKOUT / "locks" / "base.txt"


def make(folder: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(SCRIPT), str(folder), str(LOCK)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_target_of_a_link_is_never_emptied(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "pyvenv.cfg").write_text("of somebody else")
    (tmp_path / "link").symlink_to(shared)
    done = make(tmp_path / "link")
    assert done.returncode == 1
    assert "is a link to" in done.stderr
    assert (shared / "pyvenv.cfg").read_text() == "of somebody else"


def test_a_folder_that_holds_something_else_is_never_emptied(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    done = make(tmp_path)
    assert done.returncode == 1
    assert "is not a virtual environment" in done.stderr
    assert (tmp_path / "letter.txt").read_text() == "dear"


def test_an_environment_of_the_same_lock_is_left_alone_however_it_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "env"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    digest = runpy.run_path(str(SCRIPT))["digest"](LOCK)
    (folder / "crowdtrace-locks.json").write_text(json.dumps({LOCK.name: digest}))
    (tmp_path / "beside").mkdir()
    for name in (folder, tmp_path / "beside" / ".." / "env"):
        done = make(name)
        assert (done.returncode, done.stdout) == (0, "")


def test_the_wheelhouse_holds_what_other_patch_releases_need() -> None:
    chosen = runpy.run_path(str(CHECKOUT / "tools" / "wheelhouse.py"))["for_other_patches"]
    minor = f"{sys.version_info.major}.{sys.version_info.minor}"
    lock = (
        "amqp==1 \\\n    --hash=sha256:aa\n"
        f"old==2 ; python_full_version < '{minor}.3' \\\n    --hash=sha256:bb\n"
        "new==3 ; python_full_version >= '3.99' \\\n    --hash=sha256:cc\n"
    )
    assert chosen(lock) == "old==2 \\\n    --hash=sha256:bb\n"
