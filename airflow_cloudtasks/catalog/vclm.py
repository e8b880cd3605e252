"""Tencent Cloud VCLM (Video Creation Large Model).

A job makes a video from a text. Its address is valid for 24 hours.
"""

from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.spec import Action, Service, Start, TaskApi

# Source, for this file: the definitions and examples of VCLM 2024-05-23 that the vendor's tccli ships.
VCLM = Service(
    cloud="tencent",
    name="vclm",
    version="2024-05-23",
    title="VCLM",
    console="https://console.cloud.tencent.com/vclm",
    console_intl="https://console.tencentcloud.com/vclm",
)

VCLM_JOB = TaskApi(
    name="vclm.job",
    service=VCLM,
    read=Action(name="DescribeTextToVideoJob", params=("JobId",)),
    id_param="JobId",
    status="Status",
    states={"WAIT": TaskState.PENDING, "RUN": TaskState.RUNNING, "DONE": TaskState.SUCCEEDED, "FAIL": TaskState.FAILED},
    message="ErrorMessage",
    starts=(
        Start(
            action=Action(
                name="SubmitTextToVideoJob",
                params=(),
                optional=(
                    "Prompt",
                    "Model",
                    "NegativePrompt",
                    "Duration",
                    "Mode",
                    "CfgScale",
                    "AspectRatio",
                    "Sound",
                    "LogoAdd",
                    "LogoParam",
                    "MultiShot",
                    "ShotType",
                    "MultiPrompt",
                    "CameraControl",
                    "CallbackUrl",
                    "ExternalTaskId",
                ),
            ),
            id="JobId",
            encodings={
                "CfgScale": "number",
                "LogoAdd": "integer",
                "LogoParam": "object",
                "MultiShot": "boolean",
                "MultiPrompt": "object",
                "CameraControl": "object",
            },
        ),
    ),
)
