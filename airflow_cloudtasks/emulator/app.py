"""The ASGI application: vendor requests by a lean path of their own, ``/_control`` by Starlette."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import TYPE_CHECKING, Any

from airflow_cloudtasks.emulator.alibaba import AlibabaGateway
from airflow_cloudtasks.emulator.control import PREFIX, control_app
from airflow_cloudtasks.emulator.gateway import decide
from airflow_cloudtasks.emulator.tencent import TencentGateway
from airflow_cloudtasks.emulator.wire import Reply, Request, headers_from, to_json

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, MutableMapping

    from airflow_cloudtasks.emulator.gateway import Gateway
    from airflow_cloudtasks.emulator.state import State

    Scope = MutableMapping[str, Any]
    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]

TRANSPORT = "cloudtasks_transport"
"""Where the server leaves the connection's transport in ``scope["state"]``, for a fault to cut."""

# SO_LINGER on, for 0 seconds: closing sends RST at once instead of an orderly end.
_LINGER_ZERO = struct.pack("ii", 1, 0)
_ALIBABA = AlibabaGateway()
_TENCENT = TencentGateway()
_HINT = Reply(
    404,
    to_json(
        {
            "error": "This is the airflow_cloudtasks emulator. It serves signed requests of Alibaba Cloud (with "
            "x-acs-action, x-acs-version and an ACS3-HMAC-SHA256 signature) and of Tencent Cloud (with X-TC-Action, "
            f"X-TC-Version and a TC3-HMAC-SHA256 signature), and its own control plane under {PREFIX}."
        }
    ),
    "application/json",
)


class EmulatorApp:
    """The emulator as an ASGI application.

    Args:
        state: The emulator's memory.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._control = control_app(state)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, as ASGI asks.

        Args:
            scope: The request's head.
            receive: Gives its body.
            send: Takes the answer.
        """
        if scope["path"] == PREFIX or scope["path"].startswith(f"{PREFIX}/"):
            await self._control(scope, receive, send)
            return
        headers = headers_from(scope["headers"])
        gateway = _gateway_for(headers)
        request = Request(
            scope["method"],
            scope["raw_path"].decode("latin-1"),
            scope["query_string"].decode("latin-1"),
            headers,
            await _read_body(receive),
        )
        if gateway is None:
            await _send(_HINT, send)
            return
        await self._serve(gateway, request, scope, receive, send)

    async def _serve(self, gateway: Gateway, request: Request, scope: Scope, receive: Receive, send: Send) -> None:
        state = self._state
        came_in = state.now()
        identified = gateway.identify(request)
        exchange = identified.exchange
        with state.lock:
            decision = decide(gateway, request, identified, state)
            state.journal.begin(
                exchange,
                came_in,
                decision.outcome,
                decision.reply.status if decision.reply else None,
                throttled=decision.throttled,
            )
        try:
            if decision.reply is None:
                await _hang_up(scope, receive, decision.hang_seconds)
            else:
                await _send(decision.reply, send)
        finally:
            with state.lock:
                state.journal.end(exchange)


def _gateway_for(headers: Mapping[str, str]) -> Gateway | None:
    authorization = headers.get("authorization", "")
    if "x-tc-action" in headers or "x-tc-version" in headers or authorization.startswith("TC3-"):
        return _TENCENT
    if "x-acs-action" in headers or "x-acs-version" in headers or authorization.startswith("ACS3-"):
        return _ALIBABA
    return None


async def _read_body(receive: Receive) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body"):
        message = await receive()
        body += message.get("body", b"")
    return body


async def _send(reply: Reply, send: Send) -> None:
    headers = [
        (b"content-type", reply.content_type.encode()),
        (b"content-length", str(len(reply.body)).encode()),
    ]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})


async def _hang_up(scope: Scope, receive: Receive, seconds: float) -> None:
    """Keep the client waiting, or until it gives up, and then cut the connection without an answer."""
    if seconds:
        try:
            async with asyncio.timeout(seconds):
                await _disconnected(receive)
                return
        except TimeoutError:
            pass
    transport = scope["state"][TRANSPORT]
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
    transport.abort()
    # The server takes an application that returns without an answer for a broken one and says so in its log, unless it
    # has noticed by then that the connection is gone.
    await _disconnected(receive)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
