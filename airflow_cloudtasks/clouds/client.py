"""Calls one cloud with one account: signs, sends, retries, reads.

Retrying a request and polling a task are two things. Here a request is repeated, a few times and within seconds,
because the service or the network stumbled; that a task is not done yet is no reason to repeat anything here.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import tenacity

from airflow_cloudtasks.clouds.credentials.source import CredentialSource
from airflow_cloudtasks.clouds.registry import CLOUDS
from airflow_cloudtasks.clouds.transport import AsyncTransport, Network, SyncTransport, async_transport
from airflow_cloudtasks.clouds.wire import ApiCall, Credentials, Endpoint, Location, SignedRequest
from airflow_cloudtasks.errors import CloudApiError, CredentialsError, InvalidConnection
from airflow_cloudtasks.model import Cloud
from airflow_cloudtasks.spec import Action, Service

# It becomes part of a host name or a header; an address of blanks or slashes would fail as a broken connection does,
# and be tried again and again.
_REGION = re.compile(r"[a-z0-9-]+", re.ASCII | re.IGNORECASE)


# Source: STS of Alibaba Cloud (2015-04-01) and of Tencent Cloud (2018-08-13). It takes no parameters.
_WHO_AM_I = Action(name="GetCallerIdentity")


@dataclass(frozen=True, slots=True)
class Retries:
    """How often one request is tried, and for how long.

    Args:
        tries: Tries in all, the first included.
        seconds: No further try begins later than this after the first.
        first_delay: Seconds; the delay before the second try is random between 0 and this, and doubles from try to try.
        longest_delay: Seconds; no delay is longer, unless the service asks for it.
    """

    tries: int = 5
    seconds: float = 60.0
    first_delay: float = 0.5
    longest_delay: float = 10.0

    def rules(self, *, repeatable: bool = True) -> dict[str, Any]:
        """Give the same in the words of tenacity.

        Args:
            repeatable: Whether a request may be sent again that may have been carried out.
        """
        jitter = tenacity.wait_random_exponential(multiplier=self.first_delay, max=self.longest_delay)

        def wait(state: tenacity.RetryCallState) -> float:
            error = state.outcome.exception() if state.outcome else None
            return max(jitter(state), getattr(error, "retry_after", None) or 0.0)

        def again(error: BaseException) -> bool:
            return isinstance(error, CloudApiError) and error.retryable and (repeatable or not error.may_have_acted)

        return {
            "retry": tenacity.retry_if_exception(again),
            # Not stop_after_delay: a service that asks for more than the time left ends the call at once.
            "stop": tenacity.stop_after_attempt(self.tries) | tenacity.stop_before_delay(self.seconds),
            "wait": wait,
            "reraise": True,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """What an Airflow connection says, ready to be used.

    Args:
        cloud: The cloud.
        credentials: Where the credentials come from.
        location: The region of calls that name none, the site and the network.
        endpoints: Endpoints against the vendor's rule, by the service's name; that of ``*`` is for every other service.
        network: How requests reach the cloud.
        retries: How often a request is tried.
        requests_per_second: What the account is allowed, by the API's name (``wedata.task``), against what its
            documentation says; that of ``*`` is for every other API.
        user_agent: Who asks.
    """

    cloud: Cloud
    credentials: CredentialSource
    location: Location = field(default_factory=Location)
    endpoints: Mapping[str, Endpoint] = field(default_factory=dict)
    network: Network = field(default_factory=Network)
    retries: Retries = field(default_factory=Retries)
    requests_per_second: Mapping[str, float] = field(default_factory=dict)
    user_agent: str = "airflow_cloudtasks"


class CloudClient:
    """Calls a cloud.

    Args:
        account: The account.
        region: The region, against the account's own.
    """

    def __init__(self, account: Account, region: str | None = None) -> None:
        self.account = account
        self.region = region or account.location.region
        self._cloud = CLOUDS[account.cloud]
        self._retry_rules = account.retries.rules()
        self._unrepeatable_rules = account.retries.rules(repeatable=False)
        self._sync_transport: SyncTransport | None = None

    def call(
        self, service: Service, action: Action, params: Mapping[str, Any], *, repeatable: bool = True
    ) -> dict[str, Any]:
        """Call an action.

        Args:
            service: The product.
            action: The action.
            params: Its parameters, in the vendor's spelling.
            repeatable: Whether the request may be sent again though it may have been carried out.

        Returns:
            The answer, out of its envelope.

        Raises:
            CloudApiError: The call gave no usable answer, also after the tries that :class:`Retries` allows.
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
        """Call an action from an event loop; as :meth:`call`.

        Args:
            transport: From :meth:`transport`.
            service: The product.
            action: The action.
            params: Its parameters, in the vendor's spelling.
        """
        async for attempt in tenacity.AsyncRetrying(**self._retry_rules):
            with attempt:
                return await self.acall_once(transport, service, action, params)
        raise AssertionError("tenacity ends by a return or a raise")

    async def acall_once(
        self, transport: AsyncTransport, service: Service, action: Action, params: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Call an action, as :meth:`acall`, but leave it to the caller whether and when to try again."""
        credentials = await self.account.credentials.aget()
        try:
            return await self._atry(transport, credentials, service, action, params)
        except CredentialsError:
            if not self.account.credentials.renew(credentials):
                raise
            credentials = await self.account.credentials.aget()
            return await self._atry(transport, credentials, service, action, params)

    @asynccontextmanager
    async def transport(self, service: Service) -> AsyncIterator[AsyncTransport]:
        """Hold the connections to a service's endpoint open while waiting on its tasks."""
        async with async_transport(self.endpoint(service), self.account.network) as transport:
            yield transport

    def endpoint(self, service: Service) -> Endpoint:
        """Find where a service is called.

        Raises:
            InvalidConnection: The service needs a region, and there is none, or it is no region's id.
        """
        if self.region and not _REGION.fullmatch(self.region):
            raise InvalidConnection(
                f"The region {self.region!r} is no region's id, which is of the form ap-southeast-1: "
                "correct it in the Airflow connection's field Region, or in region= on the task."
            )
        own = self._cloud.endpoint(service, replace(self.account.location, region=self.region))
        return self.account.endpoints.get(service.name) or self.account.endpoints.get("*") or own

    def who_am_i(self) -> dict[str, Any]:
        """Ask the cloud who this account is, which needs no permission.

        Returns:
            The answer of STS GetCallerIdentity; both clouds tell ``AccountId`` and ``Arn``.

        Raises:
            CloudApiError: The cloud does not know the caller, or gave no usable answer.
        """
        service, region = self._cloud.token_service(self.region)
        asking = CloudClient(self.account, region)
        try:
            return asking.call(service, _WHO_AM_I, {})
        finally:
            asking.close()

    def close(self) -> None:
        """Close the connections of synchronous calls."""
        if self._sync_transport is not None:
            self._sync_transport.close()
            self._sync_transport = None

    def _credentials(self) -> Credentials:
        try:
            return self.account.credentials.get()
        except CloudApiError as error:
            # Of whoever gives them: whatever came of that, the request itself has not been sent.
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
        return self._cloud.read(call, transport.send(call, request))

    async def _atry(
        self,
        transport: AsyncTransport,
        credentials: Credentials,
        service: Service,
        action: Action,
        params: Mapping[str, Any],
    ) -> dict[str, Any]:
        call, request = self._sign(credentials, service, action, params)
        return self._cloud.read(call, await transport.send(call, request))

    def _sign(
        self, credentials: Credentials, service: Service, action: Action, params: Mapping[str, Any]
    ) -> tuple[ApiCall, SignedRequest]:
        """Sign anew for every try: the date ages, and a nonce is good for one request."""
        hidden = tuple(filter(None, (credentials.secret, credentials.token)))
        call = ApiCall(service, action, self.endpoint(service), hidden)
        request = self._cloud.sign(
            call,
            action.request(params),
            region=self.region,
            credentials=credentials,
            user_agent=self.account.user_agent,
            now=datetime.now(UTC),
        )
        return call, request
