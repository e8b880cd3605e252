"""The vendors' own clients against the emulator, which prove that it implements the real protocols."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from alibabacloud_bdrc20230808.client import Client as BdrcClient
from alibabacloud_bpstudio20210931.client import Client as BpStudioClient
from alibabacloud_bpstudio20210931.models import GetTaskRequest
from alibabacloud_ice20201109.client import Client as IceClient
from alibabacloud_ice20201109.models import GetWorkflowTaskRequest
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from vendor_clients import alibaba_config, tccli

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from alibabacloud_tea_openapi.models import Config

    from airflow_cloudtasks.emulator import Emulator

WEDATA = ("wedata", "GetTask", "--version", "2025-08-06", "--ProjectId", "p1", "--TaskId", "t1")
LKE = (
    *("lke", "GetTaskStatus", "--version", "2023-11-30"),
    *("--TaskId", "8", "--TaskType", "ExportAttributeLabel", "--BotBizId", "b1"),
)


def test_tccli_is_a_program(cloudtasks_emulator: Emulator, tmp_path: Path) -> None:
    cloudtasks_emulator.add_task("lke.task", "8", "SUCCESS")
    start = "import sys; from tccli.main import main; sys.exit(main())"
    credentials = ("--secretId", "emulator-id", "--secretKey", "emulator-secret", "--region", "ap-guangzhou")
    ended = subprocess.run(
        [sys.executable, "-c", start, *LKE, *credentials, "--endpoint", cloudtasks_emulator.url],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    task = json.loads(ended.stdout)
    assert (task["TaskId"], task["TaskType"], task["Status"]) == ("8", "ExportAttributeLabel", "SUCCESS")


def test_tccli_reads_a_wedata_task(cloudtasks_emulator: Emulator, tmp_path: Path) -> None:
    cloudtasks_emulator.add_task("wedata.task", "t1", "Y", fields={"ProjectId": "p1"})
    task = tccli(cloudtasks_emulator, tmp_path, WEDATA)["Data"]
    assert (task["TaskBaseAttribute"]["TaskId"], task["TaskBaseAttribute"]["Status"]) == ("t1", "Y")
    assert task["TaskSchedulerConfiguration"]["CycleType"] == "DAY_CYCLE"


@pytest.mark.parametrize("arguments", [WEDATA, LKE], ids=["wedata", "lke"])
def test_refuses_tccli_with_a_wrong_secret(
    cloudtasks_emulator: Emulator, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    with pytest.raises(TencentCloudSDKException) as raised:
        tccli(cloudtasks_emulator, tmp_path, arguments, secret="wrong")
    assert raised.value.get_code() == "AuthFailure.SignatureFailure"
    assert [entry["outcome"] for entry in cloudtasks_emulator.requests()] == ["AuthFailure.SignatureFailure"]


def ice_sync(config: Config, task_id: str) -> Any:
    return IceClient(config).get_workflow_task(GetWorkflowTaskRequest(task_id=task_id))


def ice_async(config: Config, task_id: str) -> Any:
    return asyncio.run(IceClient(config).get_workflow_task_async(GetWorkflowTaskRequest(task_id=task_id)))


def bdrc_sync(config: Config, task_id: str) -> Any:
    return BdrcClient(config).describe_task(task_id)


def bdrc_async(config: Config, task_id: str) -> Any:
    return asyncio.run(BdrcClient(config).describe_task_async(task_id))


def bpstudio_sync(config: Config, task_id: str) -> Any:
    return BpStudioClient(config).get_task(GetTaskRequest(task_id=task_id))


def bpstudio_async(config: Config, task_id: str) -> Any:
    return asyncio.run(BpStudioClient(config).get_task_async(GetTaskRequest(task_id=task_id)))


ALIBABA = [
    pytest.param(ice_sync, "ice.workflow_task", "t1", "Succeed", ("WorkflowTask", "Status"), id="ice-sync"),
    pytest.param(ice_async, "ice.workflow_task", "t1", "Succeed", ("WorkflowTask", "Status"), id="ice-async"),
    pytest.param(bdrc_sync, "bdrc.task", "t-1", "COMPLETE", ("Data", "TaskStatus"), id="bdrc-sync"),
    pytest.param(bdrc_async, "bdrc.task", "t-1", "COMPLETE", ("Data", "TaskStatus"), id="bdrc-async"),
    # An id that must be percent-encoded in the path, and signed in that form.
    pytest.param(bdrc_sync, "bdrc.task", "t/1 ü*~", "COMPLETE", ("Data", "TaskStatus"), id="bdrc-odd-id"),
    pytest.param(bpstudio_sync, "bpstudio.task", "2615", "FINISH ", ("Data", "Status"), id="bpstudio-sync"),
    pytest.param(bpstudio_async, "bpstudio.task", "2615", "FINISH ", ("Data", "Status"), id="bpstudio-async"),
]


@pytest.mark.parametrize(("read", "api", "task_id", "status", "at"), ALIBABA)
def test_alibabas_sdk_reads_a_task(
    cloudtasks_emulator: Emulator,
    read: Callable[[Config, str], Any],
    api: str,
    task_id: str,
    status: str,
    at: tuple[str, str],
) -> None:
    cloudtasks_emulator.add_task(api, task_id, status)
    body = read(alibaba_config(cloudtasks_emulator), task_id).body.to_map()
    assert body[at[0]][at[1]] == status
    assert body["RequestId"]
    (entry,) = cloudtasks_emulator.requests()
    assert (entry["api"], entry["parameters"], entry["outcome"]) == (api, {"TaskId": task_id}, "ok")


@pytest.mark.parametrize(("read", "api", "task_id", "status", "at"), ALIBABA)
def test_refuses_alibabas_sdk_with_a_wrong_secret(
    cloudtasks_emulator: Emulator,
    read: Callable[[Config, str], Any],
    api: str,
    task_id: str,
    status: str,
    at: tuple[str, str],
) -> None:
    cloudtasks_emulator.add_task(api, task_id, status)
    # The clients of the two SDK generations raise unrelated classes, but each has the vendor's code.
    with pytest.raises(Exception, match="signature does not match") as raised:
        read(alibaba_config(cloudtasks_emulator, secret="wrong"), task_id)
    assert raised.value.code == "SignatureDoesNotMatch"


def test_alibabas_sdk_parses_a_refusal(cloudtasks_emulator: Emulator) -> None:
    with pytest.raises(Exception, match="does not exist") as raised:
        ice_sync(alibaba_config(cloudtasks_emulator), "none")
    assert raised.value.code == "InvalidTaskId.NotFound"
    assert raised.value.status_code == 404
