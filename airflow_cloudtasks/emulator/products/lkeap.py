"""LKEAP's documents, parsed or split: read and started.

Source: the definitions and examples of LKEAP 2024-05-22 that tccli ships. Only a failed task has an Error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_cloudtasks.emulator.engine.scripts import Step
from airflow_cloudtasks.emulator.products.shared.answers import answer_task
from airflow_cloudtasks.emulator.products.shared.product import DEFINED, Product
from airflow_cloudtasks.emulator.vendor.contract import TaskShape

if TYPE_CHECKING:
    from airflow_cloudtasks.emulator.engine.values import JsonObject
    from airflow_cloudtasks.emulator.vendor.contract import Call

LKEAP = Product("tencent", "lkeap", "2024-05-22", ("json", "query"), needs_region=True)

_FAILED = {"Error": {"Code": "InvalidParameter.FileURLInvalid", "Message": "url download failed"}}
_SHAPE = TaskShape(
    task_at=(),
    id_at="",
    asked_by="TaskId",
    status_at="Status",
    unfinished=frozenset({"WaitExecute", "Processing", "Pause"}),
    waiting=frozenset({"WaitExecute"}),
    script=(Step("WaitExecute", 1), Step("Processing", 2), Step("Success")),
    failed=Step("Failed", fields=_FAILED),
    example={"Status": "WaitExecute", "FailedPages": []},
)


def _result(call: Call) -> JsonObject:
    shown = answer_task(call)
    return shown if shown["Error"]["Code"] else {name: shown[name] for name in shown if name != "Error"}


PARSE = LKEAP.reads("lkeap.document_parse", "GetReconstructDocumentResult", DEFINED, _SHAPE, answer=_result)
SPLIT = LKEAP.reads("lkeap.document_split", "GetSplitDocumentResult", DEFINED, _SHAPE, answer=_result)
LKEAP.starts(PARSE, "CreateReconstructDocumentFlow", DEFINED, ("TaskId",))
LKEAP.starts(SPLIT, "CreateSplitDocumentFlow", DEFINED, ("TaskId",))
