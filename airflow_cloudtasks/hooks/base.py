"""What the hooks of all clouds share: the connection is resolved once, and the sync and async ways are twins."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from types import TracebackType
from typing import Any, ClassVar, Self

from airflow import __version__ as airflow_version
from airflow.providers.common.compat.connection import get_async_connection, get_async_extra_dejson
from airflow.providers.common.compat.sdk import BaseHook

from airflow_cloudtasks import __version__
from airflow_cloudtasks.client import CloudClient
from airflow_cloudtasks.hooks.connection import ConnectionValues, Words, read_connection
from airflow_cloudtasks.model import CloudTask
from airflow_cloudtasks.normalise import CATALOG_STATUSES, StatusOverrides, normalise
from airflow_cloudtasks.spec import Service, TaskApi
from airflow_cloudtasks.transport import AsyncTransport


class CloudTasksHook(BaseHook):
    """Reads tasks of one cloud.

    The Airflow connection is resolved at the first call and kept. As an async context manager the hook also keeps its
    connections to the cloud open from call to call::

        async with IceHook() as hook:
            task = await hook.aget_task("4215e042b3966ca5441e")

    Args:
        conn_id: The Airflow connection; the cloud's default one if not given.
        region: The region, against the connection's own.
    """

    words: ClassVar[Words]
    conn_name_attr = "conn_id"
    default_conn_name: ClassVar[str]

    def __init__(self, conn_id: str | None = None, region: str | None = None) -> None:
        super().__init__()
        self.conn_id = conn_id or self.default_conn_name
        self.region = region
        self._client: CloudClient | None = None
        self._resolving = asyncio.Lock()
        self._open: AsyncExitStack | None = None
        self._transports: dict[str, AsyncTransport] = {}

    def get_conn(self) -> CloudClient:
        """Give the client that signs and sends this hook's requests.

        Raises:
            InvalidConnection: The Airflow connection cannot be used.
        """
        if self._client is None:
            connection = self.get_connection(self.conn_id)
            self._client = self._make_client(connection, connection.extra_dejson)
        return self._client

    async def aget_conn(self) -> CloudClient:
        """Give the client, as :meth:`get_conn`, without blocking the event loop."""
        async with self._resolving:
            if self._client is None:
                connection = await get_async_connection(self.conn_id, hook=self)
                self._client = self._make_client(connection, await get_async_extra_dejson(connection))
            return self._client

    def read_task(
        self,
        api: TaskApi,
        cloud_task_id: str,
        api_params: Mapping[str, Any] | None = None,
        overrides: StatusOverrides = CATALOG_STATUSES,
    ) -> CloudTask:
        """Read a task of any API of this hook's cloud.

        Args:
            api: The API.
            cloud_task_id: The task's id.
            api_params: The other parameters that name it, in the vendor's spelling.
            overrides: Statuses that mean something else for this read.

        Raises:
            CloudApiError: The cloud gave no usable answer; its subclasses tell why.
            InvalidConnection: The Airflow connection cannot be used.
            ValueError: The parameters cannot name a task of this API.
        """
        parameters = self._parameters(api, cloud_task_id, api_params)
        client = self.get_conn()
        answer = client.call(api.service, api.read, parameters)
        return normalise(api, answer, parameters=parameters, region=client.region, overrides=overrides)

    async def aread_task(
        self,
        api: TaskApi,
        cloud_task_id: str,
        api_params: Mapping[str, Any] | None = None,
        overrides: StatusOverrides = CATALOG_STATUSES,
    ) -> CloudTask:
        """Read a task, as :meth:`read_task`, without blocking the event loop."""
        parameters = self._parameters(api, cloud_task_id, api_params)
        client = await self.aget_conn()
        async with self._transport(client, api.service) as transport:
            answer = await client.acall(transport, api.service, api.read, parameters)
        return normalise(api, answer, parameters=parameters, region=client.region, overrides=overrides)

    async def __aenter__(self) -> Self:
        """Keep the connections to the cloud open from now on."""
        self._open = AsyncExitStack()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Let the connections to the cloud go."""
        self._transports.clear()
        if self._open is not None:
            opened, self._open = self._open, None
            await opened.aclose()

    @asynccontextmanager
    async def _transport(self, client: CloudClient, service: Service) -> AsyncIterator[AsyncTransport]:
        if self._open is None:
            async with client.transport(service) as transport:
                yield transport
            return
        if service.name not in self._transports:
            self._transports[service.name] = await self._open.enter_async_context(client.transport(service))
        yield self._transports[service.name]

    def _parameters(self, api: TaskApi, cloud_task_id: str, api_params: Mapping[str, Any] | None) -> dict[str, Any]:
        if api.cloud != self.words.cloud:
            raise ValueError(
                f"{api.name} is an API of {api.cloud}, and {type(self).__name__} calls {self.words.cloud}."
            )
        given = dict(api_params or {})
        api.check_params(given)
        return api.parameters(cloud_task_id, given)

    def _make_client(self, connection: Any, extra: Mapping[str, Any]) -> CloudClient:
        values = ConnectionValues(
            conn_id=self.conn_id,
            conn_type=connection.conn_type or "",
            login=connection.login,
            password=connection.password,
            host=connection.host,
            port=connection.port,
            extra=extra,
        )
        user_agent = f"airflow_cloudtasks/{__version__} airflow/{airflow_version}"
        return CloudClient(read_connection(self.words, values, user_agent), self.region)
