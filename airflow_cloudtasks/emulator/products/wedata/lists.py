"""WeData's lists: filtered, sorted, and cut into numbered pages.

Source: the definitions of WeData 2025-08-06 that tccli ships. The bounds of a page size (1 to 100, 10 by default) are
documented for ListTaskInstances; here the other lists have the same.
"""

from __future__ import annotations

import operator
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from airflow_cloudtasks.emulator.products.shared.answers import show_task, show_time
from airflow_cloudtasks.emulator.products.wedata.product import JSON, WEDATA, invalid, optional
from airflow_cloudtasks.emulator.vendor.contract import Parameter

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from airflow_cloudtasks.emulator.engine.tasks import Task
    from airflow_cloudtasks.emulator.engine.values import JsonObject
    from airflow_cloudtasks.emulator.vendor.contract import Call, TaskShape

    Test = Callable[[JsonObject], bool]
    Complete = Callable[[Call, Task, JsonObject], JsonObject]

Item = TypeVar("Item")

_DEFAULT_SIZE = 10
_LARGEST_SIZE = 100
_TIME_FILTERS = {"ScheduleTimeGreaterEqual": operator.ge, "ScheduleTimeLessEqual": operator.le}
FILTERS = Parameter(
    "Filters",
    JSON,
    required=False,
    type="array",
    items="object",
    members=(
        *optional("Name"),
        Parameter("Values", JSON, required=False, type="array"),
    ),
)
ORDER_FIELDS = Parameter(
    "OrderFields",
    JSON,
    required=False,
    type="array",
    items="object",
    members=WEDATA.required("Name", "Direction"),
)
PAGE = (
    Parameter("PageNumber", JSON, required=False, type="integer"),
    Parameter("PageSize", JSON, required=False, type="integer"),
)


def _as_it_is(call: Call, task: Task, entry: JsonObject) -> JsonObject:
    return entry


def answer_list(
    call: Call,
    api: str,
    wanted: Test | None,
    order: list[tuple[str, bool]],
    shape: TaskShape | None = None,
    complete: Complete = _as_it_is,
    ids: Collection[str] | None = None,
) -> JsonObject:
    """Return the page of a list that a request asks for.

    Args:
        call: The call.
        api: The API that reads the listed tasks.
        wanted: Returns whether an entry is listed; None for all.
        order: The fields to sort by, each with whether it is descending, most significant first. Without any, the
            newest tasks come first.
        shape: The shape of an entry; None for the action's own.
        complete: Adds fields to an entry that its shape does not determine.
        ids: The only ids that can be wanted, if they are known without reading the tasks; None for all.

    Raises:
        VendorError: Page or page size are not valid.
    """
    shape = shape or call.action.shape
    if wanted is None and {name for name, _ in order} <= {stamp.name for stamp in shape.stamps}:
        return _answer_sorted(call, api, order, shape, complete)
    found = find_entries(call, api, wanted or _every, shape, complete, ids)
    for name, descending in reversed(order):
        found.sort(key=lambda pair: _sort_key(pair[1][name]), reverse=descending)
    return cut_page(call, found, partial(show_entries, call))


def _answer_sorted(
    call: Call, api: str, order: list[tuple[str, bool]], shape: TaskShape, complete: Complete
) -> JsonObject:
    """Return a page of all tasks. Only the entries on it are made, so that a list of thousands is answered in time."""
    found = [task for task in call.state.tasks.newest(api) if task.is_inside(call.parameters)]
    for name, descending in reversed(order):
        found.sort(key=lambda task: _sort_key(show_time(shape, task, call.now, name)), reverse=descending)

    def show(page: Sequence[Task]) -> list[JsonObject]:
        entries = [(task, show_task(shape, task, call.now, call.parameters)) for task in page]
        return show_entries(call, [(task, complete(call, task, entry)) for task, entry in entries])

    return cut_page(call, found, show)


def _every(_: JsonObject) -> bool:
    return True


def find_entries(
    call: Call,
    api: str,
    wanted: Test,
    shape: TaskShape | None = None,
    complete: Complete = _as_it_is,
    ids: Collection[str] | None = None,
) -> list[tuple[Task, JsonObject]]:
    """Return the listed tasks with their entries, newest first; the arguments are those of :func:`answer_list`."""
    entries = _entries(call, api, shape or call.action.shape, ids)
    completed = ((task, complete(call, task, entry)) for task, entry in entries)
    return [(task, entry) for task, entry in completed if wanted(entry)]


def show_entries(call: Call, found: Iterable[tuple[Task, JsonObject]]) -> list[JsonObject]:
    """Return the entries of tasks, and note that the call shows the tasks."""
    shown = []
    for task, entry in found:
        call.shows(task)
        shown.append(entry)
    return shown


def cut_page(call: Call, found: Sequence[Item], show: Callable[[Sequence[Item]], list[JsonObject]]) -> JsonObject:
    """Return the page that a request asks for.

    Args:
        call: The call.
        found: All items of the list, in order.
        show: Returns the entries of the items of a page.

    Raises:
        VendorError: Page or page size are not valid.
    """
    number, size = call.parameters.get("PageNumber", 1), call.parameters.get("PageSize", _DEFAULT_SIZE)
    if number < 1:
        raise invalid("PageNumber")
    if not 1 <= size <= _LARGEST_SIZE:
        raise invalid("PageSize")
    return {
        "Data": {
            "Items": show(found[(number - 1) * size : number * size]),
            "PageNumber": number,
            "PageSize": size,
            "TotalCount": len(found),
            "TotalPageNumber": -(-len(found) // size),
        }
    }


def parse_filters(
    filters: Iterable[Mapping[str, Any]], known: Mapping[str, str], keyword: tuple[str, str]
) -> Test | None:
    """Return the test that the parameter Filters of a list of runs describes; None without filters.

    An entry passes if every filter accepts it, by any of the filter's values.

    Args:
        filters: The filters.
        known: The field that each filter refers to, by the filter's name.
        keyword: The fields that Keyword refers to: a name that contains it, and an id that equals it.

    Raises:
        VendorError: There is no such filter.
    """
    tests = [_filter(one.get("Name", ""), one.get("Values", []), known, keyword) for one in filters]
    return (lambda entry: all(test(entry) for test in tests)) if tests else None


def named_ids(filters: Iterable[Mapping[str, Any]], name: str) -> list[str] | None:
    """Return the ids in the filter of a name, so that only these tasks are read; None without such a filter."""
    return next((one.get("Values", []) for one in filters if one.get("Name") == name), None)


def parse_order(fields: Iterable[Mapping[str, str]], known: Mapping[str, str]) -> list[tuple[str, bool]]:
    """Return the order that the parameter OrderFields of a list of runs describes: fields, and whether descending.

    Args:
        fields: The parameter.
        known: The field that each order refers to, by the order's name.

    Raises:
        VendorError: There is no such order or direction.
    """
    order = []
    for one in fields:
        if one["Name"] not in known or one["Direction"] not in ("ASC", "DESC"):
            raise invalid("OrderFields")
        order.append((known[one["Name"]], one["Direction"] == "DESC"))
    return order


def _entries(call: Call, api: str, shape: TaskShape, ids: Collection[str] | None) -> Iterable[tuple[Task, JsonObject]]:
    for task in call.state.tasks.newest(api):
        if ids is not None and task.id not in ids:
            continue
        if task.is_inside(call.parameters):
            yield task, show_task(shape, task, call.now, call.parameters)


def _filter(name: str, values: list[str], known: Mapping[str, str], keyword: tuple[str, str]) -> Test:
    if name in _TIME_FILTERS:
        # Undocumented: the format of the two times. The answers have Unix milliseconds.
        bounds = [_whole(value) for value in values]
        holds = _TIME_FILTERS[name]
        return lambda entry: all(holds(int(entry["ScheduleTime"]), bound) for bound in bounds)
    if name == "Keyword":
        in_name, as_id = keyword
        return lambda entry: any(value in str(entry[in_name]) or value == entry[as_id] for value in values)
    if name not in known:
        raise invalid("Filters")
    return lambda entry: entry[known[name]] in values


def _whole(text: str) -> int:
    if not text.isdecimal():
        raise invalid("Filters")
    return int(text)


def _sort_key(value: Any) -> tuple[bool, Any]:
    # Null sorts before every other value.
    return (value is not None, 0 if value is None else value)
