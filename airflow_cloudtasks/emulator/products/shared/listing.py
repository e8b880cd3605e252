"""Actions that list tasks: by ids, page by page, or both. Newest tasks come first; few vendors document an order."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from airflow_cloudtasks.emulator.products.shared.answers import asked, put, show_task
from airflow_cloudtasks.emulator.products.shared.token_pages import cut_page
from airflow_cloudtasks.emulator.vendor.wire import VendorError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_cloudtasks.emulator.engine.tasks import Task
    from airflow_cloudtasks.emulator.engine.values import JsonObject
    from airflow_cloudtasks.emulator.vendor.contract import Call


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
        by_token = bool(self.token) and not ids
        # A page by token needs the other tasks only to count them.
        needed = self.total or not by_token
        found = [task for task in self._found(call, ids) if self._lists(task, call)] if needed else []
        body: JsonObject = put(self.example, self.total, len(found)) if self.total else self.example
        if by_token:
            entries, token = cut_page(call, self.api, size, lambda entry: True, self.token[-1])
            return put(put(body, self.at, entries), self.token, token)
        skipped = self._skipped(call, size)
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
