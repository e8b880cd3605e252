"""Every action, parameter and path of a field in the catalog is one that the vendor defines.

Tencent Cloud's definitions come with its tccli, Alibaba Cloud's are the models of its SDK packages.
"""

from __future__ import annotations

import inspect
import json
import re
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import tccli
from alibaba_packages import imported

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.spec import Action, Percentages, TaskApi, TaskList
from airflow_cloudtasks.values import at

TENCENT = [name for name, api in APIS.items() if api.cloud == "tencent"]
ALIBABA = [name for name, api in APIS.items() if api.cloud == "alibaba"]
LISTED = [name for name, api in APIS.items() if api.list_tasks is not None]


def fields(api: TaskApi) -> dict[str, set[str]]:
    """Return the paths of the fields that a spec reads from the task object, each with the types that it may have."""
    texts = (api.task_name, api.message, *api.json_fields)
    # Vendors also write these as numbers.
    words: tuple[Any, ...] = (api.id, api.created_at, api.started_at, api.finished_at)
    numbers: tuple[Any, ...] = (api.progress, api.progress_whole)
    if isinstance(api.status, Percentages):
        numbers += (api.status.complete, api.status.succeeded)
    else:
        words += (api.status,)
    kinds = [({"string"}, texts), ({"string", "int"}, words), ({"int", "float"}, numbers)]
    return {path: types for types, paths in kinds for path in paths if isinstance(path, str)}


def list_of(api: TaskApi) -> TaskList:
    assert api.list_tasks is not None
    return api.list_tasks


@cache
def definitions(service: str, version: str) -> Any:
    folder = Path(tccli.__path__[0]) / "services" / service / f"v{version.replace('-', '')}"
    return json.loads((folder / "api.json").read_bytes())


def members(api: TaskApi, name: str) -> dict[str, Any]:
    objects = definitions(api.service.name, api.service.version)["objects"]
    return {member["name"]: member for member in objects[name]["members"]}


def member_at(api: TaskApi, name: str, path: str) -> Any:
    """Return the definition of the member at a path below an object."""
    *parents, last = (key for key in path.split(".") if not key.isdecimal())
    for parent in parents:
        name = members(api, name)[parent]["member"]
    return members(api, name)[last]


def defined(api: TaskApi, action: Action) -> Any:
    return definitions(api.service.name, api.service.version)["actions"][action.name]


def task_object(api: TaskApi) -> str:
    answer = defined(api, api.read)["output"]
    path = list_of(api).tasks if api.find_in_list else api.task
    return member_at(api, answer, path)["member"] if path else answer


@pytest.mark.parametrize("name", TENCENT)
def test_the_read_parameters_are_those_that_tencent_defines(name: str) -> None:
    api = APIS[name]
    takes = members(api, defined(api, api.read)["input"])
    required = {param for param, member in takes.items() if member["required"]}
    assert required <= set(api.read.members) <= set(takes)
    assert set(api.read.params) - set(takes) <= api.read.in_template
    assert not set(api.read.optional) & required
    integers = {param for param, value in api.read.template.items() if str(value).endswith(":integer}")}
    assert {takes[param]["type"] for param in integers} <= {"int"}
    plain = {*api.read.accepted} - api.read.in_template
    assert {takes[param]["type"] for param in plain} <= {"string"}
    in_filters = api.read.in_template if "Filters" in api.read.template else set()
    names = {each["Name"] for each in api.read.template.get("Filters", [])}
    assert not in_filters or all(name in takes["Filters"]["document"] for name in names)


@pytest.mark.parametrize("name", TENCENT)
def test_the_task_fields_are_those_that_tencent_defines(name: str) -> None:
    api = APIS[name]
    for path, types in fields(api).items():
        assert member_at(api, task_object(api), path)["type"] in types


@pytest.mark.parametrize("name", [name for name in TENCENT if name in LISTED])
def test_the_list_parameters_are_those_that_tencent_defines(name: str) -> None:
    api = APIS[name]
    listing = list_of(api)
    takes = members(api, defined(api, listing.action)["input"])
    assert set(listing.action.params) == {param for param, member in takes.items() if member["required"]}
    by = listing.page_param or listing.offset_param
    assert {takes[param]["type"] for param in (by, listing.page_size_param)} == {"int"}
    for param, value in listing.action.template.items():
        assert takes[param]["type"] == ("string" if isinstance(value, str) else "list")
        words = [value] if isinstance(value, str) else [item["Name"] for item in value]
        assert all(word in takes[param]["document"] for word in words)


@pytest.mark.parametrize("name", [name for name in TENCENT if name in LISTED])
def test_tencents_lists_hold_the_task_objects_of_the_single_read(name: str) -> None:
    api = APIS[name]
    listing = list_of(api)
    answer = defined(api, listing.action)["output"]
    tasks = member_at(api, answer, listing.tasks)
    assert tasks["type"] == "list"
    assert member_at(api, answer, listing.page_count or listing.total or "")["type"] == "int"
    single, listed = members(api, task_object(api)), members(api, tasks["member"])
    assert listing.complete is (set(single) <= {*listed, "RequestId"})
    assert {field for field in fields(api) if field not in listed} <= {api.message}


def test_wedatas_task_run_list_lacks_the_status_of_the_single_read() -> None:
    api = APIS["wedata.task_run"]
    listed = members(api, "ListTriggerTaskRunBrief")
    assert api.list_tasks is None
    assert not {"ExecutionState", "CreateTime"} & set(listed)


def model(api: TaskApi, name: str) -> Any:
    return getattr(imported(api.service.name, api.service.version, "models"), name, None)


def taken(request: Any, param: str) -> bool:
    """Return whether the model of a request has a parameter, which may be text, an object or a list of objects."""
    for value in ("x", {}, [{}]):
        with suppress(AttributeError):
            return param in request().from_map({param: value}).to_map()
    return False


def needed(request: Any) -> set[str]:
    """Return the parameters that the comments of a model call required."""
    source = inspect.getsource(request.__init__)
    attributes = re.findall(r"This parameter is required\.\n(?:\s*#.*\n)*\s*self\.(\w+) =", source)
    return {next(iter(request(**{attribute: "x"}).to_map())) for attribute in attributes}


def answered(api: TaskApi, action: Action, path: str) -> bool:
    """Return whether the model of an answer has a member at a path."""
    body: Any = "x"
    for key in reversed(path.split(".")):
        body = [body] if key == "[]" else {key: body}
    kept = model(api, f"{action.name}ResponseBody")().from_map(body).to_map()
    *lists, rest = path.split(".[].")
    for key in lists:
        kept = at(kept, key)[0]
    return at(kept, rest) == "x"


@pytest.mark.parametrize("name", ALIBABA)
def test_the_read_parameters_are_those_of_alibabas_models(name: str) -> None:
    api = APIS[name]
    in_path = set(api.read.path_params)
    request = model(api, f"{api.read.name}Request")
    given = {*api.read.params, *api.read.optional} - in_path
    # A request whose parameters all stand in the path has no model.
    assert all(taken(request, param) for param in given)
    assert not given or needed(request) <= {*api.read.params, *api.read.template}


def path_of(api: TaskApi, path: str) -> str:
    """Return the path of a task's field in the answer of the single read."""
    return ".".join(("[]" if key == "0" else key) for key in (*api.task.split("."), path) if key)


@pytest.mark.parametrize("name", ALIBABA)
def test_the_task_fields_are_those_of_alibabas_models(name: str) -> None:
    api = APIS[name]
    missing = [path for path in fields(api) if not answered(api, api.read, path_of(api, path))]
    assert missing == []


@pytest.mark.parametrize("name", [name for name in ALIBABA if name in LISTED])
def test_the_list_parameters_and_fields_are_those_of_alibabas_models(name: str) -> None:
    api = APIS[name]
    listing = list_of(api)
    request = model(api, f"{listing.action.name}Request")
    params = (listing.page_param, listing.page_size_param, listing.since_param, *listing.action.template)
    assert all(taken(request, param) for param in params if param)
    assert needed(request) <= {*listing.action.params, *listing.action.template}
    assert answered(api, listing.action, listing.next_page or listing.total or "")
    missing = [path for path in fields(api) if not answered(api, listing.action, f"{listing.tasks}.[].{path}")]
    # A list may also leave out fields that the spec does not read.
    assert missing == [] or not listing.complete
