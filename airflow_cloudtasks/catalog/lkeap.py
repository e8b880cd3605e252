"""Tencent Cloud LKEAP (LLM Knowledge Engine Basic API).

A task parses a document into Markdown, or splits one into pieces for retrieval. LKEAP cannot cancel a task.
"""

from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.spec import Action, Service, Start, TaskApi

# Source, for this file: the definitions and examples of LKEAP 2024-05-22 that the vendor's tccli ships.
LKEAP = Service(
    cloud="tencent",
    name="lkeap",
    version="2024-05-22",
    title="LKEAP",
    console="https://console.cloud.tencent.com/lkeap",
    console_intl="https://console.tencentcloud.com/lkeap",
)

_STATES = {
    "WaitExecute": TaskState.PENDING,
    "Processing": TaskState.RUNNING,
    "Pause": TaskState.RUNNING,
    "Success": TaskState.SUCCEEDED,
    "Failed": TaskState.FAILED,
}

# The Error of a failed task has the form of a refused request's; only the answer about a task has a Status.
LKEAP_DOCUMENT_PARSE = TaskApi(
    name="lkeap.document_parse",
    service=LKEAP,
    read=Action(name="GetReconstructDocumentResult", params=("TaskId",), error_beside="Status"),
    states=_STATES,
    message="Error.Message",
    starts=(
        Start(
            action=Action(
                name="CreateReconstructDocumentFlow",
                params=("FileType",),
                optional=("FileUrl", "FileBase64", "FileStartPageNumber", "FileEndPageNumber", "Config"),
            ),
            id="TaskId",
            encodings={"FileStartPageNumber": "integer", "FileEndPageNumber": "integer", "Config": "object"},
        ),
    ),
)

LKEAP_DOCUMENT_SPLIT = TaskApi(
    name="lkeap.document_split",
    service=LKEAP,
    read=Action(name="GetSplitDocumentResult", params=("TaskId",), error_beside="Status"),
    states=_STATES,
    message="Error.Message",
    starts=(
        Start(
            action=Action(
                name="CreateSplitDocumentFlow",
                params=("FileType", "FileUrl"),
                optional=("FileName", "FileBase64", "FileStartPageNumber", "FileEndPageNumber", "Config"),
            ),
            id="TaskId",
            encodings={"FileStartPageNumber": "integer", "FileEndPageNumber": "integer", "Config": "object"},
        ),
    ),
)
