"""How products reach the emulator: each in one file, found by itself, or served for one test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from vendor_clients import tencent

from airflow_cloudtasks.emulator import products
from airflow_cloudtasks.emulator.control.errors import BadInputError
from airflow_cloudtasks.emulator.engine.scripts import Step
from airflow_cloudtasks.emulator.products.discovery import find_actions
from airflow_cloudtasks.emulator.products.shared.product import Product
from airflow_cloudtasks.emulator.vendor.contract import TaskShape

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_cloudtasks.emulator import Emulator

NEW_PRODUCT = """
from airflow_cloudtasks.emulator.products.shared.product import Product

NEW = Product("tencent", "new", "2026-01-01", ("json",))
NEW.action("new.ping", "Ping", lambda call: {})
"""


def product() -> Product:
    mine = Product("tencent", "mine", "2026-01-01", ("json",))
    task = mine.reads(
        "mine.task",
        "DescribeTask",
        mine.required("TaskId"),
        TaskShape(
            task_at=("Data",),
            id_at="TaskId",
            status_at="State",
            unfinished=frozenset({"GOING"}),
            script=(Step("GOING", 2), Step("DONE")),
            canceled=Step("HALTED"),
            example={"Data": {"TaskId": "", "State": "GOING", "Name": ""}},
        ),
    )
    mine.starts(task, "CreateTask", mine.required("Name"), id_at=("Data", "TaskId"), shown=("Name",))
    mine.cancels(task, "StopTask", mine.required("TaskId"))
    return mine


def call(emulator: Emulator, action: str, **parameters: Any) -> Any:
    return tencent(emulator, "mine", "2026-01-01")(action, parameters)


def test_finds_the_product_of_a_new_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = find_actions()
    (tmp_path / "new_product.py").write_text(NEW_PRODUCT)
    monkeypatch.setattr(products, "__path__", [*products.__path__, str(tmp_path)])
    assert [action.api for action in find_actions() if action not in before] == ["new.ping"]


def test_finds_each_action_once() -> None:
    names = [(action.cloud, action.service, action.version, action.name) for action in find_actions()]
    assert len(names) == len(set(names))


def test_a_declared_product_starts_shows_and_cancels_tasks(cloudtasks_emulator: Emulator) -> None:
    cloudtasks_emulator.serve(product())
    first, second = (call(cloudtasks_emulator, "CreateTask", Name="mine")["Data"]["TaskId"] for _ in "12")
    assert call(cloudtasks_emulator, "DescribeTask", TaskId=first)["Data"] == {
        "TaskId": first,
        "State": "GOING",
        "Name": "mine",
    }
    assert call(cloudtasks_emulator, "StopTask", TaskId=second) == {}
    cloudtasks_emulator.advance(2)
    shown = [call(cloudtasks_emulator, "DescribeTask", TaskId=one)["Data"]["State"] for one in (first, second)]
    assert shown == ["DONE", "HALTED"]
    assert [one["id"] for one in cloudtasks_emulator.canceled("mine.task")] == [second]
    assert {one["api"] for one in cloudtasks_emulator.requests()} == {
        "mine.task",
        "mine.task_start",
        "mine.task_cancel",
    }


def test_a_declared_product_refuses_an_unknown_task(cloudtasks_emulator: Emulator) -> None:
    cloudtasks_emulator.serve(product())
    for action in ("DescribeTask", "StopTask"):
        with pytest.raises(TencentCloudSDKException, match="does not exist") as raised:
            call(cloudtasks_emulator, action, TaskId="none")
        assert raised.value.code == "ResourceNotFound"


def test_refuses_a_declaration_without_a_running_status() -> None:
    shape = TaskShape(task_at=(), id_at="TaskId", status_at="State", script=(Step("DONE"),), example={})
    with pytest.raises(
        ValueError, match=r"mine\.task: expected a script of a running status and a success, got 1 steps"
    ):
        product().reads("mine.task", "DescribeTask", (), shape)


def test_reset_withdraws_a_served_product(cloudtasks_emulator: Emulator) -> None:
    cloudtasks_emulator.serve(product())
    cloudtasks_emulator.add_running("mine.task", "t1")
    cloudtasks_emulator.reset()
    with pytest.raises(BadInputError, match="api: expected one of"):
        cloudtasks_emulator.add_running("mine.task", "t1")
    with pytest.raises(TencentCloudSDKException):
        call(cloudtasks_emulator, "DescribeTask", TaskId="t1")
