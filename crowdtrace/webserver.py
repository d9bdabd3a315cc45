"""Run the web server, with what doors and check-ins need loaded once.

    python -m crowdtrace.webserver [options of granian] crowdtrace.asgi:application

Its workers are copies of this process, so a start takes the CPU of one of them, and one that replaces a worker that
ended (`--respawn-failed-workers`) takes nearly none. They import `crowdtrace.asgi` themselves: it configures the logs
after granian has configured its own.
"""

import gc
import os
from importlib import import_module

from granian.cli import entrypoint

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crowdtrace.settings")


def preload() -> None:
    """Import what `crowdtrace.asgi` and the first scan or check-in would import."""
    import django
    from django.conf import settings
    from django.utils.module_loading import import_string

    django.setup()
    for name in (*settings.MIDDLEWARE, *settings.SHORT_WAYS.values()):
        import_string(name)
    for name in ("crowdtrace.celery", "common.web.front", "common.web.short_ways", settings.DOORS_URLCONF):
        import_module(name)
    gc.collect()
    gc.freeze()  # a collection in a worker would otherwise copy every page of memory that they share


if __name__ == "__main__":  # where processes are not copied, each of them imports this module
    preload()
    entrypoint()  # type: ignore[no-untyped-call]
