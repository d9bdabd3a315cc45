"""A temporary home for a benchmark."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


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
