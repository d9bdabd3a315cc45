"""Settings are read strictly: a missing or wrong one prevents the start with a sentence that names it."""

import os
import runpy
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from embedded.home import CHECKOUT

SETTINGS = CHECKOUT / "crowdtrace" / "settings.py"
KEY = "A" * 43
WHOLE = {
    "DATABASE_URL": "postgresql://someone:canary@db.example:5432/crowd",
    "REDIS_URL": "redis://:canary@queue.example:6379/0",
    "SECRET_KEY": "canary" * 9,
    "PEPPER": KEY,
    "MASTER_KEY": KEY,
}


@pytest.fixture
def whole(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Set the smallest environment of a deployment with separate servers."""
    for name in os.environ:
        if name.startswith("CROWDTRACE_") or name in {*WHOLE, "LIMITS_URL", "LAKE_URL"}:
            monkeypatch.delenv(name)
    for name, value in WHOLE.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def refusal() -> str:
    """Return the error of reading the settings."""
    with pytest.raises(ImproperlyConfigured) as refused:
        runpy.run_path(str(SETTINGS))
    assert "canary" not in str(refused.value)
    return str(refused.value)


def test_a_whole_environment_is_enough(whole: pytest.MonkeyPatch) -> None:
    read = runpy.run_path(str(SETTINGS))
    assert read["DATABASES"]["default"]["HOST"] == "db.example"
    assert read["REDIS_URL"] == WHOLE["REDIS_URL"]
    assert not read["EMBEDDED"]


@pytest.mark.parametrize("name", sorted({*WHOLE} - {"DATABASE_URL"}))
@pytest.mark.parametrize("empty", [True, False])
def test_what_is_missing_is_named(whole: pytest.MonkeyPatch, name: str, empty: bool) -> None:
    whole.setenv(name, "") if empty else whole.delenv(name)
    assert refusal().startswith(f"Set {name} (or {name}_FILE): ")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "canary"),
        ("DATABASE_URL", "mysql://someone:canary@db.example/crowd"),
        ("DATABASE_URL", "postgresql://someone:canary@db.example:5432"),
        ("PEPPER", "canary"),
        ("MASTER_KEY", "canary+canary"),
        ("SECURE_HSTS_SECONDS", "canary"),
        ("TRUSTED_PROXIES", "canary"),
        ("CROWDTRACE_TIME_ZONE", "canary"),
        ("CROWDTRACE_TIME_ZONE", "/canary"),
        ("CROWDTRACE_KNOWN_ACTIVE_PER_PERSON", "canary"),
        ("CROWDTRACE_ADOPTION", "canary"),
        ("CROWDTRACE_ADOPTION", "0.4,0.3,0.2"),
        ("CROWDTRACE_ADOPTION", "0.3,0.4"),
        ("CROWDTRACE_ADOPTION", "1.5"),
        ("CROWDTRACE_ADOPTION", "0"),
        ("CROWDTRACE_ADOPTION", "nan"),
        ("LAKE_CATALOGUE", "canary"),
        ("QUERY_LIMITS", "memory_mb=canary"),
        ("QUERY_LIMITS", "canary=1"),
    ],
)
def test_what_is_wrong_is_named_without_its_value(whole: pytest.MonkeyPatch, name: str, value: str) -> None:
    whole.setenv(name, value)
    assert name in refusal()


def test_a_secret_may_lie_in_a_file(whole: pytest.MonkeyPatch, tmp_path: Path) -> None:
    whole.delenv("PEPPER")
    (tmp_path / "pepper").write_text("B" * 42 + "A")
    whole.setenv("PEPPER_FILE", str(tmp_path / "pepper"))
    assert runpy.run_path(str(SETTINGS))["PEPPER"].startswith(b"\x04\x10")


def test_a_file_that_is_not_there_is_named(whole: pytest.MonkeyPatch, tmp_path: Path) -> None:
    whole.delenv("MASTER_KEY")
    whole.setenv("MASTER_KEY_FILE", str(tmp_path / "canary"))
    assert "MASTER_KEY_FILE" in refusal()
