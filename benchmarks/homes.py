"""Temporary homes for benchmarks."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def measuring_home() -> Iterator[None]:
    """Run PostgreSQL and Valkey of a temporary home, load the settings, and remove the home afterwards."""
    import embedded

    os.environ["CROWDTRACE_FAST"] = "1"
    os.environ["CROWDTRACE_HOME"] = tempfile.mkdtemp(prefix="crowdtrace-bench-")
    os.environ["DJANGO_SETTINGS_MODULE"] = "crowdtrace.settings"
    home = embedded.home()
    try:
        with embedded.services(home):
            import django

            django.setup()
            yield
    finally:
        embedded.destroy(home)


@contextmanager
def serving_home() -> Iterator[Path]:
    """Run PostgreSQL and Valkey of a temporary home as a deployment does, with fsync, and remove the home afterwards.

    The caller loads the settings, those of `benchmarks.scan_floor_settings`, which have no limits.
    """
    import embedded

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.scan_floor_settings")
    with tempfile.TemporaryDirectory(prefix="crowdtrace-bench-") as folder:
        os.environ["CROWDTRACE_HOME"] = str(Path(folder) / "home")
        home = embedded.home()
        try:
            with embedded.services(home):
                yield home
        finally:
            embedded.destroy(home)
