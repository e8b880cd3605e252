"""Tencent Cloud Hunyuan.

An image job draws images from a text. Their addresses are valid for an hour.
"""

from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.spec import Action, Service, Start, TaskApi

# Source, for this file: the definitions and examples of Hunyuan 2023-09-01 that the vendor's tccli ships.
HUNYUAN = Service(
    cloud="tencent",
    name="hunyuan",
    version="2023-09-01",
    title="Hunyuan",
    console="https://console.cloud.tencent.com/hunyuan",
    console_intl="https://console.tencentcloud.com/hunyuan",
)

HUNYUAN_IMAGE_JOB = TaskApi(
    name="hunyuan.image_job",
    service=HUNYUAN,
    read=Action(name="QueryHunyuanImageJob", params=("JobId",)),
    id_param="JobId",
    status="JobStatusCode",
    states={"1": TaskState.PENDING, "2": TaskState.RUNNING, "4": TaskState.FAILED, "5": TaskState.SUCCEEDED},
    message="JobErrorMsg",
    starts=(
        Start(
            action=Action(
                name="SubmitHunyuanImageJob",
                params=("Prompt",),
                optional=(
                    "NegativePrompt",
                    "Style",
                    "Resolution",
                    "Num",
                    "Clarity",
                    "ContentImage",
                    "Revise",
                    "Seed",
                    "LogoAdd",
                    "LogoParam",
                ),
            ),
            id="JobId",
            encodings={
                "Num": "integer",
                "ContentImage": "object",
                "Revise": "integer",
                "Seed": "integer",
                "LogoAdd": "integer",
                "LogoParam": "object",
            },
        ),
    ),
)
