"""The ASGI application: it serves vendor requests itself and passes ``/_control`` to Starlette, which is slower."""

from __future__ import annotations

import asyncio
import re
import socket
import struct
from email.utils import formatdate
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from airflow_cloudtasks.emulator.control.routes import PREFIX, control_app
from airflow_cloudtasks.emulator.engine.values import CLOUDS
from airflow_cloudtasks.emulator.vendor.alibaba import AlibabaGateway, is_for_alibaba
from airflow_cloudtasks.emulator.vendor.gateway import decide
from airflow_cloudtasks.emulator.vendor.metadata import HOSTS, MetadataGateway
from airflow_cloudtasks.emulator.vendor.metadata import PREFIX as METADATA_PREFIX
from airflow_cloudtasks.emulator.vendor.smq import SmqGateway, is_for_smq
from airflow_cloudtasks.emulator.vendor.tencent import TencentGateway
from airflow_cloudtasks.emulator.vendor.wire import Reply, Request, headers_from, to_json

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    from airflow_cloudtasks.emulator.control.operations import ControlPlane
    from airflow_cloudtasks.emulator.engine.state import State
    from airflow_cloudtasks.emulator.vendor.gateway import Decision, Gateway, LongPoll

    Scope = MutableMapping[str, Any]
    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]

TRANSPORT = "cloudtasks_transport"
"""The key of the connection's transport in ``scope["state"]``, by which a fault cuts the connection."""

# SO_LINGER on, for 0 seconds: close() then sends RST at once instead of an orderly end.
_LINGER_ZERO = struct.pack("ii", 1, 0)
# Between two looks of a long poll at its queue.
_POLL_SECONDS = 0.02
_WHOLE_URL = re.compile(r"https?://(?P<authority>[^/]*?)(?::80)?(?P<path>/.*)?", re.IGNORECASE)
_CAM_PREFIX = "/latest/meta-data/cam/"
_HINT = Reply(
    404,
    to_json(
        {
            "error": "This is the airflow_cloudtasks emulator. It serves signed requests of Alibaba Cloud (with "
            "x-acs-action, x-acs-version and an ACS3-HMAC-SHA256 signature, or with Action, Version and an HMAC-SHA1 "
            "Signature among the parameters) and of Tencent Cloud (with X-TC-Action, "
            "X-TC-Version and a TC3-HMAC-SHA256 signature), message queues of SMQ (with x-mns-version and an MNS "
            "signature), both clouds' metadata services under "
            f"{METADATA_PREFIX}, and its own control plane under {PREFIX}."
        }
    ),
    "application/json",
)


class EmulatorApp:
    """The emulator as an ASGI application.

    Args:
        plane: The emulator's control plane, with its memory.
    """

    def __init__(self, plane: ControlPlane) -> None:
        self._state = plane.state
        self._control = control_app(plane)
        self._alibaba = AlibabaGateway(plane.registry)
        self._tencent = TencentGateway(plane.registry)
        self._smq = SmqGateway(plane.registry)
        self._metadata = {cloud: MetadataGateway(cloud) for cloud in CLOUDS}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request of ASGI."""
        target = scope["raw_path"].decode("latin-1")
        authority, raw_path = (target, "/") if scope["method"] == "CONNECT" else split_target(target)
        if authority is not None and not _serves(authority, scope):
            await _read_body(receive)
            await self._send(_not_proxied(authority), send)
            return
        if authority not in HOSTS and (raw_path == PREFIX or raw_path.startswith(f"{PREFIX}/")):
            await self._control({**scope, "path": unquote(raw_path), "raw_path": raw_path.encode()}, receive, send)
            return
        request = Request(
            scope["method"],
            raw_path,
            scope["query_string"].decode("latin-1"),
            headers_from(scope["headers"]),
            await _read_body(receive),
        )
        gateway = self._gateway_for(request, authority)
        if gateway is None:
            await self._send(_HINT, send)
            return
        await self._serve(gateway, request, scope, receive, send)

    def _gateway_for(self, request: Request, authority: str | None) -> Gateway | None:
        headers = request.headers
        authorization = headers.get("authorization", "")
        if authority in HOSTS:
            return self._metadata[HOSTS[authority]]
        if "x-tc-action" in headers or "x-tc-version" in headers or authorization.startswith("TC3-"):
            return self._tencent
        if is_for_smq(request):
            return self._smq
        if is_for_alibaba(request):
            return self._alibaba
        if request.raw_path.startswith(METADATA_PREFIX):
            return self._metadata["tencent" if request.raw_path.startswith(_CAM_PREFIX) else "alibaba"]
        return None

    async def _serve(self, gateway: Gateway, request: Request, scope: Scope, receive: Receive, send: Send) -> None:
        state = self._state
        came_in = state.now()
        identified = gateway.identify(request)
        exchange = identified.exchange
        with state.lock:
            decision = decide(gateway, request, identified, state)
        if decision.poll is not None:
            decision = await _wait(decision, decision.poll, receive, state)
        with state.lock:
            status = decision.reply.status if decision.reply else None
            state.journal.begin(exchange, came_in, decision.outcome, status, throttled=decision.throttled)
            delay = state.draw_latency()
        try:
            await _sleep_until(state.now() + delay, state)
            if decision.ended:
                with state.lock:
                    state.tasks.notice(decision.ended, state.task_now())
            if decision.reply is None:
                await _hang_up(scope, receive, decision.hang_seconds)
            else:
                await self._send(decision.reply, send)
        finally:
            with state.lock:
                state.journal.end(exchange)

    async def _send(self, reply: Reply, send: Send) -> None:
        headers = [
            (b"date", formatdate(self._state.now(), usegmt=True).encode()),
            (b"content-type", reply.content_type.encode()),
            (b"content-length", str(len(reply.body)).encode()),
            *((name.encode(), value.encode()) for name, value in reply.headers.items()),
        ]
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": reply.body})


async def _wait(decision: Decision, poll: LongPoll, receive: Receive, state: State) -> Decision:
    """Return the result of a long poll as soon as there is one, or as its time is over, or the client is gone."""
    gone = asyncio.ensure_future(_disconnected(receive))
    poll.queue.polls += 1
    try:
        first = decision.outcome
        while decision.outcome == first and state.now() < poll.until and not gone.done():
            await asyncio.sleep(_POLL_SECONDS)
            with state.lock:
                decision = poll.again()
    finally:
        poll.queue.polls -= 1
        gone.cancel()
    return decision


async def _sleep_until(moment: float, state: State) -> None:
    """Sleep by the clock that dates answers: a sleep of asyncio may end a moment early by that clock."""
    while (left := moment - state.now()) > 0:  # noqa: ASYNC110 - it waits for a time, not for an event
        await asyncio.sleep(left)


def split_target(target: str) -> tuple[str | None, str]:
    """Return host and path of a request's target, which is a path, or a whole URL if the client uses a proxy.

    The host includes its port unless that is 80. It is None if the target is only a path.
    """
    match = _WHOLE_URL.fullmatch(target)
    return (match["authority"].lower(), match["path"] or "/") if match else (None, target)


def _serves(authority: str, scope: Scope) -> bool:
    host, port = scope["server"]
    own = {f"{name}:{port}" for name in (host, f"[{host}]", "localhost")}
    return authority in HOSTS or authority in own


def _not_proxied(authority: str) -> Reply:
    text = (
        f"The airflow_cloudtasks emulator is a proxy for {' and '.join(HOSTS)} and for nothing else; "
        f"it does not pass requests on to {authority}."
    )
    return Reply(403, to_json({"error": text}), "application/json")


async def _read_body(receive: Receive) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body"):
        message = await receive()
        body += message.get("body", b"")
    return body


async def _hang_up(scope: Scope, receive: Receive, seconds: float) -> None:
    """Wait until the time is over or the client disconnects, then cut the connection without an answer."""
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
    # uvicorn logs an error for an application that returns without an answer, unless it knows that the connection is
    # gone.
    await _disconnected(receive)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
