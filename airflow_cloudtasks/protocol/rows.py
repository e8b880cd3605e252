"""Read the rows of a task that has succeeded. Pure: the caller sends the requests."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from airflow_cloudtasks.errors import InvalidArguments, MalformedAnswer, NotFound, TransientError
from airflow_cloudtasks.model import CloudTask, TaskState
from airflow_cloudtasks.spec import Results, TaskApi
from airflow_cloudtasks.values import at, embedded_json, fold, plain, request_id, text

MOST_CHARACTERS = 10_000_000
"""The most characters of JSON that the rows of one task have. It is about what WeData returns at most."""


class RowReading:
    """One pass over the rows of a task, from their first page to their last.

    Reading stops as soon as there are more rows than the result may hold.

    Args:
        api: The API of the task.
        task: The task. It has succeeded.
        parameters: The parameters of the request that read it.
        most: The most rows that the result may hold.

    Attributes:
        request: The parameters of the next request; None after the last one.

    Raises:
        InvalidArguments: Tasks of the API have no rows.
        MalformedAnswer: As for :meth:`take`, if the task object holds the rows.
    """

    def __init__(self, api: TaskApi, task: CloudTask, parameters: Mapping[str, Any], most: int) -> None:
        self._api, self._results, self._most = api, results_of(api), most
        self._columns: list[str] = []
        self._rows: list[list[Any]] = []
        self._count = 0
        self._characters = 0
        self.request: dict[str, Any] | None = None
        if self._results.action is None:
            self._take(task.detail)
        else:
            accepted = self._results.action.accepted
            self.request = {name: value for name, value in parameters.items() if name in accepted}
            self.request[self._results.page_size_param or ""] = min(self._results.page_size, most + 1)

    def take(self, answer: Any) -> None:
        """Take the answer to ``request``, and advance to the next page.

        Args:
            answer: The answer without its envelope.

        Raises:
            NotFound: The vendor holds no result of the task, or no longer.
            TransientError: The vendor does not show the success in this answer yet.
            MalformedAnswer: The answer holds no rows that can be read, or its pages do not end.
        """
        asked, self.request = self.request or {}, None
        rows = self._take(answer)
        param = self._results.page_param or ""
        token = text(at(answer, self._results.next_page or ""))
        if token is None or self.is_too_large:
            return
        if not rows or token == asked.get(param):
            raise self._malformed(self._results.next_page or "", "names a page after one without new rows", answer)
        self.request = {**asked, param: token}

    @property
    def is_too_large(self) -> bool:
        """Whether there are more rows than the result may hold."""
        return self._count > self._most or self._characters > MOST_CHARACTERS

    @property
    def rows(self) -> list[dict[str, Any]] | None:
        """The rows, each a dict by column; None if they are too many or too large."""
        if self.is_too_large:
            return None
        return [dict(zip(self._columns, row, strict=False)) for row in self._rows]

    def _take(self, answer: Any) -> int:
        """Take the results of each statement, and return the number of their rows."""
        holder = at(answer, self._results.at)
        if not isinstance(holder, Mapping | list) and self._results.action is not None:
            raise NotFound(
                f"{self._api.service.product} holds no result of the task, or no longer",
                code="NoResult",
                action=self._results.action.name,
                request_id=request_id(answer),
            )
        self._check_status(holder, answer)
        before, last = self._count, None
        for result in holder if isinstance(holder, list) else [holder]:
            columns, rows = self._columns_of(result) or self._columns, self._rows_of(result, answer)
            self._count += len(rows)
            if columns:
                last = columns, rows
            elif rows and self._results.action is not None:
                raise self._malformed(self._results.columns, "holds no columns of its rows", answer)
        if last is not None:
            self._columns, rows = last
            self._characters += sum(len(str(value)) for row in rows for value in row)
            self._rows += rows
        return self._count - before

    def _check_status(self, holder: Any, answer: Any) -> None:
        if self._results.status is None:
            return
        status = text(at(holder, self._results.status)) or ""
        if self._api.folded_states.get(fold(status)) is not TaskState.SUCCEEDED:
            raise TransientError(
                f"the answer with the rows does not show a success yet: {self._results.status} is {status or 'null'}",
                code="ResultNotReady",
                action=self._results.action.name if self._results.action else "",
                request_id=request_id(answer),
            )

    def _columns_of(self, result: Any) -> list[str]:
        """Return the names of the columns; one that is taken gets a number, e.g. ``total_2``."""
        names: list[str] = []
        for column in _objects(at(result, self._results.columns)):
            name = base = str(at(column, self._results.column_name))
            number = 1
            while name in names:
                number += 1
                name = f"{base}_{number}"
            names.append(name)
        return names

    def _rows_of(self, result: Any, answer: Any) -> list[list[Any]]:
        found = next((value for path in self._results.rows if (value := at(result, path)) not in (None, "")), None)
        rows = _decoded(found) if isinstance(found, str) else found
        if rows is None:
            return []
        if not isinstance(rows, list):
            if self._results.action is None:  # a detail holds what it holds
                return []
            raise self._malformed(self._results.rows[0], "holds no list of rows", answer)
        if self._results.values:
            return [_items(at(row, self._results.values)) for row in _objects(rows)]
        lists: list[list[Any]] = plain([row for row in rows if isinstance(row, list)])
        return lists

    def _malformed(self, field: str, problem: str, answer: Any) -> MalformedAnswer:
        path = ".".join(filter(None, (self._results.at, field)))
        return MalformedAnswer(
            f"{self._api.name}: {field} {problem}",
            api=self._api.name,
            field=path,
            action=self._results.action.name if self._results.action else "",
            request_id=request_id(answer),
        )


def results_of(api: TaskApi) -> Results:
    """Return where the rows of an API's tasks are.

    Args:
        api: The API.

    Raises:
        InvalidArguments: Its tasks have no rows.
    """
    if api.results is None:
        raise InvalidArguments(f"{api.name} returns no rows: omit max_rows.")
    return api.results


def without_rows(api: TaskApi, detail: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of a task object without its rows, if it holds any.

    Args:
        api: The API of the task.
        detail: The task object.
    """
    results = api.results
    if results is None or results.action is not None:
        return dict(detail)
    empty: dict[str, Any] = {path: [] for path in results.rows}
    emptied = [{**result, **empty} for result in _objects(at(detail, results.at))]
    return {**detail, results.at: emptied}


def _decoded(written: str) -> Any:
    """Decode JSON, perhaps in Base64; None for text that is neither."""
    decoded = embedded_json(written)
    if isinstance(decoded, list):
        return decoded
    try:
        return embedded_json(base64.b64decode(written, validate=True).decode())
    except ValueError:
        return written


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in _items(value) if isinstance(item, Mapping)]


def _items(value: Any) -> list[Any]:
    """Return a list as it is; an empty one for anything else."""
    return value if isinstance(value, list) else []
