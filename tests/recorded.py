"""Reads what ``python -m airflow_cloudtasks record`` has written, so that a bug report becomes a test."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.clouds.registry import CLOUDS
from airflow_cloudtasks.clouds.wire import ApiCall, Endpoint, HttpAnswer
from airflow_cloudtasks.model import CloudTask
from airflow_cloudtasks.protocol.normalise import normalise
from airflow_cloudtasks.spec import TaskApi


@dataclass(frozen=True)
class Recorded:
    """A recording of one task."""

    api: TaskApi
    parameters: dict[str, Any]
    calls: list[dict[str, Any]]

    @classmethod
    def load(cls, path: Path) -> Recorded:
        written = json.loads(path.read_text("utf-8"))
        return cls(APIS[written["api"]], written["task"], written["calls"])

    def of(self, use: str) -> list[dict[str, Any]]:
        """The calls of a use: ``read``, ``list`` or ``explain``."""
        return [call for call in self.calls if call["use"] == use]

    @property
    def body(self) -> bytes:
        """The answer to the last read in its envelope, as tests/examples/<api>/answer.json has it."""
        return json.dumps(self.of("read")[-1]["answer"]).encode()

    @property
    def task(self) -> CloudTask:
        """The task that the read is normalised to."""
        call = ApiCall(self.api.service, self.api.read, Endpoint("https://example.test"), ())
        content = CLOUDS[self.api.cloud].read(call, HttpAnswer(200, {}, self.body))
        return normalise(self.api, content, parameters=self.parameters)
