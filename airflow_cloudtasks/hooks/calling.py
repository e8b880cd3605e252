"""Calls the APIs of a cloud with the credentials of an Airflow connection, synchronously or asynchronously."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, contextmanager
from types import TracebackType
from typing import Any, ClassVar, Self

from airflow.providers.common.compat.sdk import BaseHook

from airflow_cloudtasks import __version__
from airflow_cloudtasks.airflow_facts import Fact, FoundConnection, Is, IsNot, Unknown, aconnection, connection
from airflow_cloudtasks.clouds.client import CloudClient
from airflow_cloudtasks.clouds.event_loop import take_turn
from airflow_cloudtasks.clouds.smq import SmqQueue
from airflow_cloudtasks.clouds.transport import AsyncTransport
from airflow_cloudtasks.errors import (
    CloudTasksError,
    CredentialsError,
    InvalidConnection,
    TransientError,
)
from airflow_cloudtasks.hooks.connection import ConnectionFields, ConnectionValues, read_connection, unread_fields
from airflow_cloudtasks.spec import Action, Service
from airflow_cloudtasks.version_compat import AIRFLOW_RELEASE

_AsyncCall = Callable[
    [CloudClient, AsyncTransport, Service, Action, Mapping[str, Any]], Coroutine[Any, Any, dict[str, Any]]
]

USER_AGENT = f"airflow_cloudtasks/{__version__} airflow/{AIRFLOW_RELEASE}"
"""The User-Agent header of all requests."""

# Look the Airflow connection up again after this time, so that running waits use an edited connection. After a refused
# key, look it up at once.
_CONNECTION_SECONDS = 300.0
# Seconds for which the call that looks it up again waits for the result.
_REFRESH_PATIENCE = 1.0


class CallingHook(BaseHook):
    """Call the APIs of one cloud.

    The hook looks the Airflow connection up at the first call and keeps the result. It looks the connection up again
    every five minutes, and whenever the cloud refuses the key, so that a wait survives the rotation of a key. As an
    async context manager, the hook keeps its network connections open between calls.

    The asynchronous calls of a hook pass no gate: each is sent at once, and uses the account's allowance beside the
    gates of the triggers. The caller limits how many are under way.

    Args:
        conn_id: Id of the Airflow connection; None for the cloud's default connection.
        region: Region id; overrides the connection's region.
    """

    connection_fields: ClassVar[ConnectionFields]
    conn_name_attr = "conn_id"
    default_conn_name: ClassVar[str]

    def __init__(self, conn_id: str | None = None, region: str | None = None) -> None:
        super().__init__()
        self.conn_id = conn_id or self.default_conn_name
        self.region = region
        self._client: CloudClient | None = None
        self._resolved_at = 0.0
        self._resolving = asyncio.Lock()
        self._refreshing: asyncio.Task[None] | None = None
        self._exit_stack: AsyncExitStack | None = None
        self._transports: dict[str, AsyncTransport] = {}
        # What was last logged about fields of the connection that are not used.
        self._unread: str | None = None

    def get_conn(self) -> CloudClient:
        """Return the client that signs and sends this hook's requests.

        Raises:
            InvalidConnection: The Airflow connection cannot be used.
            TransientError: The Airflow connection could not be looked up.
        """
        if self._client is None:
            return self._use(self._resolve())
        if self._is_old():
            with self._keeping_client_on_error():
                self._use(self._resolve())
        return self._client

    async def aget_conn(self) -> CloudClient:
        """Return the client, like :meth:`get_conn`, without blocking the event loop.

        A look-up that takes longer than a second delays no call: the calls use the earlier values until it is done.
        """
        if self._client is None:
            async with self._resolving:
                if self._client is None:
                    return self._use(await self._aresolve())
        elif self._is_old() and (self._refreshing is None or self._refreshing.done()):
            self._refreshing = asyncio.create_task(self._arefresh())
            await asyncio.wait({self._refreshing}, timeout=_REFRESH_PATIENCE)
        return self._client

    async def _arefresh(self) -> None:
        """Look the Airflow connection up again."""
        try:
            with self._keeping_client_on_error():
                self._use(await self._aresolve())
        finally:
            self._resolved_at = time.monotonic()

    def call(
        self, service: Service, action: Action, parameters: Mapping[str, Any], *, repeatable: bool = True
    ) -> dict[str, Any]:
        """Call an action and return its answer.

        Args:
            service: The product.
            action: The product's action.
            parameters: Parameters of the action, in the vendor's spelling.
            repeatable: Whether to retry even if the cloud may have carried out the first request.

        Returns:
            The answer without the vendor's envelope.

        Raises:
            CloudApiError: The cloud returned no usable answer; the subclass says why.
            InvalidConnection: The Airflow connection cannot be used.
        """
        client = self.get_conn()
        try:
            return client.call(service, action, parameters, repeatable=repeatable)
        except CredentialsError as refused:
            client = self._after_refusal(client, refused, self._resolve())
            return client.call(service, action, parameters, repeatable=repeatable)

    async def acall(self, service: Service, action: Action, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Call an action, like :meth:`call`, without blocking the event loop. The request passes no gate."""
        client = await self.aget_conn()
        try:
            return await self._asend(client, service, action, parameters, CloudClient.acall)
        except CredentialsError as refused:
            client = self._after_refusal(client, refused, await self._aresolve())
            return await self._asend(client, service, action, parameters, CloudClient.acall)

    async def acall_once(self, service: Service, action: Action, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Call an action by one request; the caller decides whether and when to send another one.

        Args:
            service: The product.
            action: The product's action.
            parameters: Parameters of the action, in the vendor's spelling.

        Returns:
            The answer without the vendor's envelope.

        Raises:
            CredentialsError: The cloud refused the key. Its attribute ``is_replaced`` says whether another key can be
                used now: renewed credentials, or those of the edited Airflow connection.
            CloudApiError: The cloud returned no usable answer; the subclass says why.
            InvalidConnection: The Airflow connection cannot be used.
        """
        client = await self.aget_conn()
        try:
            return await self._asend(client, service, action, parameters, CloudClient.acall_once)
        except CredentialsError as refused:
            if not refused.is_replaced:
                self._after_refusal(client, refused, await self._aresolve())
                refused.is_replaced = True
            raise

    def test_connection(self) -> tuple[bool, str]:
        """Return whether the connection works; Airflow's Test button calls this.

        Returns:
            Whether the cloud accepts the credentials, and a sentence for the user who pressed the button.
        """
        try:
            client = self.get_conn()
            identity = client.who_am_i()
        except CloudTasksError as error:
            return False, self._with_unread_fields(str(error))
        region = f"region {client.region}" if client.region else "no region set"
        connected = f"Connected to account {identity.get('AccountId')} as {identity.get('Arn')}, {region}."
        if client.account.notify_queue is None:
            return True, self._with_unread_fields(connected)
        name = client.account.notify_queue.name
        try:
            # In a thread: this one may have an event loop.
            with ThreadPoolExecutor(1) as thread:
                thread.submit(asyncio.run, _probe_queue(client)).result()
        except CloudTasksError as error:
            return False, self._with_unread_fields(f"{connected} Its queue {name} cannot be read: {error}")
        return True, self._with_unread_fields(f"{connected} Its queue {name} can be read.")

    def _with_unread_fields(self, text: str) -> str:
        """Return a text in one line, with the fields of the connection that are not used."""
        # An invalid connection names them itself.
        parts = (text,) if self._unread is None or self._unread in text else (text, self._unread)
        return " ".join(" ".join(parts).split())

    async def __aenter__(self) -> Self:
        """Keep network connections open from now on."""
        self._exit_stack = AsyncExitStack()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the network connections."""
        if self._refreshing is not None:
            self._refreshing.cancel()
        self._transports.clear()
        if self._exit_stack is not None:
            exit_stack, self._exit_stack = self._exit_stack, None
            await exit_stack.aclose()

    async def _asend(
        self,
        client: CloudClient,
        service: Service,
        action: Action,
        parameters: Mapping[str, Any],
        method: _AsyncCall,
    ) -> dict[str, Any]:
        """Call over the service's open transport; outside ``async with``, over a transport for this call."""
        if self._exit_stack is None:
            async with client.transport(service) as transport:
                return await method(client, transport, service, action, parameters)
        if service.name not in self._transports:
            self._transports[service.name] = await self._exit_stack.enter_async_context(client.transport(service))
        return await method(client, self._transports[service.name], service, action, parameters)

    def console(self, service: Service) -> str | None:
        """Return the address of a product's console page, on the account's site (Chinese or international).

        Args:
            service: The product.

        Returns:
            The address; None if the service declares none.

        Raises:
            InvalidConnection: The Airflow connection cannot be used.
            TransientError: The Airflow connection could not be looked up.
        """
        return _console(service, self.get_conn())

    async def aconsole(self, service: Service) -> str | None:
        """Return the address of a product's console page, like :meth:`console`, without blocking the event loop."""
        return _console(service, await self.aget_conn())

    def hold(self) -> None:
        """Keep the current client, however old it is.

        ``on_kill`` runs in a signal handler. The signal may have interrupted a look-up of the Airflow connection, so
        the handler must not start another one.
        """
        self._resolved_at = float("inf")

    def _is_old(self) -> bool:
        return time.monotonic() - self._resolved_at > _CONNECTION_SECONDS

    def _use(self, resolved: CloudClient) -> CloudClient:
        """Return the client to use: the new one if the connection has changed, else the current one."""
        self._resolved_at = time.monotonic()
        if self._client is None or self._client.account != resolved.account:
            if self._client is not None:
                self.log.info(
                    "The Airflow connection %r was changed; its new values are used from now on.", self.conn_id
                )
                self._client.close()
            self._client = resolved
            self._transports.clear()
        return self._client

    def _after_refusal(self, client: CloudClient, refused: CredentialsError, resolved: CloudClient) -> CloudClient:
        """Return the client for a retry if the connection has changed; otherwise raise the refusal again."""
        if resolved.account == client.account:
            raise refused
        return self._use(resolved)

    @contextmanager
    def _keeping_client_on_error(self) -> Iterator[None]:
        """Keep the current client if the connection is invalid now or cannot be looked up, so that waits continue."""
        try:
            yield
        except (InvalidConnection, TransientError) as error:
            self._resolved_at = time.monotonic()
            self.log.warning("The earlier values of the Airflow connection stay in use. %s", error)

    def _resolve(self) -> CloudClient:
        """Look the Airflow connection up and make a client from it."""
        return self._make_client(self._found(connection(self, self.conn_id)))

    async def _aresolve(self) -> CloudClient:
        await take_turn()  # Many waits start together.
        found = self._found(await aconnection(self, self.conn_id))
        # Making a client may read files and import a vendor's package, which would block the event loop.
        return await asyncio.to_thread(self._make_client, found)

    def _found(self, fact: Fact[FoundConnection]) -> FoundConnection:
        """Return the connection; raise InvalidConnection if there is none, and TransientError if that is unknown."""
        match fact:
            case Is(found):
                return found
            case IsNot(why):
                raise InvalidConnection(
                    why
                    or f"There is no Airflow connection {self.conn_id!r}; "
                    f"add one of type {self.connection_fields.conn_types[0]}."
                )
            case Unknown(why):
                raise TransientError(
                    f"the Airflow connection {self.conn_id!r} could not be looked up ({why})",
                    code="ConnectionLookup",
                    unsent=True,
                )

    def _make_client(self, found: FoundConnection) -> CloudClient:
        values = ConnectionValues.of(self.conn_id, found.connection, found.extra)
        account = read_connection(self.connection_fields, values, USER_AGENT)
        self._name_unread_fields(values)
        return CloudClient(account, self.region)

    def _name_unread_fields(self, values: ConnectionValues) -> None:
        """Log a warning of misspelled fields, unless it has been logged before."""
        if (unread := unread_fields(self.connection_fields, values)) != self._unread and unread is not None:
            self.log.warning("The Airflow connection %r can be used. %s", self.conn_id, unread)
        self._unread = unread


async def _probe_queue(client: CloudClient) -> None:
    """Receive a message, if there is one, and give it back."""
    async with SmqQueue(client) as queue:
        for message in await queue.receive(wait_seconds=0, most=1):
            await queue.give_back(message)


def _console(service: Service, client: CloudClient) -> str | None:
    is_international = client.account.location.site == "intl"
    return service.console_intl if is_international and service.console_intl else service.console
