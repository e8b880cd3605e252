"""The folder tests/examples: what the vendor answers for a task of each API, and what this package makes of it.

``tests/examples/<api>/`` has ``answer.json``, an answer of the action that reads a task, in its envelope, and
``task.json``, the task that it is normalised to. More pairs have a name: ``answer_NAME.json``, ``task_NAME.json``.
Files for some APIs:

``statuses.json``: the state of each status, as the vendor documents it.
``success_statuses.json``: for an API that has no status of a success: those that may be one.
``failure.json``: for an API whose failed tasks have parts: the ``detail`` of a failed task, and the ``actions`` that
are called to explain it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.clouds.registry import CLOUDS
from airflow_cloudtasks.clouds.wire import ApiCall, Endpoint, HttpAnswer
from airflow_cloudtasks.spec import TaskApi

FOLDER = Path(__file__).parent / "examples"


@dataclass(frozen=True)
class Example:
    """An answer of an API, and the task in it."""

    api: TaskApi
    suffix: str = ""

    def __str__(self) -> str:
        return f"{self.api.name}{self.suffix}"

    @property
    def body(self) -> bytes:
        """The answer as it is sent, in its envelope."""
        return read(self.api, f"answer{self.suffix}.json", "an answer of the vendor, in its envelope")

    @property
    def content(self) -> Any:
        """The answer without its envelope."""
        call = ApiCall(self.api.service, self.api.read, Endpoint("https://example.test"), ())
        return CLOUDS[self.api.cloud].read(call, HttpAnswer(200, {}, self.body))

    @cached_property
    def task(self) -> dict[str, Any]:
        """The task that the answer is normalised to."""
        task: dict[str, Any] = json.loads(read(self.api, f"task{self.suffix}.json", "the task as CloudTask.as_dict()"))
        return task

    @property
    def parameters(self) -> dict[str, str]:
        """Parameters of the request. The id is the task's only where the answer does not have one."""
        task_id = "asked-for" if self.api.id else self.task["id"]
        return dict.fromkeys(self.api.read.params, "1") | {self.api.id_param: task_id}


def read(api: TaskApi, name: str, what: str) -> bytes:
    """Return the content of a file in an API's folder.

    Raises:
        AssertionError: There is no such file; the text says which file to write.
    """
    path = FOLDER / api.name / name
    if not path.is_file():
        raise AssertionError(f"{api.name} has no example: write tests/examples/{api.name}/{name}, {what}.")
    return path.read_bytes()


def examples_of(api: TaskApi) -> list[Example]:
    """The examples of an API, the one without a name first."""
    names = sorted(path.stem.removeprefix("answer") for path in (FOLDER / api.name).glob("answer_*.json"))
    return [Example(api, suffix) for suffix in ("", *names)]


EXAMPLES = [example for api in APIS.values() for example in examples_of(api)]


def facts(file: str) -> dict[str, Any]:
    """The content of a file that only some APIs have, by the API's name."""
    paths = {name: FOLDER / name / file for name in APIS}
    return {name: json.loads(path.read_bytes()) for name, path in paths.items() if path.is_file()}
