"""Free ports of the loopback interface."""

import errno
import socket

LOOPBACK = "127.0.0.1"


def is_free(port: int, *, host: str = LOOPBACK) -> bool:
    """Return whether nobody listens on a port."""
    return why_not_free(port, host=host) is None


def why_not_free(port: int, *, host: str = LOOPBACK) -> str | None:
    """Return None for a port that can be listened on, else a sentence that says why not.

    Asked without SO_REUSEPORT: a web server whose processes share a port would else share it with a stranger's.
    """
    try:
        kind, protocol, number, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(kind, protocol, number) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except PermissionError:
        return f"Port {port} is kept for root; choose a PORT above 1023."
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return f"Port {port} is in use by another program; choose another one with PORT."
        return f"{host} is no address of this machine; choose another HOST."
    return None


def free_port() -> int:
    """Return a port that is free now. Somebody may take it before it is used: whoever uses it tries again."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
    return port
