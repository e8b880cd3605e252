"""Compare the requests that an API's actions send with the definitions of the actions' parameters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from airflow_cloudtasks.protocol.cancel_requests import cancel_requests
from airflow_cloudtasks.protocol.encode import encode
from airflow_cloudtasks.protocol.pages import Pages
from airflow_cloudtasks.protocol.reading import Reading
from airflow_cloudtasks.spec import Action, Start, TaskApi, TaskList
from airflow_cloudtasks.spec.template import placeholders
from contract.definitions import ANYTHING, defined_actions, parameter_document
from contract.findings import Findings

REGION = "cn-shanghai"
TASK_IDS = ("7", "8")
SINCE = "2026-01-31T20:30:00Z"
_PLAIN_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
}
# Values that are written like a value of each type, where a request has texts only.
_SAMPLES = {"string": "7", "integer": 7, "number": 7, "boolean": True, "any": "7", "object": {}, "array": []}


@dataclass(frozen=True, slots=True)
class Request:
    """A request of the catalog, as it is sent.

    Args:
        action: The action.
        content: Its parameters, filled into the template.
    """

    action: Action
    content: Mapping[str, Any]


def requests(api: TaskApi) -> Iterator[Request]:
    """Yield requests about a task of an API, of every use: with every parameter, and with few.

    Args:
        api: The API.
    """
    for optional in (api.read.optional, ()):
        named = dict.fromkeys((*api.task_params, *optional), "1")
        yield _request(api.read, Reading(api, api.parameters(TASK_IDS[0], named)).request or {})
    for listing in lists(api):
        for names in (listing.action.accepted, listing.action.params):
            yield _request(listing.action, page(api, listing, names))
    if (together := api.read_many) is not None:
        for names in (together.shared, together.needs):
            yield _request(together.action, {**dict.fromkeys(names, "1"), together.ids_param: list(TASK_IDS)})
    for start in api.starts:
        for names in (start.action.accepted, start.action.params):
            sent = encode(api, start, start_parameters(api, start, names))
            yield _request(start.action, sent)
            if start.then is not None:
                yield _request(start.then, start.then_parameters(TASK_IDS[0], sent))
    if api.cancel is not None:
        needed = (*api.task_params, *api.cancel.found, *api.cancel.action.params)
        for names in ((*needed, *api.carried_params), needed):
            for parameters in cancel_requests(api, TASK_IDS, dict.fromkeys(names, "1")):
                yield _request(api.cancel.action, parameters)
    if api.results is not None and api.results.action is not None:
        identified = dict.fromkeys(api.results.action.params, "1")
        second = {api.results.page_size_param or "": api.results.page_size, api.results.page_param or "": "token"}
        for further in (second, {}):
            yield _request(api.results.action, identified | further)
    if api.parts is not None and api.parts.log is not None:
        log = api.parts.log
        named = dict.fromkeys(log.params, "1") | dict.fromkeys(log.times or (), 1)
        pages: list[dict[str, Any]] = [{}]
        if log.cursor_param is not None:
            pages.append({log.cursor_param: "token"})
        if log.page_size_param is not None:
            pages.append({log.page_size_param: log.page_size, log.offset_param or "": 7})
        for more in pages:
            yield _request(log.action, named | more)


def _request(action: Action, parameters: Mapping[str, Any]) -> Request:
    return Request(action, action.request(parameters, region=REGION))


def lists(api: TaskApi) -> list[TaskList]:
    """Return the lists that an API reads.

    Args:
        api: The API.
    """
    found = [
        api.list_tasks,
        api.feed.tasks if api.feed else None,
        *(start.find.tasks for start in api.starts if start.find),
        api.parts.listed if api.parts else None,
    ]
    return [listing for listing in found if listing is not None]


def page(api: TaskApi, listing: TaskList, names: Iterable[str]) -> dict[str, Any]:
    """Return the parameters of the request for the second page of a list.

    Args:
        api: The API.
        listing: The list.
        names: The parameters of the request besides those of the page.
    """
    parameters = Pages(listing, dict.fromkeys(names, "1"), api.name, SINCE).next_page or {}
    by = listing.offset_param or listing.page_param
    return parameters | ({by: "token" if listing.next_page else 2} if by else {})


def start_parameters(api: TaskApi, start: Start, names: Iterable[str]) -> dict[str, Any]:
    """Return the parameters of a request that starts a task, as a user gives them.

    The values are of the types that the vendor defines, so that a missing encoding shows.

    Args:
        api: The API.
        start: The action that starts a task.
        names: The parameters of the request.
    """
    defined = defined_actions(api.service).get(start.action.name, {}).get("parameters", {})
    return {name: _given(start, name, defined.get(name, _in_template(start, name))) for name in names}


def _in_template(start: Start, name: str) -> dict[str, str]:
    """Return the type of a parameter that stands only inside a template."""
    return {"type": "object" if start.encodings.get(name) == "object" else "string"}


# What a user gives for an encoding, where the vendor's type does not say it.
_JSON = {"a": 1}
_GIVEN: dict[str, Any] = {
    "json": _JSON,
    "map": _JSON,
    "base64": "SELECT 1",
    "id": "7",
    "ids": list(TASK_IDS),
    "time": SINCE,
    "clock": "23:59",
    "dates": "2026-01-31",
    "ranges": [["2026-01-31", "2026-02-01"]],
    "pairs": {"a": "b"},
    "pair": {"a": "b"},
    "boolean": True,
}


def _given(start: Start, name: str, defined: Mapping[str, Any]) -> Any:
    encoding = start.encodings.get(name, "")
    if encoding in _GIVEN and not (_GIVEN[encoding] is _JSON and defined["type"] in ("array", "object")):
        return _GIVEN[encoding]
    if name == start.ids_param:
        return list(TASK_IDS)
    if name == start.timezone_param:
        return "UTC+8"
    return _sample(defined)


def _sample(defined: Mapping[str, Any]) -> Any:
    """Return a value of a type, with every member that the vendor defines."""
    members = {name: _sample(each) for name, each in defined.get("members", {}).items()}
    if defined["type"] == "array":
        return [members] if defined.get("items") == "object" else [_SAMPLES.get(defined.get("items", "string"), "7")]
    return members if defined["type"] == "object" else _SAMPLES.get(defined["type"], "7")


def compare_requests(api: TaskApi, found: Findings) -> None:
    """Compare every request of an API with the definition of its action.

    Args:
        api: The API.
        found: Takes the comparisons.
    """
    for request in requests(api):
        compare_request(api, request.action, request.content, found)


def compare_request(api: TaskApi, action: Action, content: Mapping[str, Any], found: Findings) -> None:
    """Compare a request with the definition of its action.

    Args:
        api: The API of the action.
        action: The action.
        content: The parameters as they are sent.
        found: Takes the comparisons.
    """
    defined = defined_actions(api.service).get(action.name)
    found.compare("actions", action.name, _wrong_call(action, defined))
    parameters = {} if defined is None else defined["parameters"]
    for name, each in parameters.items():
        if each.get("required") and name not in content:
            found.compare("parameters", f"{action.name} {name}", "is required, and not sent")
    for name, value in content.items() if defined is not None else ():
        subject = f"{action.name} {name}"
        if (each := parameters.get(name)) is None:
            found.compare("parameters", subject, "is sent, and the vendor defines no such parameter")
            continue
        found.compare("parameters", subject, _wrong_place(action, name, each) or _wrong_value(action, value, each))
        if not _is_text(action, each):
            _compare_members(subject, value, each, found)
        document = parameter_document(api.service, action.name, name)
        for word in _constants(action.template.get(name)):
            if word not in document:
                found.compare("parameters", subject, f"is sent with {word!r}, which the vendor does not document")


def _constants(template: Any) -> Iterator[str]:
    """Yield the words of the vendor that a template always sends: the names of filters, and values of its own."""
    match template:
        case str() if not any(placeholders(template)):
            yield template
        case list():
            yield from (word for item in template for word in _constants(item))
        case {"Name": name}:
            yield from _constants(name)


def _wrong_call(action: Action, defined: Mapping[str, Any] | None) -> str | None:
    """Return how the method or the path of an action deviates."""
    if defined is None:
        return "is called, and the vendor defines no such action"
    ours = (action.method, action.path)
    theirs = (defined.get("method", "POST"), defined.get("path", "/"))
    return None if ours == theirs else f"is called with {' '.join(ours)}; the vendor defines {' '.join(theirs)}"


def _wrong_place(action: Action, name: str, defined: Mapping[str, Any]) -> str | None:
    if "in" not in defined:  # Tencent Cloud takes JSON only
        return None
    place = "path" if name in action.path_params else action.place(name)
    ours = {"form": "body", "json": "body", "body": "raw"}.get(place, place)
    return None if ours == defined["in"] else f"is sent in the {ours}; the vendor takes it in the {defined['in']}"


def _is_text(action: Action, defined: Mapping[str, Any]) -> bool:
    """Return whether a parameter is sent as text, whatever its type."""
    return defined.get("in", "body") != "body" or action.params_in == "form"


def _wrong_value(action: Action, value: Any, defined: Mapping[str, Any]) -> str | None:
    if defined.get("json"):
        return None if isinstance(value, str) else f"is sent as {value!r}; the vendor takes JSON in a text"
    kind = defined["type"]
    if _is_text(action, defined) and not isinstance(value, dict | list):
        is_scalar = kind not in ("array", "object")
        return None if is_scalar and _reads_as(str(value), kind) else f"is sent as {value!r}, which is no {kind}"
    return None if _is_of(value, kind) else f"is sent as {value!r}, which is no {kind}"


def _reads_as(text: str, kind: str) -> bool:
    match kind:
        case "integer" | "number":
            return text.lstrip("-").replace(".", "", kind == "number").isdecimal()
        case "boolean":
            return text.lower() in ("true", "false")
        case _:
            return True


def _is_of(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind in ("boolean", "any")
    return kind not in _PLAIN_TYPES or isinstance(value, _PLAIN_TYPES[kind])


def _compare_members(subject: str, value: Any, defined: Mapping[str, Any], found: Findings) -> None:
    """Compare the items of a list and the members of objects, at any depth."""
    members, items = defined.get("members", {}), defined.get("items", ANYTHING)
    for item in value if isinstance(value, list) else [value]:
        if isinstance(value, list) and not _is_of(item, items):
            found.compare("parameters", subject, f"has the item {item!r}, which is no {items}")
        elif members and isinstance(item, dict):
            _compare_object(subject, item, members, found)


def _compare_object(subject: str, value: Mapping[str, Any], members: Mapping[str, Any], found: Findings) -> None:
    for name, each in members.items():
        if each.get("required") and name not in value:
            found.compare("parameters", f"{subject}.{name}", "is required, and not sent")
    for name, inner in value.items():
        if (each := members.get(name)) is None:
            found.compare("parameters", f"{subject}.{name}", "is sent, and the vendor defines no such member")
            continue
        problem = None if _is_of(inner, each["type"]) else f"is sent as {inner!r}, which is no {each['type']}"
        found.compare("parameters", f"{subject}.{name}", problem)
        _compare_members(f"{subject}.{name}", inner, each, found)


def parameters_of(action: Action, request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of which an action makes a request.

    Args:
        action: The action.
        request: The request as the vendor takes it.
    """
    found = {name: value for name, value in request.items() if name not in action.template}
    return found | dict(_filled(action.template, request))


def _filled(template: Any, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the value of each placeholder of a template that was filled to a value."""
    match template, value:
        case str(), _:
            yield from ((name, value) for name, _ in placeholders(template))
        case dict(), dict():
            for name in template.keys() & value.keys():
                yield from _filled(template[name], value[name])
        case list(), list():
            for part, item in zip(template, value, strict=False):
                yield from _filled(part, item)
