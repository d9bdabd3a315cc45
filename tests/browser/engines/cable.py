"""A network that can be unplugged: a forwarder between a browser and the server."""

import contextlib
import selectors
import socket
import threading
from urllib.parse import urlsplit


class Cable:
    """Forwards connections to a server until it is unplugged; then nothing responds, as without a network."""

    def __init__(self, server: str) -> None:
        parts = urlsplit(server)
        self._server = (parts.hostname or "", parts.port or 80)
        self._open: set[socket.socket] = set()
        self._listener = self._listen(0)
        self._port: int = self._listener.getsockname()[1]
        self.origin = f"http://localhost:{self._port}"

    def _listen(self, port: int) -> socket.socket:
        listener = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self._accept, args=[listener], daemon=True).start()
        return listener

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):  # the listener is closed
            while True:
                near, _ = listener.accept()
                far = socket.create_connection(self._server)
                self._open |= {near, far}
                threading.Thread(target=self._forward, args=[near, far], daemon=True).start()

    def _forward(self, near: socket.socket, far: socket.socket) -> None:
        other = {near: far, far: near}
        with near, far, selectors.DefaultSelector() as both, contextlib.suppress(OSError, ValueError):
            for each, opposite in other.items():
                both.register(each, selectors.EVENT_READ, opposite)
            while True:
                for key, _events in both.select():
                    part = key.fileobj.recv(65536)  # type: ignore[union-attr]
                    if not part:
                        return
                    key.data.sendall(part)

    def pull(self) -> None:
        """Disconnect the network."""
        for each in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        self._open.clear()

    def plug(self) -> None:
        """Connect the network again."""
        self._listener = self._listen(self._port)
