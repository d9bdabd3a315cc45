"""The home is private, ours only, and its secrets are created once."""

import os
import stat
import sys
from base64 import urlsafe_b64decode
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import embedded
from embedded.home import CHECKOUT, home_name, replace_private, secret

CHECKOUT_MODULE = home_name.__module__


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CROWDTRACE_HOME", str(tmp_path / "deep" / "home"))
    return tmp_path / "deep" / "home"


def test_a_home_is_made_on_first_use_and_closed_to_others(folder: Path) -> None:
    assert embedded.home() == folder
    assert mode(folder) == 0o700


def test_a_home_that_was_opened_to_others_is_closed_again(folder: Path) -> None:
    embedded.home()
    folder.chmod(0o755)
    embedded.home()
    assert mode(folder) == 0o700


def test_without_a_name_the_home_lies_in_the_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CROWDTRACE_HOME", raising=False)
    monkeypatch.setattr(sys.modules[CHECKOUT_MODULE], "_claim", lambda _folder: None)
    existed = (CHECKOUT / ".crowdtrace").exists()
    assert embedded.home() == CHECKOUT / ".crowdtrace"
    if not existed:
        (CHECKOUT / ".crowdtrace").rmdir()


def test_a_relative_home_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CROWDTRACE_HOME", "mine")
    assert embedded.home() == tmp_path / "mine"


def test_a_folder_that_holds_other_things_is_refused_and_left_alone(folder: Path) -> None:
    folder.mkdir(parents=True, mode=0o755)
    (folder / "letter.txt").write_text("dear")
    with pytest.raises(embedded.HomeError, match="contains other files"):
        embedded.home()
    assert mode(folder) == 0o755
    assert [child.name for child in folder.iterdir()] == ["letter.txt"]


def test_a_file_is_refused(folder: Path) -> None:
    folder.parent.mkdir()
    folder.write_text("")
    with pytest.raises(embedded.HomeError, match="is a file"):
        embedded.home()


def test_a_home_below_a_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("CROWDTRACE_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(embedded.HomeError, match="is not a folder"):
        embedded.home()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to somebody else")
def test_the_home_of_another_user_is_refused(folder: Path) -> None:
    embedded.home()
    os.chown(folder, 12_345, 12_345)
    with pytest.raises(embedded.HomeError, match="belongs to the user with number 12345"):
        embedded.home()


def test_leftovers_of_a_killed_first_start_do_not_make_a_folder_foreign(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / ".crowdtrace-home.0123456789abcdef").write_text("half")
    embedded.home()
    assert len(home_name(folder)) == 32


def test_secrets_are_32_random_bytes_each_in_files_that_only_we_read(folder: Path) -> None:
    found = embedded.secrets(embedded.home())
    assert set(found) == {"SECRET_KEY", "PEPPER", "MASTER_KEY"}
    assert len(set(found.values())) == 3
    for name, text in found.items():
        assert len(urlsafe_b64decode(text + "=")) == 32
        assert mode(folder / "secrets" / name) == 0o600
    assert mode(folder / "secrets") == 0o700


def test_secrets_stay_the_same(folder: Path) -> None:
    assert embedded.secrets(embedded.home()) == embedded.secrets(embedded.home())


def test_many_first_users_agree_on_home_and_secrets(folder: Path) -> None:
    def use(_number: int) -> tuple[str, str]:
        home = embedded.home()
        return home_name(home), secret(home, "PEPPER")

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(use, range(64)))) == 1
    assert not list(folder.rglob(".*"))


def test_an_empty_secret_is_never_created_again(folder: Path) -> None:
    home = embedded.home()
    embedded.secrets(home)
    (home / "secrets" / "PEPPER").write_text("")
    with pytest.raises(embedded.HomeError, match=r"PEPPER is empty; restore it from a backup"):
        embedded.secrets(home)


def test_a_replaced_file_is_whole_and_private(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old and long")
    replace_private(path, "new")
    assert path.read_text() == "new"
    assert mode(path) == 0o600
    assert list(tmp_path.iterdir()) == [path]
