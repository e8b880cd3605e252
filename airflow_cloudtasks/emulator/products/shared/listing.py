"""Actions that list tasks: by ids, page by page, or both. Newest tasks come first; few vendors document an order."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_cloudtasks.emulator.products.shared.answers import asked, put, show_task, show_time
from airflow_cloudtasks.emulator.products.shared.token_pages import cut_page
from airflow_cloudtasks.emulator.vendor.wire import VendorError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from airflow_cloudtasks.emulator.engine.tasks import Task
    from airflow_cloudtasks.emulator.engine.values import JsonObject
    from airflow_cloudtasks.emulator.vendor.contract import Call


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """The order of a list, as far as a request may choose it. Without a choice, newest tasks come first.

    Attributes:
        by: The path of the parameter with the field to sort by.
        times: The times in an entry that a request may sort by, by the parameter's words for them.
        direction: The path of the parameter with the direction; empty if it follows the field, after a blank.
        ascending: The word for the smallest first. Any other means the largest first.
    """

    by: tuple[str, ...]
    times: Mapping[str, str]
    direction: tuple[str, ...] = ()
    ascending: str = "asc"

    def asked(self, call: Call) -> tuple[str, bool] | None:
        """Return the time to sort by and whether the largest comes first; None for the usual order."""
        field, _, direction = str(_inside(call.parameters, self.by) or "").partition(" ")
        if self.direction:
            direction = str(_inside(call.parameters, self.direction) or "")
        if field not in self.times:
            return None
        return self.times[field], direction.lower() != self.ascending.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """How an action lists tasks. The action is declared with the shape of an entry.

    Attributes:
        api: The API that reads the tasks.
        at: The path of the list in the answer.
        ids: Where a request has the ids of the only tasks to list, as a path of
            :func:`~airflow_cloudtasks.emulator.products.shared.answers.asked`, or several, of which a request has one;
            empty for no such parameter.
        most_ids: How many ids a request may have; 0 for any number.
        size: The parameter with the size of a page.
        default_size: The size of a page without it.
        offset: The parameter with the number of entries to skip.
        number: The parameter with the page's number, from 1 on.
        total: The path of the number of all entries in the answer.
        token: The path of the next page's token in the answer. The parameter has the name of the last step.
        order: The order that a request may choose; None for the usual one.
        fields: Parameters that select tasks by the field of the same name. A task without the field has any value.
        example: The rest of the answer.
    """

    api: str
    at: tuple[str, ...]
    ids: str | tuple[str, ...] = ""
    most_ids: int = 0
    size: str = "Limit"
    default_size: int = 20
    offset: str = ""
    number: str = ""
    total: tuple[str, ...] = ()
    token: tuple[str, ...] = ()
    order: Order | None = None
    fields: tuple[str, ...] = ()
    example: JsonObject = field(default_factory=dict)

    def answer(self, call: Call) -> JsonObject:
        """Return a page of the list, or the tasks of the ids in the request as far as they exist.

        Raises:
            VendorError: The request has too many ids.
        """
        paths = (self.ids,) if isinstance(self.ids, str) else self.ids
        ids = [task_id for path in filter(None, paths) for task_id in asked(call.parameters, path)]
        if self.most_ids and len(ids) > self.most_ids:
            raise VendorError("InvalidParameter", f"The request has {len(ids)} ids; {self.most_ids} are allowed.", 200)
        size = int(call.parameters.get(self.size) or self.default_size)
        order = self.order.asked(call) if self.order and not ids else None
        by_token = bool(self.token) and not ids and order is None
        # A page by token needs the other tasks only to count them.
        needed = self.total or not by_token
        found = [task for task in self._found(call, ids) if self._lists(task, call)] if needed else []
        body: JsonObject = put(self.example, self.total, len(found)) if self.total else self.example
        if by_token:
            entries, token = cut_page(call, self.api, size, lambda entry: True, self.token[-1])
            return put(put(body, self.at, entries), self.token, token)
        if order is not None:
            name, largest_first = order
            times = {task.number: show_time(call.action.shape, task, call.now, name) for task in found}
            # A task without the time comes last, whatever the direction.
            timed = [task for task in found if times[task.number]]
            timed.sort(key=lambda task: times[task.number], reverse=largest_first)
            found = timed + [task for task in found if not times[task.number]]
        skipped = self._skipped(call, size)
        if order is not None and self.token:
            # Undocumented: the token of a page. Here it is the number of the entries before it.
            skipped = int(call.parameters.get(self.token[-1]) or 0)
            body = put(body, self.token, str(skipped + size) if skipped + size < len(found) else "")
        page = found[skipped : skipped + size]
        for task in page:
            call.shows(task)
        entries = [show_task(call.action.shape, task, call.now, call.parameters) for task in page]
        return put(body, self.at, entries)

    def _lists(self, task: Task, call: Call) -> bool:
        asked_for = {name: call.parameters[name] for name in self.fields if name in call.parameters}
        return task.is_inside(call.parameters) and all(
            str(task.fields.get(name, value)) == str(value) for name, value in asked_for.items()
        )

    def _found(self, call: Call, ids: list[str]) -> Iterator[Task]:
        if not ids:
            yield from call.state.tasks.newest(self.api)
        for task_id in ids:
            if (task := call.state.tasks.find(self.api, task_id, call.parameters)) is not None:
                yield task

    def _skipped(self, call: Call, size: int) -> int:
        if self.number:
            return (int(call.parameters.get(self.number) or 1) - 1) * size
        return int(call.parameters.get(self.offset) or 0) if self.offset else 0


def _inside(parameters: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    value: Any = parameters
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value
