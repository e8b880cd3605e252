"""LKE's changes and exports of labels, started with Tencent Cloud's own clients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from vendor_clients import tccli, tencent

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_cloudtasks.emulator import Emulator

MODIFY = {"BotBizId": "b1", "AttributeBizId": "208", "AttrName": "colour", "Labels": [{"LabelName": "red"}]}


def call(emulator: Emulator, action: str, **parameters: Any) -> Any:
    return tencent(emulator, "lke", "2023-11-30")(action, {"BotBizId": "b1", **parameters})


def status(emulator: Emulator, task_id: str, kind: str = "ExportAttributeLabel") -> Any:
    return call(emulator, "GetTaskStatus", TaskId=task_id, TaskType=kind)


def test_an_export_shows_its_path_once_it_has_succeeded(cloudtasks_emulator: Emulator) -> None:
    task_id, seen = call(cloudtasks_emulator, "ExportAttributeLabel", Filters={"Query": "c"})["TaskId"], []
    for _ in range(3):
        shown = status(cloudtasks_emulator, task_id)
        seen.append((shown["Status"], bool(shown["Params"]["CosPath"])))
        cloudtasks_emulator.advance(1.5)
    assert seen == [("PENDING", False), ("RUNNING", False), ("SUCCESS", True)]
    (entry,) = cloudtasks_emulator.started("lke.task")
    assert (entry["id"], entry["action"]) == (task_id, "ExportAttributeLabel")


def test_an_export_shows_a_planned_path(cloudtasks_emulator: Emulator) -> None:
    step = {"status": "SUCCESS", "fields": {"Params": {"CosPath": "/mine"}}}
    cloudtasks_emulator.next_script("lke.task", step)
    task_id = call(cloudtasks_emulator, "ExportAttributeLabel")["TaskId"]
    assert status(cloudtasks_emulator, task_id)["Params"] == {"CosPath": "/mine"}


def test_a_change_starts_a_task_of_its_own_type(cloudtasks_emulator: Emulator) -> None:
    cloudtasks_emulator.next_script("lke.task", "SUCCESS")
    made = call(cloudtasks_emulator, "ModifyAttributeLabel", **MODIFY)
    assert (made["Labels"][0]["LabelName"], bool(made["Labels"][0]["LabelBizId"])) == ("red", True)
    shown = status(cloudtasks_emulator, made["TaskId"], "ModifyAttributeLabel")
    assert (shown["Status"], shown["Params"]["CosPath"]) == ("SUCCESS", "")
    with pytest.raises(TencentCloudSDKException, match="does not exist"):
        status(cloudtasks_emulator, made["TaskId"])
    assert cloudtasks_emulator.started()[0]["parameters"] == MODIFY


def test_tccli_starts_an_export(cloudtasks_emulator: Emulator, tmp_path: Path) -> None:
    # Starting tccli takes seconds: the default script would have gone on by then.
    cloudtasks_emulator.next_script("lke.task", "PENDING")
    asked = ("lke", "ExportAttributeLabel", "--version", "2023-11-30", "--BotBizId", "b1")
    answer = tccli(cloudtasks_emulator, tmp_path, asked)
    assert status(cloudtasks_emulator, answer["TaskId"])["Status"] == "PENDING"
