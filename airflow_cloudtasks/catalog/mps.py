"""Tencent Cloud MPS (Media Processing Service).

A task processes a video or an audio file: it transcodes, reviews, analyses or edits it. An aborted task is finished.
"""

from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.spec import Action, Cancel, Failure, Parts, Service, Start, TaskApi

# Source, for this file: the definitions and examples of MPS 2019-06-12 that the vendor's tccli ships.
MPS = Service(
    cloud="tencent",
    name="mps",
    version="2019-06-12",
    title="MPS",
    console="https://console.cloud.tencent.com/mps",
    console_intl="https://console.tencentcloud.com/mps",
)

# A task is finished whatever has happened to its parts, which are nested differently in each type of task: a part has a
# Status, or the whole has an ErrCode that is not 0.
_FAILURES = (
    Failure(path="*.ErrCode"),
    Failure(path="*.*.Status", values=("FAIL",)),
    Failure(path="*.*.*.Status", values=("FAIL",)),
    Failure(path="*.*.*.*.Status", values=("FAIL",)),
    Failure(path="*.*.*.*.*.Status", values=("FAIL",)),
)

MPS_TASK = TaskApi(
    name="mps.task",
    service=MPS,
    read=Action(name="DescribeTaskDetail", params=("TaskId",)),
    states={"WAITING": TaskState.PENDING, "PROCESSING": TaskState.RUNNING, "FINISH": TaskState.SUCCEEDED},
    failures=_FAILURES,
    created_at="CreateTime",
    started_at="BeginProcessTime",
    finished_at="FinishTime",
    starts=(
        Start(
            action=Action(
                name="ProcessMedia",
                params=("InputInfo",),
                optional=(
                    "OutputStorage",
                    "OutputDir",
                    "ScheduleId",
                    "MediaProcessTask",
                    "AiContentReviewTask",
                    "AiAnalysisTask",
                    "AiRecognitionTask",
                    "AiQualityControlTask",
                    "SmartSubtitlesTask",
                    "SmartEraseTask",
                    "AIDubbingTask",
                    "TaskNotifyConfig",
                    "TasksPriority",
                    "SessionId",
                    "SessionContext",
                    "TaskType",
                    "ResourceId",
                    "Activities",
                    "SkipMateData",
                ),
            ),
            id="TaskId",
            encodings={
                "InputInfo": "object",
                "OutputStorage": "object",
                "ScheduleId": "integer",
                "MediaProcessTask": "object",
                "AiContentReviewTask": "object",
                "AiAnalysisTask": "object",
                "AiRecognitionTask": "object",
                "AiQualityControlTask": "object",
                "SmartSubtitlesTask": "object",
                "SmartEraseTask": "object",
                "AIDubbingTask": "object",
                "TaskNotifyConfig": "object",
                "TasksPriority": "integer",
                "Activities": "object",
                "SkipMateData": "integer",
            },
        ),
    ),
    cancel=Cancel(
        action=Action(
            name="ManageTask",
            params=("TaskId",),
            template={"OperationType": "Abort"},
        ),
    ),
    parts=Parts(at="*.*.*", failed=("FAIL",), message=("Message", "ErrCodeExt")),
)
