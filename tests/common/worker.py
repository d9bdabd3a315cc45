"""A worker whose one task fails with a canary in its message, its arguments and its variables."""

import os
import sys

os.environ["DJANGO_SETTINGS_MODULE"] = "crowdtrace.settings"

from crowdtrace.celery import app


@app.task(name="tests.fail")
def fail(secret: str) -> None:
    """Fail."""
    print(f"printed {secret}")
    raise ValueError(f"refused {secret}")


@app.task(name="tests.stop")
def stop() -> None:
    """End the worker after the failed task."""
    app.control.shutdown()


if __name__ == "__main__":
    queue = sys.argv[1]
    fail.apply_async(args=("canary-argument",), queue=queue)
    stop.apply_async(queue=queue)
    app.worker_main(
        ["worker", "--pool", "solo", "--loglevel", "info", "--queues", queue, "--without-gossip", "--without-mingle"]
    )
