"""A proxy on loopback that records what it is asked for, and serves every host by the same two ports."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class RecordingProxy:
    """A running proxy.

    Args:
        url: Its address.
        seen: The hosts and ports that it was asked for, in order, each with ``CONNECT`` for a tunnel, or with the
            method of a plain request.
    """

    url: str
    seen: list[tuple[str, str]] = field(default_factory=list)


@contextmanager
def recording_proxy(plain: int, tls: int) -> Iterator[RecordingProxy]:
    """Run a proxy that resolves every host name to 127.0.0.1.

    Args:
        plain: The port that serves plain requests.
        tls: The port that serves tunnels.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    proxy = RecordingProxy(f"http://127.0.0.1:{listener.getsockname()[1]}")

    def serve(client: socket.socket) -> None:
        with client, suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                if not (received := client.recv(65536)):
                    return
                head += received
            method, target, _ = head.decode("latin-1").split(" ", 2)
            if method == "CONNECT":
                proxy.seen.append((method, target))
            else:
                proxy.seen.append((method, target.split("/")[2]))
            with socket.create_connection(("127.0.0.1", tls if method == "CONNECT" else plain)) as server:
                if method == "CONNECT":
                    client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                else:
                    server.sendall(head)
                back = threading.Thread(target=pump, args=(server, client))
                back.start()
                pump(client, server)
                back.join()

    def accept() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(client,), daemon=True).start()

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield proxy
    finally:
        # Closing alone does not wake the thread that waits for connections.
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def pump(source: socket.socket, sink: socket.socket) -> None:
    """Copy bytes until the source ends, and end the sink."""
    with suppress(OSError):
        while received := source.recv(65536):
            sink.sendall(received)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
