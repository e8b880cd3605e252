"""Tencent Cloud AI3D (Hunyuan 3D).

A job makes a three-dimensional model from a text or from images.
"""

from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.spec import Action, Service, Start, TaskApi

# Source, for this file: the definitions and examples of AI3D 2025-05-13 that the vendor's tccli ships.
AI3D = Service(
    cloud="tencent",
    name="ai3d",
    version="2025-05-13",
    title="AI3D",
    console="https://console.cloud.tencent.com/ai3d",
    console_intl="https://console.tencentcloud.com/ai3d",
)

AI3D_JOB = TaskApi(
    name="ai3d.job",
    service=AI3D,
    read=Action(name="QueryHunyuanTo3DProJob", params=("JobId",)),
    id_param="JobId",
    status="Status",
    states={"WAIT": TaskState.PENDING, "RUN": TaskState.RUNNING, "DONE": TaskState.SUCCEEDED, "FAIL": TaskState.FAILED},
    message="ErrorMessage",
    starts=(
        Start(
            action=Action(
                name="SubmitHunyuanTo3DProJob",
                params=(),
                optional=(
                    "Model",
                    "Prompt",
                    "ImageBase64",
                    "ImageUrl",
                    "MultiViewImages",
                    "EnablePBR",
                    "FaceCount",
                    "GenerateType",
                    "PolygonType",
                    "ResultFormat",
                ),
            ),
            id="JobId",
            encodings={"MultiViewImages": "object", "EnablePBR": "boolean", "FaceCount": "integer"},
        ),
    ),
)
