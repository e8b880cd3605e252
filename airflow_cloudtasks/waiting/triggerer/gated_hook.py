"""The requests of a trigger beside its polls, for reasons of failures and for cancels. They pass the same gates."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from airflow_cloudtasks.errors import TransientError
from airflow_cloudtasks.model import CloudTask
from airflow_cloudtasks.spec import TaskApi
from airflow_cloudtasks.waiting.triggerer.dispatcher import Dispatcher, SharedDispatcher
from airflow_cloudtasks.waiting.triggerer.gate import Kind

# Seconds; an Airflow task does not stay deferred longer because of the reason.
_REASON_SECONDS = 300.0

# Seconds for all cancels of a hook together: longer than the usual Retry-After, so that a throttled cancel is sent.
_CANCEL_SECONDS = 120.0


class GatedHook:
    """Explain and cancel tasks like a hook, with each request through its gate.

    Args:
        dispatcher: Sends the requests.
    """

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self._cancel_by: float | None = None

    async def aexplain(self, api: TaskApi, task: CloudTask, api_params: Mapping[str, Any] | None = None) -> CloudTask:
        """Return a failed task together with the reason for its failure; without it if that takes too long."""
        send = partial(self._dispatcher.requests.call, kind=Kind.REASON)
        try:
            async with asyncio.timeout(_REASON_SECONDS):
                return await self._dispatcher.hook.aexplain(api, task, api_params, send=send)
        except TimeoutError:
            return task

    async def acancel(self, api: TaskApi, request: Mapping[str, Any]) -> None:
        """Send one cancel request, before all polls.

        Raises:
            CloudApiError: The task was not canceled, or not within two minutes since the first cancel.
            InvalidConnection: The Airflow connection cannot be used.
        """
        if self._cancel_by is None:
            self._cancel_by = asyncio.get_running_loop().time() + _CANCEL_SECONDS
        send = partial(self._dispatcher.requests.call, kind=Kind.CANCEL)
        try:
            async with asyncio.timeout_at(self._cancel_by):
                await self._dispatcher.hook.acancel(api, request, send=send)
        except TimeoutError:
            action = "" if api.cancel is None else api.cancel.action.name
            raise TransientError(
                f"no answer within {_CANCEL_SECONDS:g} seconds, over all tries", code="Timeout", action=action
            ) from None


@asynccontextmanager
async def gated_hook(api: TaskApi, conn_id: str | None, region: str | None) -> AsyncIterator[GatedHook]:
    """Yield a hook whose requests pass the gates of this event loop.

    Args:
        api: The API of the tasks.
        conn_id: Id of the Airflow connection; None for the cloud's default connection.
        region: Region id; None for the connection's region.
    """
    async with SharedDispatcher(api, conn_id, region) as dispatcher:
        yield GatedHook(dispatcher)
