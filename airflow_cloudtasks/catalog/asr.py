"""Tencent Cloud ASR (Automatic Speech Recognition).

A recording is a file of speech that is turned into text. Its id is valid for 24 hours, and may be used again on another
day.
"""

from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.spec import Action, Service, Start, TaskApi

# Source, for this file: the definitions and examples of ASR 2019-06-14 that the vendor's tccli ships.
ASR = Service(
    cloud="tencent",
    name="asr",
    version="2019-06-14",
    title="ASR",
    console="https://console.cloud.tencent.com/asr",
    console_intl="https://console.tencentcloud.com/asr",
)

ASR_RECORDING = TaskApi(
    name="asr.recording",
    service=ASR,
    read=Action(
        name="DescribeTaskStatus",
        params=("TaskId",),
        template={"TaskId": "{TaskId:integer}"},
        requests_per_second=50,
    ),
    task="Data",
    status="StatusStr",
    states={
        "waiting": TaskState.PENDING,
        "doing": TaskState.RUNNING,
        "success": TaskState.SUCCEEDED,
        "failed": TaskState.FAILED,
    },
    id="TaskId",
    message="ErrorMsg",
    starts=(
        Start(
            action=Action(
                name="CreateRecTask",
                params=("EngineModelType", "ChannelNum", "ResTextFormat", "SourceType"),
                optional=(
                    "Data",
                    "DataLen",
                    "Url",
                    "CallbackUrl",
                    "SpeakerDiarization",
                    "SpeakerNumber",
                    "HotwordId",
                    "ReinforceHotword",
                    "CustomizationId",
                    "EmotionRecognition",
                    "EmotionalEnergy",
                    "ConvertNumMode",
                    "FilterDirty",
                    "FilterPunc",
                    "FilterModal",
                    "SentenceMaxLength",
                    "Extra",
                    "HotwordList",
                    "KeyWordLibIdList",
                    "ReplaceTextId",
                    "SpeakerRoles",
                ),
            ),
            id="Data.TaskId",
            encodings={
                "ChannelNum": "integer",
                "ResTextFormat": "integer",
                "SourceType": "integer",
                "DataLen": "integer",
                "SpeakerDiarization": "integer",
                "SpeakerNumber": "integer",
                "ReinforceHotword": "integer",
                "EmotionRecognition": "integer",
                "EmotionalEnergy": "integer",
                "ConvertNumMode": "integer",
                "FilterDirty": "integer",
                "FilterPunc": "integer",
                "FilterModal": "integer",
                "SentenceMaxLength": "integer",
                "KeyWordLibIdList": "list",
                "SpeakerRoles": "object",
            },
        ),
    ),
)
