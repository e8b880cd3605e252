"""Put the doctor's questions in order: what fails early answers for what depends on it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from airflow_cloudtasks.clouds.client import Account, CloudClient
from airflow_cloudtasks.clouds.registry import CLOUDS
from airflow_cloudtasks.clouds.wire import Endpoint
from airflow_cloudtasks.doctor.causes import cause_of
from airflow_cloudtasks.doctor.clock import clock_line
from airflow_cloudtasks.doctor.connection import Understood
from airflow_cloudtasks.doctor.path import Walk, walk
from airflow_cloudtasks.doctor.permissions import Needed, needed, policy
from airflow_cloudtasks.doctor.questions import Questions
from airflow_cloudtasks.doctor.report import Line, MissingPolicy, Outcome, Report, Section, not_tried
from airflow_cloudtasks.errors import CloudTasksError, CredentialsError, InvalidConnection, PermissionDenied
from airflow_cloudtasks.spec import Service, TaskApi


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What the user wants to know.

    Args:
        conn_id: The id of the Airflow connection.
        apis: The APIs to ask about.
        region: The region; None for the connection's own.
        api_params: Parameters that identify a task besides its id, in the vendor's spelling.
    """

    conn_id: str
    apis: Sequence[TaskApi]
    region: str | None = None
    api_params: Mapping[str, str] = field(default_factory=dict)


def examine(wanted: Wanted, understood: Understood) -> Report:
    """Return the report on a connection.

    Args:
        wanted: What the user wants to know.
        understood: The connection as it is understood.
    """
    connection = Section(kind="connection", title=f"Connection {wanted.conn_id}", lines=understood.lines)
    cloud, account = understood.cloud, understood.account
    if cloud is None or account is None:
        waiting = tuple(
            not_tried(name, "because the connection cannot be used")
            for name in ("network", "clock", "caller", "permissions")
        )
        rest = Section(kind="network", title="Everything else", lines=waiting)
        return Report(conn_id=wanted.conn_id, cloud=cloud, sections=(connection, rest))
    examination = _Examination(wanted, understood.role_arn, account)
    sections = (connection, *examination.sections())
    return Report(conn_id=wanted.conn_id, cloud=cloud, sections=sections, policies=tuple(examination.policies()))


class _Examination:
    """The examination of an account that can be used."""

    def __init__(self, wanted: Wanted, role_arn: str | None, account: Account) -> None:
        self._wanted, self._role_arn, self._account = wanted, role_arn, account
        self._client = CloudClient(account, wanted.region)
        self._apis = [api for api in wanted.apis if api.cloud == account.cloud]
        self._sts, sts_region = CLOUDS[account.cloud].token_service(self._client.region)
        self._sts_client = CloudClient(account, sts_region)
        self._walks: dict[Endpoint, Walk] = {}
        # Why questions cannot be asked, as the rest of a sentence; None if they can.
        self._blocked: str | None = None
        self._missing: dict[str, None] = {}
        self._may_not_assume = False
        self._caller = f"the owner of the key of {wanted.conn_id!r}"

    def sections(self) -> Iterator[Section]:
        yield from self._network()
        reading = next((walk.clock for walk in self._walks.values() if walk.clock), None)
        yield Section(kind="clock", title="Clock", lines=(clock_line(self._account.cloud, reading),))
        yield Section(kind="caller", title="Caller", lines=tuple(self._identity()))
        yield from self._permissions()
        self._client.close()

    def _network(self) -> Iterator[Section]:
        services: dict[Endpoint, list[str]] = {}
        problems: list[Line] = []
        for client, service in self._services():
            try:
                services.setdefault(client.endpoint(service), []).append(service.product)
            except InvalidConnection as error:
                problems.append(_failed(service.product, error))
        if problems:
            yield Section(kind="network", title="Endpoints", lines=problems)
        for endpoint, products in services.items():
            self._walks[endpoint] = found = walk(endpoint, self._account.network)
            title = f"Network to {endpoint.host} ({', '.join(products)})"
            yield Section(kind="network", title=title, lines=found.lines)

    def _services(self) -> Iterator[tuple[CloudClient, Service]]:
        yield self._sts_client, self._sts
        seen: set[str] = set()
        for api in self._apis:
            if api.service.name not in seen:
                seen.add(api.service.name)
                yield self._client, api.service

    def _identity(self) -> Iterator[Line]:
        began = time.perf_counter()
        try:
            credentials = self._account.credentials.get()
        except CloudTasksError as error:
            self._blocked = "because there are no credentials"
            self._may_not_assume = isinstance(error, PermissionDenied)
            yield _failed("credentials", error, _since(began))
            yield not_tried("identity", self._blocked)
            return
        kind = "temporary key" if credentials.token else "key"
        origin = credentials.origin or "the Airflow connection"
        yield Line(
            name="credentials",
            outcome=Outcome.OK,
            text=f"{kind} {shortened(credentials.key_id)}, from {origin}",
            milliseconds=_since(began),
        )
        if (unreachable := self._unreachable(self._sts_client, self._sts)) is not None:
            yield not_tried("identity", unreachable)
            return
        began = time.perf_counter()
        try:
            identity = self._client.who_am_i()
        except CloudTasksError as error:
            if isinstance(error, CredentialsError):
                self._blocked = "because the cloud refuses the key"
            yield _failed("identity", error, _since(began), self._page(self._sts_client, self._sts))
            return
        arn = str(identity.get("Arn"))
        self._caller = f"the user or role of {arn}"
        text = f"{arn}, of account {identity.get('AccountId')}"
        yield Line(name="identity", outcome=Outcome.OK, text=text, milliseconds=_since(began))

    def _permissions(self) -> Iterator[Section]:
        pages = {api.service.name: self._page(self._client, api.service) for api in self._apis}
        questions = Questions(self._client, pages)
        for api in self._apis:
            blocked = self._blocked or self._unreachable(self._client, api.service)
            title = f"Permissions for {api.name}"
            if blocked is not None:
                yield Section(kind="permissions", title=title, lines=_unasked(api, blocked))
                continue
            lines = []
            for told in questions.about(api, self._wanted.api_params):
                lines.append(told.line)
                if told.has is False and told.line.permission is not None:
                    self._missing[told.line.permission] = None
            yield Section(kind="permissions", title=title, lines=lines)

    def policies(self) -> Iterator[MissingPolicy]:
        """Yield the smallest policies that grant what is missing."""
        cloud = self._account.cloud
        if self._may_not_assume:
            yield MissingPolicy(
                attach_to=self._caller, document=policy(cloud, ["sts:AssumeRole"], self._role_arn or "*")
            )
        if self._missing:
            yield MissingPolicy(attach_to=self._caller, document=policy(cloud, list(self._missing)))

    def _unreachable(self, client: CloudClient, service: Service) -> str | None:
        """Return why a service cannot be asked, as the rest of a sentence; None if it can."""
        try:
            endpoint = client.endpoint(service)
        except InvalidConnection:
            return "because the endpoint is not known"
        failed = self._walks[endpoint].failed
        return None if failed is None else f"because {failed.name} to {endpoint.host} failed"

    def _page(self, client: CloudClient, service: Service) -> str | None:
        try:
            return self._walks[client.endpoint(service)].page
        except InvalidConnection:
            return None


def shortened(key_id: str) -> str:
    """Return the beginning and the end of a key's id, enough to recognise it.

    Args:
        key_id: The id.
    """
    return key_id if len(key_id) <= 12 else f"{key_id[:6]}...{key_id[-4:]}"


def _failed(name: str, error: CloudTasksError, milliseconds: float | None = None, page: str | None = None) -> Line:
    cause = cause_of(error, page)
    return Line(
        name=name,
        outcome=Outcome.FAILED,
        text=cause.found,
        expected=cause.expected,
        mend=cause.mend,
        milliseconds=milliseconds,
    )


def _unasked(api: TaskApi, because: str) -> tuple[Line, ...]:
    each_once: dict[str, Needed] = {}
    for each in needed(api):
        each_once.setdefault(each.permission, each)
    return tuple(not_tried(each.use, f"{name}: {because}", name) for name, each in each_once.items())


def _since(began: float) -> float:
    return (time.perf_counter() - began) * 1000
