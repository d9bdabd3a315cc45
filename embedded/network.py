"""Free ports of the loopback interface."""

import errno
import socket

LOOPBACK = "127.0.0.1"


def is_free(port: int, *, host: str = LOOPBACK) -> bool:
    """Return whether no program listens on a port."""
    return why_not_free(port, host=host) is None


def why_not_free(port: int, *, host: str = LOOPBACK) -> str | None:
    """Return `None` for a port that can be listened on, otherwise a sentence with the reason.

    The check does not use SO_REUSEPORT: a web server whose processes share a port would otherwise share it with another
    program.
    """
    try:
        kind, protocol, number, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(kind, protocol, number) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except PermissionError:
        return f"Port {port} is reserved for root; choose a PORT above 1023."
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return f"Port {port} is in use by another program; choose another one with PORT."
        return f"{host} is not an address of this machine; choose another HOST."
    return None


def free_port() -> int:
    """Return a port that is free now. Another program may take it before it is used, so callers retry."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
    return port
