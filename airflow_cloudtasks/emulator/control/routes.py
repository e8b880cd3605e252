"""The control plane: unsigned JSON under ``/_control``, for a test or a demo to set the scene and to look behind it."""

from __future__ import annotations

import importlib.metadata
import json
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.routing import Route

from airflow_cloudtasks.emulator.control import parsing, views
from airflow_cloudtasks.emulator.engine.ledger import describe

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from airflow_cloudtasks.emulator.engine.state import State
    from airflow_cloudtasks.emulator.engine.values import JsonObject

PREFIX = "/_control"
DISTRIBUTION = "airflow-provider-cloudtasks"


def package_version() -> str:
    """Tell the version of the package.

    Returns:
        It, or ``unknown`` when the package runs from a tree that is not installed.
    """
    try:
        return importlib.metadata.version(DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def control_app(state: State) -> Starlette:
    """Build the control plane.

    Args:
        state: The emulator's memory.

    Returns:
        An ASGI application for every path under ``/_control``.
    """
    return Starlette(
        routes=[
            Route(f"{PREFIX}/{path}", _endpoint(state, answer), methods=[method]) for method, path, answer in _ENDPOINTS
        ],
        exception_handlers={HTTPException: _explain},
    )


def _health(state: State, request: Request, value: Any) -> JsonObject:
    return {"ok": True, "version": package_version()}


def _list_tasks(state: State, request: Request, value: Any) -> JsonObject:
    return {"tasks": views.show_tasks(state)}


def _add_tasks(state: State, request: Request, value: Any) -> JsonObject:
    now = state.task_now()
    # All are read before the first is added: a list with a mistake in it leaves nothing behind.
    tasks = [parsing.parse_task(one, now) for one in (value if isinstance(value, list) else [value])]
    for task in tasks:
        state.tasks.add(task)
    return {"tasks": [views.show_task_entry(task, now) for task in tasks]}


def _clear_tasks(state: State, request: Request, value: Any) -> JsonObject:
    state.tasks.clear()
    return {"ok": True}


def _list_noticed(state: State, request: Request, value: Any) -> JsonObject:
    api = parsing.parse_api(request.query_params.get("api"), parsing.TASK_APIS)
    return {"noticed": views.show_noticed(state, api)}


def _list_plans(state: State, request: Request, value: Any) -> JsonObject:
    return {"scripts": views.show_plans(state)}


def _add_plan(state: State, request: Request, value: Any) -> JsonObject:
    api, plan, for_all = parsing.parse_plan(value)
    (state.plans.set if for_all else state.plans.add)(api, plan)
    return _list_plans(state, request, value)


def _clear_plans(state: State, request: Request, value: Any) -> JsonObject:
    state.plans.clear()
    return {"ok": True}


def _list_started(state: State, request: Request, value: Any) -> JsonObject:
    api = parsing.parse_api(request.query_params.get("api"), parsing.TASK_APIS)
    return {"started": describe(state.ledger.started, api)}


def _list_canceled(state: State, request: Request, value: Any) -> JsonObject:
    api = parsing.parse_api(request.query_params.get("api"), parsing.TASK_APIS)
    return {"canceled": describe(state.ledger.canceled, api)}


def _show_limit(state: State, request: Request, value: Any) -> JsonObject:
    return {"requests_per_second": state.limits.requests_per_second}


def _set_limit(state: State, request: Request, value: Any) -> JsonObject:
    state.limits.set(parsing.parse_limit(value))
    return _show_limit(state, request, value)


def _list_faults(state: State, request: Request, value: Any) -> JsonObject:
    return {"faults": state.faults.describe()}


def _add_fault(state: State, request: Request, value: Any) -> JsonObject:
    state.faults.add(parsing.parse_fault(value))
    return _list_faults(state, request, value)


def _clear_faults(state: State, request: Request, value: Any) -> JsonObject:
    state.faults.clear()
    return {"ok": True}


def _show_latency(state: State, request: Request, value: Any) -> JsonObject:
    return {"seconds": state.latency}


def _set_latency(state: State, request: Request, value: Any) -> JsonObject:
    state.latency = parsing.parse_latency(value)
    return _show_latency(state, request, value)


def _list_keys(state: State, request: Request, value: Any) -> JsonObject:
    return {"keys": views.show_keys(state)}


def _add_key(state: State, request: Request, value: Any) -> JsonObject:
    key, cloud = parsing.parse_key(value)
    state.keys.add(key, cloud)
    return _list_keys(state, request, value)


def _revoke_key(state: State, request: Request, value: Any) -> JsonObject:
    key_id = request.path_params["key_id"]
    if not state.keys.revoke(key_id):
        raise HTTPException(404, f"There is no key {key_id!r}")
    return _list_keys(state, request, value)


def _show_sts(state: State, request: Request, value: Any) -> JsonObject:
    return views.show_sts(state)


def _set_sts(state: State, request: Request, value: Any) -> JsonObject:
    state.sts = parsing.parse_sts(value, state.sts)
    return views.show_sts(state)


def _expire_issued(state: State, request: Request, value: Any) -> JsonObject:
    return {"expired": state.keys.expire_issued(state.now())}


def _list_requests(state: State, request: Request, value: Any) -> JsonObject:
    api = parsing.parse_api(request.query_params.get("api"))
    since = parsing.parse_since(request.query_params.get("since"))
    return {"requests": state.journal.requests(api, since), "totals": state.journal.totals()}


def _clear_requests(state: State, request: Request, value: Any) -> JsonObject:
    state.journal.clear()
    return {"ok": True}


def _reset(state: State, request: Request, value: Any) -> JsonObject:
    state.reset()
    return {"ok": True}


_ENDPOINTS: tuple[tuple[str, str, Callable[[State, Request, Any], JsonObject]], ...] = (
    ("GET", "health", _health),
    ("GET", "tasks", _list_tasks),
    ("POST", "tasks", _add_tasks),
    ("DELETE", "tasks", _clear_tasks),
    ("GET", "noticed", _list_noticed),
    ("GET", "scripts", _list_plans),
    ("POST", "scripts", _add_plan),
    ("DELETE", "scripts", _clear_plans),
    ("GET", "started", _list_started),
    ("GET", "canceled", _list_canceled),
    ("GET", "limits", _show_limit),
    ("POST", "limits", _set_limit),
    ("GET", "faults", _list_faults),
    ("POST", "faults", _add_fault),
    ("DELETE", "faults", _clear_faults),
    ("GET", "latency", _show_latency),
    ("POST", "latency", _set_latency),
    ("GET", "keys", _list_keys),
    ("POST", "keys", _add_key),
    ("DELETE", "keys/{key_id:path}", _revoke_key),
    ("GET", "sts", _show_sts),
    ("POST", "sts", _set_sts),
    ("POST", "sts/expire", _expire_issued),
    ("GET", "requests", _list_requests),
    ("DELETE", "requests", _clear_requests),
    ("POST", "reset", _reset),
)
_READS_BODY = {_add_tasks, _add_plan, _set_limit, _add_fault, _set_latency, _add_key, _set_sts}


def _endpoint(
    state: State, answer: Callable[[State, Request, Any], JsonObject]
) -> Callable[[Request], Awaitable[JSONResponse]]:
    async def endpoint(request: Request) -> JSONResponse:
        try:
            value = _read_json(await request.body()) if answer in _READS_BODY else None
            with state.lock:
                return JSONResponse(answer(state, request, value))
        except parsing.BadInputError as error:
            return JSONResponse({"error": str(error)}, 400)

    return endpoint


def _read_json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError as error:
        raise parsing.BadInputError(f"body: expected JSON, got something else: {error}") from None


async def _explain(request: Request, error: Exception) -> JSONResponse:
    status, text = (error.status_code, error.detail) if isinstance(error, HTTPException) else (500, str(error))
    if status in (404, 405) and not text.startswith("There is no key"):
        known = ", ".join(f"{method} {PREFIX}/{path.replace(':path', '')}" for method, path, _ in _ENDPOINTS)
        text = f"There is no {request.method} {request.url.path}; expected one of {known}"
    return JSONResponse({"error": text}, status)
