"""WeData's lists: filtered, put in order, and cut into pages by their number.

Source: the definitions of WeData 2025-08-06 that tccli ships. Bounds of a page (1 to 100, 10 unless asked) are
documented for ListTaskInstances; the other lists are held to the same. How a bad parameter is refused is not
documented: InvalidParameter is Tencent Cloud's common code.
"""

from __future__ import annotations

import operator
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from airflow_cloudtasks.emulator.engine.scripts import position
from airflow_cloudtasks.emulator.products.shared.answers import shape_of, show_task
from airflow_cloudtasks.emulator.products.wedata.contract import JSON, optional
from airflow_cloudtasks.emulator.vendor.contract import Parameter
from airflow_cloudtasks.emulator.vendor.wire import VendorError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from airflow_cloudtasks.emulator.engine.tasks import Task
    from airflow_cloudtasks.emulator.engine.values import JsonObject
    from airflow_cloudtasks.emulator.vendor.contract import Call, TaskShape

    Test = Callable[[JsonObject], bool]

Entry = TypeVar("Entry")

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
    members=(Parameter("Name", JSON), Parameter("Direction", JSON)),
)
PAGE = (
    Parameter("PageNumber", JSON, required=False, type="integer"),
    Parameter("PageSize", JSON, required=False, type="integer"),
)


def answer_list(
    call: Call,
    api: str,
    wanted: Test,
    order: list[tuple[str, bool]],
    shape: TaskShape | None = None,
    complete: Callable[[Call, Task, JsonObject], JsonObject] = lambda call, task, entry: entry,
    ids: Collection[str] | None = None,
) -> JsonObject:
    """Answer a list. Without an order the newest come first.

    Args:
        call: The call, of an action that declares the shape of an entry.
        api: The API whose tasks are listed.
        wanted: Tells whether an entry is listed.
        order: Names of an entry's fields to sort by, each with whether it goes down; the first counts most.
        shape: The shape of an entry; None for the action's own.
        complete: Adds to an entry what its shape cannot tell.
        ids: The only tasks that can be wanted, where that is known without a look at them; None for all.

    Returns:
        The page, without RequestId.

    Raises:
        VendorError: Page or page size make no sense.
    """
    found = find_entries(call, api, wanted, shape, complete, ids)
    for name, descending in reversed(order):
        found.sort(key=lambda pair: _sort_key(pair[1][name]), reverse=descending)
    return cut_page(call, found, partial(show_entries, call))


def find_entries(
    call: Call,
    api: str,
    wanted: Test,
    shape: TaskShape | None = None,
    complete: Callable[[Call, Task, JsonObject], JsonObject] = lambda call, task, entry: entry,
    ids: Collection[str] | None = None,
) -> list[tuple[Task, JsonObject]]:
    """Find what a list lists.

    Args:
        call: The call, of an action that declares the shape of an entry.
        api: The API whose tasks are listed.
        wanted: Tells whether an entry is listed.
        shape: The shape of an entry; None for the action's own.
        complete: Adds to an entry what its shape cannot tell.
        ids: The only tasks that can be wanted, where that is known without a look at them; None for all.

    Returns:
        The tasks with their entries, the newest first.
    """
    entries = _entries(call, api, shape or shape_of(call.action), ids)
    completed = ((task, complete(call, task, entry)) for task, entry in entries)
    return [(task, entry) for task, entry in completed if wanted(entry)]


def show_entries(call: Call, found: Iterable[tuple[Task, JsonObject]]) -> list[JsonObject]:
    """Show entries of a list, and say so.

    Args:
        call: The call.
        found: Tasks with their entries.

    Returns:
        The entries.
    """
    shown = []
    for task, entry in found:
        call.shows(task, position(task.script, task.created_at, call.now))
        shown.append(entry)
    return shown


def cut_page(call: Call, found: Sequence[Entry], show: Callable[[Sequence[Entry]], list[JsonObject]]) -> JsonObject:
    """Answer with the page that a request asks for.

    Args:
        call: The call.
        found: All that the list has, in order.
        show: Turns those of the page into what the answer shows.

    Returns:
        The page, without RequestId.

    Raises:
        VendorError: Page or page size make no sense.
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


def passes(filters: Iterable[Mapping[str, Any]], known: Mapping[str, str], keyword: tuple[str, str]) -> Test:
    """Read the parameter Filters of a list of runs.

    Args:
        filters: The filters; all must let an entry pass, each by any one of its values.
        known: By the name of a filter, the field of an entry that it is held against.
        keyword: The fields of an entry that Keyword is held against: a name to find it in, and an id to equal.

    Returns:
        What tells whether an entry passes.

    Raises:
        VendorError: There is no such filter.
    """
    tests = [_filter(one.get("Name", ""), one.get("Values", []), known, keyword) for one in filters]
    return lambda entry: all(test(entry) for test in tests)


def named_ids(filters: Iterable[Mapping[str, Any]], name: str) -> list[str] | None:
    """Tell which tasks a filter by id names, so that a few are found fast among many.

    Args:
        filters: The filters.
        name: The name of the filter by id.

    Returns:
        The ids; None where there is no such filter.
    """
    return next((one.get("Values", []) for one in filters if one.get("Name") == name), None)


def read_order(fields: Iterable[Mapping[str, str]], known: Mapping[str, str]) -> list[tuple[str, bool]]:
    """Read the parameter OrderFields of a list of runs.

    Args:
        fields: What to sort by.
        known: By the name of an order, the field of an entry that it means.

    Returns:
        Fields of an entry, each with whether it goes down.

    Raises:
        VendorError: There is no such order or direction.
    """
    order = []
    for one in fields:
        if one["Name"] not in known or one["Direction"] not in ("ASC", "DESC"):
            raise invalid("OrderFields")
        order.append((known[one["Name"]], one["Direction"] == "DESC"))
    return order


def invalid(name: str) -> VendorError:
    """Refuse a parameter.

    Args:
        name: Its name.

    Returns:
        The refusal.
    """
    return VendorError("InvalidParameter", f"The value of the parameter `{name}` is not valid.")


def _entries(call: Call, api: str, shape: TaskShape, ids: Collection[str] | None) -> Iterable[tuple[Task, JsonObject]]:
    for task in call.state.tasks.newest(api):
        if ids is not None and task.id not in ids:
            continue
        if task.is_inside(call.parameters):
            yield task, show_task(shape, task, position(task.script, task.created_at, call.now), call.parameters)


def _filter(name: str, values: list[str], known: Mapping[str, str], keyword: tuple[str, str]) -> Test:
    if name in _TIME_FILTERS:
        # The format of the two times is not documented; the answers have Unix milliseconds.
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
    # What is null comes before what is not.
    return (value is not None, 0 if value is None else value)
