"""The sockets that the emulator listens on."""

from __future__ import annotations

import ipaddress
import socket

_BACKLOG = 2048


def check_loopback(host: str) -> str:
    """Return a loopback address, since the emulator's keys are public and its control plane is open.

    Args:
        host: ``localhost`` or an IP address.

    Raises:
        ValueError: It is not a loopback address.
    """
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise ValueError(f"host: expected a loopback address such as 127.0.0.1, got {host!r}")
    return host


def bind(host: str, port: int) -> socket.socket:
    """Return a listening socket.

    Args:
        host: A loopback address.
        port: The port; 0 for any free one.

    Raises:
        ValueError: The host is not a loopback address.
        OSError: The port is taken.
    """
    family = socket.AF_INET6 if ":" in check_loopback(host) else socket.AF_INET
    # asyncio disables Nagle's algorithm only for sockets with this protocol number. With it, an answer in two writes
    # waits 40 ms for the client's delayed acknowledgement.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        # From now on, clients queue instead of being refused, so that the URL may be shown before the server runs.
        sock.listen(_BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock


def url_of(sock: socket.socket, *, tls: bool) -> str:
    """Return the URL of a bound socket, without a slash at its end."""
    host, port = sock.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    return f"{'https' if tls else 'http'}://{shown}:{port}"
