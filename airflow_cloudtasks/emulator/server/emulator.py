"""The emulator in this process."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from airflow_cloudtasks.emulator.control.operations import ControlPlane
from airflow_cloudtasks.emulator.engine.keys import DEFAULT_KEY
from airflow_cloudtasks.emulator.server.listener import Listener
from airflow_cloudtasks.emulator.server.sockets import bind, check_loopback
from airflow_cloudtasks.emulator.server.uvicorn_server import make_server

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

_CONNECTIONS = (
    ("AIRFLOW_CONN_ALIBABA_DEFAULT", "cloudtasks_alibaba", "cn-shanghai"),
    ("AIRFLOW_CONN_TENCENT_DEFAULT", "cloudtasks_tencent", "ap-guangzhou"),
)


class Emulator(ControlPlane):
    """Both clouds in a thread of this process.

    ``with Emulator() as emulator:`` serves on a free port and stops at the end. All operations of the control plane are
    methods of it, which may be called from any thread at any time.

    Args:
        host: The loopback address to serve on.
        port: The port; 0 for any free one.
        tls_cert: A PEM file with a certificate, to serve over TLS.
        tls_key: A PEM file with its key.
        tls_port: A second port for TLS, 0 for any free one, while ``port`` stays plain http; None to serve over TLS
            alone, on ``port``. The STS clients of Alibaba Cloud's library speak https only.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        tls_cert: str | None = None,
        tls_key: str | None = None,
        tls_port: int | None = None,
    ) -> None:
        if tls_port is not None and (tls_cert is None or tls_key is None):
            raise ValueError("tls_port: expected tls_cert and tls_key with it")
        super().__init__()
        self._address = (check_loopback(host), port)
        self._tls = (tls_cert, tls_key)
        self._tls_port = tls_port
        self._listeners: list[Listener] = []

    def start(self) -> Self:
        """Return the emulator itself once it serves.

        Raises:
            RuntimeError: It is running already, or does not start.
            OSError: A port is taken.
        """
        if self._listeners:
            raise RuntimeError("The emulator is running already")
        host, port = self._address
        try:
            if self._tls_port is None:
                self._listen(host, port, tls=self._tls[0] is not None)
            else:
                self._listen(host, port, tls=False)
                self._listen(host, self._tls_port, tls=True)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Stop serving, and return once it has stopped; its memory stays. A second call has no effect."""
        while self._listeners:
            self._listeners.pop().stop()

    def _listen(self, host: str, port: int, *, tls: bool) -> None:
        tls_cert, tls_key = self._tls if tls else (None, None)
        server = make_server(self, tls_cert=tls_cert, tls_key=tls_key)
        listener = Listener(server, bind(host, port), tls=tls)
        listener.start()
        self._listeners.append(listener)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Its URL, e.g. ``http://127.0.0.1:38211``.

        Raises:
            RuntimeError: It is not running.
        """
        return self._running()[0].url

    @property
    def port(self) -> int:
        """Its port.

        Raises:
            RuntimeError: It is not running.
        """
        port: int = self._running()[0].sock.getsockname()[1]
        return port

    @property
    def tls_url(self) -> str:
        """Its URL over TLS, e.g. ``https://127.0.0.1:38212``.

        Raises:
            RuntimeError: It is not running, or has no certificate.
        """
        url = self._running()[-1].url
        if not url.startswith("https:"):
            raise RuntimeError("The emulator does not serve over TLS: pass tls_cert, tls_key and tls_port to it")
        return url

    @property
    def tls_port(self) -> int:
        """Its port for TLS.

        Raises:
            RuntimeError: It is not running, or has no certificate.
        """
        return int(self.tls_url.rpartition(":")[2])

    def connections(self, region: str | None = None) -> dict[str, str]:
        """Return Airflow connections to the emulator, as the environment variables that Airflow reads.

        Args:
            region: The region of both; None for ``cn-shanghai`` and ``ap-guangzhou``.

        Returns:
            ``AIRFLOW_CONN_ALIBABA_DEFAULT`` and ``AIRFLOW_CONN_TENCENT_DEFAULT`` with their JSON values.

        Raises:
            RuntimeError: It is not running.
        """
        return {
            variable: json.dumps(
                {
                    "conn_type": conn_type,
                    "login": DEFAULT_KEY.id,
                    "password": DEFAULT_KEY.secret,
                    "host": self.url,
                    "extra": {"region": region or default_region},
                }
            )
            for variable, conn_type, default_region in _CONNECTIONS
        }

    def _running(self) -> list[Listener]:
        if not self._listeners:
            raise RuntimeError("The emulator is not running: use it in a with statement, or call start()")
        return self._listeners
