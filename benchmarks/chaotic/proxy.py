"""A reverse proxy in front of Airflow's API server that makes requests fail on demand."""

from __future__ import annotations

import asyncio
import random
import threading
from types import TracebackType
from typing import Literal, Self

import aiohttp
from aiohttp import web

# ``http_500``: not carried out. ``lost``: carried out, answered with 500. ``cut``: carried out, the connection is cut.
# ``hang``: not carried out; the connection is cut after some seconds.
Fault = Literal["http_500", "lost", "cut", "hang"]

_HANG_SECONDS = 15
_HOP_BY_HOP = {"connection", "content-length", "host", "keep-alive", "transfer-encoding"}


class Proxy:
    """Forward requests from one port to another, in a thread of its own.

    Args:
        port: The port to serve on.
        target: The port to forward to.
        seed: The seed that decides which requests fail.

    Attributes:
        asked: How many requests have come.
        failed: How many of them were made to fail.
    """

    def __init__(self, port: int, target: int, seed: int) -> None:
        self._port, self._target = port, target
        self._dice = random.Random(seed)
        self._fault: tuple[Fault, float] | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.asked = self.failed = 0

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._serve(), self._loop).result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def fail(self, fault: Fault | None, share: float = 1.0) -> None:
        """Make a share of the coming requests fail; None to forward all of them again."""
        self._fault = None if fault is None else (fault, share)

    async def _serve(self) -> None:
        # auto_decompress: the answer is passed on as it came.
        self._session = aiohttp.ClientSession(auto_decompress=False, timeout=aiohttp.ClientTimeout(total=120))
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, auto_decompress=False)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()

    async def _stop(self) -> None:
        await self._session.close()
        await self._runner.shutdown()
        await self._runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        try:
            body = await request.read()
        except OSError:  # the process that asks has been killed
            return _cut(request)
        fault = self._draw()
        if fault == "http_500":
            return web.Response(status=500)
        if fault == "hang":
            await asyncio.sleep(_HANG_SECONDS)
            return _cut(request)
        try:
            answer = await self._forward(request, body)
        except (aiohttp.ClientError, TimeoutError, OSError):
            return _cut(request)
        if fault == "lost":
            return web.Response(status=500)
        return _cut(request) if fault == "cut" else answer

    def _draw(self) -> Fault | None:
        self.asked += 1
        if self._fault is None or self._dice.random() >= self._fault[1]:
            return None
        self.failed += 1
        return self._fault[0]

    async def _forward(self, request: web.Request, body: bytes) -> web.Response:
        async with self._session.request(
            request.method,
            f"http://127.0.0.1:{self._target}{request.raw_path}",
            headers={name: value for name, value in request.headers.items() if name.lower() not in _HOP_BY_HOP},
            data=body or None,
            allow_redirects=False,
        ) as answer:
            headers = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP_BY_HOP}
            return web.Response(status=answer.status, headers=headers, body=await answer.read())


def _cut(request: web.Request) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)
