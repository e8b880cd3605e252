"""uvicorn's server, with what the emulator's application needs of it."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.config import LOGGING_CONFIG
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from airflow_cloudtasks.emulator.server.app import TRANSPORT, EmulatorApp

if TYPE_CHECKING:
    import socket

    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol as _HttpTools

    from airflow_cloudtasks.emulator.control.operations import ControlPlane
else:
    _HttpTools = asyncio.Protocol


class _SharesTransport(asyncio.Protocol):
    """Pass the transport of the connection to the application, which ASGI does not."""

    app_state: dict[str, Any]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        # uvicorn copies app_state into every request's scope["state"].
        self.app_state = {**self.app_state, TRANSPORT: transport}


class _KeepsTarget(_HttpTools):
    """Keep the whole URL that a client sends to a proxy.

    uvicorn's protocol for h11 keeps it. Its protocol for httptools, which alone calls this method, drops scheme and
    host.
    """

    def on_headers_complete(self) -> None:
        if self.parser.get_method() == b"CONNECT":
            # The target of CONNECT is only a host and a port, which uvicorn cannot parse.
            self.url = b"http://" + self.url + b"/"
        super().on_headers_complete()
        # The application runs only after this method has returned.
        if not self.url.startswith(b"/"):
            self.scope["raw_path"] = self.url.partition(b"?")[0]


def protocol_over(base: type[asyncio.Protocol]) -> type[asyncio.Protocol]:
    """Return one of uvicorn's two HTTP protocols, extended. Which of the two depends on the installed packages."""
    return type("EmulatorProtocol", (_SharesTransport, _KeepsTarget, base), {})


_PROTOCOL = protocol_over(AutoHTTPProtocol)


class Server(uvicorn.Server):
    """uvicorn's server, with an event that is set once it serves.

    Args:
        config: uvicorn's configuration.

    Attributes:
        ready: Set once it serves.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start serving."""
        await super().startup(sockets)
        self.ready.set()


def make_server(
    plane: ControlPlane, *, tls_cert: str | None = None, tls_key: str | None = None, access_log: bool = False
) -> Server:
    """Return a server that is not running yet.

    Args:
        plane: The emulator's control plane, with its memory.
        tls_cert: A PEM file with the certificate, to serve over TLS.
        tls_key: A PEM file with its key.
        access_log: Whether to log every request.
    """
    return Server(
        uvicorn.Config(
            EmulatorApp(plane),
            http=_PROTOCOL,
            lifespan="off",
            ws="none",
            access_log=access_log,
            log_level="info" if access_log else "warning",
            # A process that runs the emulator in a thread keeps its own logging.
            log_config=LOGGING_CONFIG if access_log else None,
            server_header=False,
            # The application dates answers itself, by the clouds' clock.
            date_header=False,
            ssl_certfile=tls_cert,
            ssl_keyfile=tls_key,
            # A hang fault in progress must not delay the end.
            timeout_graceful_shutdown=1,
        )
    )
