"""The control plane over HTTP: unsigned JSON under ``/_control``. Each route calls one or two operations."""

from __future__ import annotations

import importlib.metadata
import inspect
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.routing import Route

from airflow_cloudtasks.emulator.control.errors import BadInputError, NotThereError
from airflow_cloudtasks.emulator.control.operations import ControlPlane
from airflow_cloudtasks.emulator.control.parsing import parse_dict, parse_object, parse_since

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from airflow_cloudtasks.emulator.engine.values import JsonObject

    Answer = Callable[[ControlPlane, "ControlRequest"], JsonObject]

PREFIX = "/_control"
DISTRIBUTION = "airflow-provider-cloudtasks"


def package_version() -> str:
    """Return the version of the package, or ``unknown`` if it runs from a tree that is not installed."""
    try:
        return importlib.metadata.version(DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def control_app(plane: ControlPlane) -> Starlette:
    """Return an ASGI application for every path under ``/_control``."""
    return Starlette(
        routes=[
            Route(f"{PREFIX}/{path}", _endpoint(plane, answer), methods=[method]) for method, path, answer in _ROUTES
        ],
        exception_handlers={HTTPException: _explain},
    )


@dataclass(frozen=True, slots=True)
class ControlRequest:
    """A request to the control plane.

    Attributes:
        http: The HTTP request, for its path and query.
        body: Its body.
    """

    http: Request
    body: bytes

    @property
    def api(self) -> str | None:
        """The API in the query."""
        return self.http.query_params.get("api")

    def json(self) -> Any:
        """Return the JSON value in the body."""
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise BadInputError(f"body: expected JSON, got something else: {error}") from None

    def arguments(self, what: str, operation: Callable[..., Any]) -> dict[str, Any]:
        """Return the arguments of an operation of ControlPlane from the JSON object in the body.

        The object has the operation's parameters as members; ``task_id`` and ``key_id`` are written ``id``.
        """
        _, *parameters = inspect.signature(operation).parameters.values()
        names = {"id" if one.name in ("task_id", "key_id") else one.name: one for one in parameters}
        given = parse_object(
            what,
            self.json(),
            required=tuple(name for name, one in names.items() if one.default is one.empty),
            optional=tuple(name for name, one in names.items() if one.default is not one.empty),
        )
        return {names[name].name: value for name, value in given.items()}


def _add_tasks(plane: ControlPlane, request: ControlRequest) -> JsonObject:
    value = request.json()
    return {"tasks": plane.add_tasks(value if isinstance(value, list) else [value])}


def _add_fault(plane: ControlPlane, request: ControlRequest) -> JsonObject:
    plane.fault(**request.arguments("a fault", ControlPlane.fault))
    return {"faults": plane.faults()}


def _add_key(plane: ControlPlane, request: ControlRequest) -> JsonObject:
    plane.add_key(**request.arguments("a key", ControlPlane.add_key))
    return {"keys": plane.keys()}


def _revoke_key(plane: ControlPlane, request: ControlRequest) -> JsonObject:
    plane.revoke_key(request.http.path_params["key_id"])
    return {"keys": plane.keys()}


def _add_plan(plane: ControlPlane, request: ControlRequest) -> JsonObject:
    plane.plan(request.json())
    return {"scripts": plane.scripts()}


def _change_sts(plane: ControlPlane, request: ControlRequest) -> JsonObject:
    return plane.sts(**parse_dict("token settings", request.json()))


def _set_queue(plane: ControlPlane, request: ControlRequest) -> JsonObject:
    plane.queue(**parse_dict("a queue", request.json()))
    return {"queues": plane.queues()}


def _list_requests(plane: ControlPlane, request: ControlRequest) -> JsonObject:
    since = parse_since(request.http.query_params.get("since"))
    return {"requests": plane.requests(request.api, since), "totals": plane.totals()}


def _call(operation: Callable[..., Any], *, body: str = "", by_api: bool = False, shows: str = "") -> Answer:
    """Return an answer that calls an operation.

    Args:
        operation: The operation.
        body: What the JSON object in the body is, e.g. "a limit", if its members are the operation's arguments.
        by_api: Whether the query may name an API.
        shows: The name of the operation's result in the answer; empty for none.
    """

    def answer(plane: ControlPlane, request: ControlRequest) -> JsonObject:
        arguments = request.arguments(body, operation) if body else {}
        if by_api:
            arguments["api"] = request.api
        result = operation(plane, **arguments)
        return {shows: result} if shows else {"ok": True}

    return answer


_ROUTES: tuple[tuple[str, str, Answer], ...] = (
    ("GET", "health", lambda plane, request: {"ok": True, "version": package_version()}),
    ("GET", "tasks", _call(ControlPlane.tasks, shows="tasks")),
    ("POST", "tasks", _add_tasks),
    ("DELETE", "tasks", _call(ControlPlane.clear_tasks)),
    ("POST", "running", _call(ControlPlane.add_running, body="a running task")),
    ("POST", "finished", _call(ControlPlane.add_finished, body="a finished task")),
    ("POST", "finish", _call(ControlPlane.finish, body="the end of a task")),
    ("POST", "advance", _call(ControlPlane.advance, body="an advance")),
    ("GET", "noticed", _call(ControlPlane.noticed, by_api=True, shows="noticed")),
    ("GET", "scripts", _call(ControlPlane.scripts, shows="scripts")),
    ("POST", "scripts", _add_plan),
    ("POST", "scripts/running", _call(ControlPlane.next_running, body="a plan")),
    ("DELETE", "scripts", _call(ControlPlane.clear_scripts)),
    ("GET", "started", _call(ControlPlane.started, by_api=True, shows="started")),
    ("GET", "canceled", _call(ControlPlane.canceled, by_api=True, shows="canceled")),
    ("GET", "limits", _call(ControlPlane.current_limit, shows="requests_per_second")),
    ("POST", "limits", _call(ControlPlane.limit, body="a limit", shows="requests_per_second")),
    ("GET", "faults", _call(ControlPlane.faults, shows="faults")),
    ("POST", "faults", _add_fault),
    ("DELETE", "faults", _call(ControlPlane.clear_faults)),
    ("GET", "latency", _call(ControlPlane.current_latency, shows="seconds")),
    ("POST", "latency", _call(ControlPlane.latency, body="a latency", shows="seconds")),
    ("GET", "clock", _call(ControlPlane.current_clock, shows="seconds")),
    ("POST", "clock", _call(ControlPlane.clock, body="a clock", shows="seconds")),
    ("GET", "regions", _call(ControlPlane.current_regions, shows="regions")),
    ("POST", "regions", _call(ControlPlane.regions, body="regions", shows="regions")),
    ("GET", "keys", _call(ControlPlane.keys, shows="keys")),
    ("POST", "keys", _add_key),
    ("DELETE", "keys/{key_id:path}", _revoke_key),
    ("GET", "sts", lambda plane, request: plane.sts()),
    ("POST", "sts", _change_sts),
    ("POST", "sts/expire", _call(ControlPlane.expire_issued, shows="expired")),
    ("GET", "queues", _call(ControlPlane.queues, shows="queues")),
    ("POST", "queues", _set_queue),
    ("DELETE", "queues", _call(ControlPlane.clear_queues)),
    ("POST", "queues/messages", _call(ControlPlane.send_message, body="a message")),
    ("GET", "event_callback", _call(ControlPlane.current_event_callback, shows="queue")),
    ("POST", "event_callback", _call(ControlPlane.event_callback, body="an event callback", shows="queue")),
    ("GET", "requests", _list_requests),
    ("DELETE", "requests", _call(ControlPlane.clear_requests)),
    ("POST", "reset", _call(ControlPlane.reset)),
)


def _endpoint(plane: ControlPlane, answer: Answer) -> Callable[[Request], Awaitable[JSONResponse]]:
    async def endpoint(http: Request) -> JSONResponse:
        request = ControlRequest(http, await http.body())
        try:
            # One lock around the operations of a route, so that its answer shows nothing in between.
            with plane.state.lock:
                return JSONResponse(answer(plane, request))
        except BadInputError as error:
            return JSONResponse({"error": str(error)}, 400)
        except NotThereError as error:
            return JSONResponse({"error": str(error)}, 404)

    return endpoint


async def _explain(request: Request, error: Exception) -> JSONResponse:
    status, text = (error.status_code, error.detail) if isinstance(error, HTTPException) else (500, str(error))
    if status in (404, 405):
        known = ", ".join(f"{method} {PREFIX}/{path.replace(':path', '')}" for method, path, _ in _ROUTES)
        text = f"There is no {request.method} {request.url.path}; expected one of {known}"
    return JSONResponse({"error": text}, status)
