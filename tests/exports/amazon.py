"""A simulation of Amazon's control planes on loopback."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.request import Request, urlopen

from moto.server import ThreadedMotoServer


@contextmanager
def stand_in() -> Iterator[str]:
    """Yield its URL, reset: all servers of one process share their state."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        address = "http://{}:{}".format(*server.get_host_and_port())
        urlopen(Request(f"{address}/moto-api/reset", method="POST")).close()
        yield address
    finally:
        server.stop()
