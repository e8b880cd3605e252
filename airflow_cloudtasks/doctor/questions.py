"""Ask a cloud whether a key may use an action, by harmless reads of what does not exist."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from airflow_cloudtasks.clouds.client import CloudClient
from airflow_cloudtasks.doctor.causes import Cause, cause_of, has_known_cause
from airflow_cloudtasks.doctor.options import option
from airflow_cloudtasks.doctor.permissions import Needed, needed
from airflow_cloudtasks.doctor.report import Line, Outcome, not_tried
from airflow_cloudtasks.errors import (
    BadRequest,
    CloudApiError,
    CloudTasksError,
    InvalidConnection,
    MalformedAnswer,
    NotFound,
    PermissionDenied,
    TransientError,
)
from airflow_cloudtasks.spec import Service, TaskApi
from airflow_cloudtasks.spec.api import Use

# No vendor gives such an id.
_NO_SUCH_ID = "0"
# These would start or end something. Neither cloud offers a call that only says whether a key may. Source: the actions
# of RAM 2015-05-01 in alibabacloud-ram20150501 and of CAM 2019-01-16 in tccli: none simulates a policy.
_WOULD_ACT: dict[Use, str] = {"start": "it would start a task", "cancel": "it might end a task"}


@dataclass(frozen=True, slots=True)
class Told:
    """What a cloud has told about one permission.

    Args:
        has: Whether the key has the permission; None if it could not be asked.
        line: The line of the report.
    """

    has: bool | None
    line: Line


class Questions:
    """Asks each action once, although several APIs may need it.

    Args:
        client: Sends the requests.
        page: The HTML page that the endpoint of a service answers with, by the service's name.
    """

    def __init__(self, client: CloudClient, page: Mapping[str, str | None]) -> None:
        self._client = client
        self._page = page
        self._told: dict[str, Told] = {}
        # The services that have not answered: each further question would cost a time limit.
        self._silent: set[str] = set()

    def about(self, api: TaskApi, api_params: Mapping[str, str]) -> Iterator[Told]:
        """Yield what the cloud tells about each permission that an API needs.

        Args:
            api: The API.
            api_params: Parameters that identify a task besides its id, in the vendor's spelling.
        """
        seen: set[str] = set()
        for each in needed(api):
            if each.permission not in seen:
                seen.add(each.permission)
                yield self._about(api, each, api_params)

    def _about(self, api: TaskApi, each: Needed, api_params: Mapping[str, str]) -> Told:
        if each.use in _WOULD_ACT:
            because = f"{each.permission}: needed; not asked, since {_WOULD_ACT[each.use]}"
            return Told(None, not_tried(each.use, because, each.permission))
        parameters, missing = request(api, each, api_params)
        if missing:
            because = f"{each.permission}: not asked, since it needs {' and '.join(map(option, missing))}"
            return Told(None, not_tried(each.use, because, each.permission))
        if each.permission not in self._told and each.service in self._silent:
            return Told(None, not_tried(each.use, f"{each.permission}: because no answer came before", each.permission))
        if each.permission not in self._told:
            self._told[each.permission] = self._ask(api.service, each, parameters)
        told = self._told[each.permission]
        return replace(told, line=replace(told.line, name=each.use))

    def _ask(self, service: Service, each: Needed, parameters: Mapping[str, str]) -> Told:
        began = time.perf_counter()
        error: CloudTasksError | None = None
        try:
            self._client.call(service, each.action, parameters)
        except (CloudApiError, InvalidConnection) as caught:
            error = caught
            if isinstance(caught, TransientError) and caught.http_status is None:
                self._silent.add(service.name)
        milliseconds = (time.perf_counter() - began) * 1000
        return told(each, error, milliseconds, self._page.get(service.name))


def request(api: TaskApi, each: Needed, api_params: Mapping[str, str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return a request that asks for something that does not exist, and the parameters that the user has to add.

    Args:
        api: The API.
        each: The action.
        api_params: Parameters that identify a task besides its id.
    """
    inferred = {name: value for start in reversed(api.starts) for name, value in start.names.items()}
    known = inferred | dict(api_params)
    parameters, missing = {}, []
    for name in each.action.params:
        if name in known:
            parameters[name] = known[name]
        elif name in api.task_params:
            missing.append(name)
        else:
            parameters[name] = _NO_SUCH_ID
    parameters |= {name: known[name] for name in each.action.optional if name in known}
    return parameters, tuple(missing)


def told(each: Needed, error: CloudTasksError | None, milliseconds: float, page: str | None = None) -> Told:
    """Return what an answer tells about a permission. Pure.

    A refusal of the permission is a no. Any other answer of the product itself is a yes: the cloud checks permissions
    before it looks an id up. Everything else tells nothing.

    Args:
        each: The action.
        error: The error of the call; None for a success.
        milliseconds: How long the call took.
        page: The HTML page that the endpoint answers with; None for none.
    """

    def line(outcome: Outcome, text: str = "", cause: Cause | None = None) -> Line:
        return Line(
            name=each.use,
            outcome=outcome,
            text=f"{each.permission}: {text}" if text else each.permission,
            expected=cause.expected if cause else None,
            mend=cause.mend if cause else None,
            milliseconds=milliseconds,
            permission=each.permission,
        )

    if error is None or _comes_from_the_product(error):
        return Told(True, line(Outcome.OK))
    cause = cause_of(error, page)
    if isinstance(error, PermissionDenied):
        return Told(False, line(Outcome.FAILED, cause.found, cause))
    retryable = isinstance(error, CloudApiError) and error.retryable
    return Told(None, line(Outcome.UNKNOWN if retryable else Outcome.FAILED, cause.found, cause))


def _comes_from_the_product(error: CloudTasksError) -> bool:
    """Return whether an error can only be the answer to a request that the key was allowed to send."""
    match error:
        case NotFound() | MalformedAnswer(retryable=False):
            return True
        case BadRequest():
            return not has_known_cause(error.code)
        case _:
            return False
