"""Call a cloud's API with one account: sign, send, retry and read.

Retrying a request is not polling a task. A request is retried here a few times within seconds, because the service or
the network failed. A task that has not ended yet is never a reason to retry.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import tenacity

from airflow_cloudtasks.clouds.credentials.source import CredentialSource
from airflow_cloudtasks.clouds.network import Network
from airflow_cloudtasks.clouds.registry import CLOUDS
from airflow_cloudtasks.clouds.retries import Retries
from airflow_cloudtasks.clouds.smq_wire import QueueAddress
from airflow_cloudtasks.clouds.transport import AsyncTransport, SyncTransport, async_transport
from airflow_cloudtasks.clouds.wire import (
    ApiCall,
    Credentials,
    Endpoint,
    HttpAnswer,
    Location,
    SignedRequest,
    check_region,
    missing_region,
)
from airflow_cloudtasks.errors import CloudApiError, CredentialsError, PermissionDenied
from airflow_cloudtasks.model import Cloud
from airflow_cloudtasks.spec import Action, Service
from airflow_cloudtasks.spec.template import REGION

# Source: STS of Alibaba Cloud (2015-04-01) and of Tencent Cloud (2018-08-13). It has no parameters.
_WHO_AM_I = Action(name="GetCallerIdentity")


FEED_INTERVAL = 1.0
"""Seconds between two looks at a feed, unless the connection says otherwise."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """The account that an Airflow connection describes.

    Args:
        cloud: The cloud.
        credentials: The source of the credentials.
        location: The default region, the site and the network.
        endpoints: Endpoints that replace those of the vendor's rule, by the service's name; ``*`` for every other
            service.
        network: How requests reach the cloud.
        retries: How often a request is tried.
        requests_per_second: The account's allowance by the API's name, e.g. ``wedata.task``, where it differs from the
            documented one; ``*`` for every other API.
        notify_queue: The message queue that tells of ends of tasks; None for none.
        feed_interval: Seconds between two looks at a feed, by which ends are noticed early; 0 for none.
        user_agent: The name of the caller.
    """

    cloud: Cloud
    credentials: CredentialSource
    location: Location = field(default_factory=Location)
    endpoints: Mapping[str, Endpoint] = field(default_factory=dict)
    network: Network = field(default_factory=Network)
    retries: Retries = field(default_factory=Retries)
    requests_per_second: Mapping[str, float] = field(default_factory=dict)
    notify_queue: QueueAddress | None = None
    feed_interval: float = FEED_INTERVAL
    user_agent: str = "airflow_cloudtasks"


class CloudClient:
    """Calls a cloud with one account, in one region.

    Args:
        account: The account.
        region: The region; None for the account's own.
    """

    def __init__(self, account: Account, region: str | None = None) -> None:
        self.account = account
        self.region = region or account.location.region
        self._cloud = CLOUDS[account.cloud]
        self._retry_rules = account.retries.rules()
        self._unrepeatable_rules = account.retries.rules(repeatable=False)
        self._sync_transport: SyncTransport | None = None
        self._endpoints: dict[Service, Endpoint] = {}

    def call(
        self, service: Service, action: Action, params: Mapping[str, Any], *, repeatable: bool = True
    ) -> dict[str, Any]:
        """Call an action and return its answer without the envelope.

        Args:
            service: The product.
            action: The action.
            params: The action's parameters, in the vendor's spelling.
            repeatable: Whether to retry the request even if the cloud may have carried it out.

        Raises:
            CloudApiError: No try gave a usable answer.
            InvalidConnection: The connection cannot call this service.
        """
        if self._sync_transport is None:
            self._sync_transport = SyncTransport(self.account.network)
        for attempt in tenacity.Retrying(**(self._retry_rules if repeatable else self._unrepeatable_rules)):
            with attempt:
                credentials = self._credentials()
                try:
                    return self._try(self._sync_transport, credentials, service, action, params)
                except CredentialsError:
                    if not self.account.credentials.renew(credentials):
                        raise
                return self._try(self._sync_transport, self._credentials(), service, action, params)
        raise AssertionError("tenacity ends by a return or a raise")

    async def acall(
        self, transport: AsyncTransport, service: Service, action: Action, params: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Call an action as :meth:`call` does, without blocking the event loop.

        Args:
            transport: The transport of :meth:`transport`.
            service: The product.
            action: The action.
            params: The action's parameters, in the vendor's spelling.
        """
        began = time.monotonic()
        try:
            # Outside of tenacity: most calls succeed at once, and its loop costs a tenth of the CPU of a request.
            return await self._acall_with_new_key(transport, service, action, params)
        except CloudApiError as error:
            first_failure: CloudApiError | None = error
        async for attempt in tenacity.AsyncRetrying(**self._retry_rules):
            with attempt:
                if first_failure is not None:
                    # The first attempt has been made: pass its failure on, which decides about the retries.
                    attempt.retry_state.start_time = began
                    failure, first_failure = first_failure, None
                    raise failure
                return await self._acall_with_new_key(transport, service, action, params)
        raise AssertionError("tenacity ends by a return or a raise")

    async def acall_once(
        self, transport: AsyncTransport, service: Service, action: Action, params: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Call an action by one request: the caller decides whether and when to send another one.

        A refusal of the key says whether another key may be used now, by its attribute ``is_replaced``.
        """
        credentials = await self.account.credentials.aget()
        try:
            return await self._atry(transport, credentials, service, action, params)
        except CredentialsError as refused:
            refused.is_replaced = self.account.credentials.renew(credentials)
            raise

    async def _acall_with_new_key(
        self, transport: AsyncTransport, service: Service, action: Action, params: Mapping[str, Any]
    ) -> dict[str, Any]:
        try:
            return await self.acall_once(transport, service, action, params)
        except CredentialsError as refused:
            if not refused.is_replaced:
                raise
        return await self.acall_once(transport, service, action, params)

    @asynccontextmanager
    async def transport(self, service: Service) -> AsyncIterator[AsyncTransport]:
        """Yield a transport to a service's endpoint, whose connections stay open for many calls.

        Args:
            service: The product.
        """
        async with async_transport(self.endpoint(service), self.account.network) as transport:
            yield transport

    def endpoint(self, service: Service) -> Endpoint:
        """Return the endpoint where a service is called: the account's own for the service, or the vendor's.

        Args:
            service: The product.

        Raises:
            InvalidConnection: The region is missing or is not a region's id.
        """
        found = self._endpoints.get(service)  # once: hashing a service is slow
        if found is None:
            found = self._endpoints[service] = self._find_endpoint(service)
        return found

    def _find_endpoint(self, service: Service) -> Endpoint:
        check_region(self.region)
        # Also with an endpoint of the account's own: a missing region is an error in any case.
        by_rule = self._cloud.endpoint(service, replace(self.account.location, region=self.region))
        return self.account.endpoints.get(service.name) or self.account.endpoints.get("*") or by_rule

    def who_am_i(self) -> dict[str, Any]:
        """Return the identity of the account: the answer of STS GetCallerIdentity, which needs no permission.

        The answers of both clouds have an ``AccountId`` and an ``Arn``.

        Raises:
            CloudApiError: The cloud rejects the credentials, or gave no usable answer.
        """
        service, region = self._cloud.token_service(self.region)
        sts = CloudClient(self.account, region)
        try:
            return sts.call(service, _WHO_AM_I, {})
        finally:
            sts.close()

    def close(self) -> None:
        """Close the connections of :meth:`call`."""
        if self._sync_transport is not None:
            self._sync_transport.close()
            self._sync_transport = None

    def _credentials(self) -> Credentials:
        try:
            return self.account.credentials.get()
        except CloudApiError as error:
            # The error is of fetching the credentials: the request itself has not been sent.
            error.unsent = True
            raise

    def _try(
        self,
        transport: SyncTransport,
        credentials: Credentials,
        service: Service,
        action: Action,
        params: Mapping[str, Any],
    ) -> dict[str, Any]:
        call, request = self._sign(credentials, service, action, params)
        return self._read(call, transport.send(call, request), credentials)

    async def _atry(
        self,
        transport: AsyncTransport,
        credentials: Credentials,
        service: Service,
        action: Action,
        params: Mapping[str, Any],
    ) -> dict[str, Any]:
        call, request = self._sign(credentials, service, action, params)
        return self._read(call, await transport.send(call, request), credentials)

    def _read(self, call: ApiCall, answer: HttpAnswer, credentials: Credentials) -> dict[str, Any]:
        """Return the content of an answer; a refusal of a key also says where the key comes from."""
        try:
            return self._cloud.read(call, answer)
        except (CredentialsError, PermissionDenied) as error:
            if credentials.origin:
                error.message = f"{error.message} (signed with {credentials.origin})"
            raise

    def _sign(
        self, credentials: Credentials, service: Service, action: Action, params: Mapping[str, Any]
    ) -> tuple[ApiCall, SignedRequest]:
        """Return the call and its request, signed for one try: the date ages, and a nonce serves one request."""
        hidden = tuple(filter(None, (credentials.secret, credentials.token)))
        call = ApiCall(service, action, self.endpoint(service), hidden)
        request = self._cloud.sign(
            call,
            action.request(params, self._region_of(service, action)),
            region=self.region,
            credentials=credentials,
            user_agent=self.account.user_agent,
            now=datetime.now(UTC),
        )
        return call, request

    def _region_of(self, service: Service, action: Action) -> str | None:
        """Return the region; raise if a parameter of the action is filled by it and there is none."""
        if self.region is None and REGION in action.in_template:
            raise missing_region(service)
        return self.region
