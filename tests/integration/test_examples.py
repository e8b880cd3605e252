"""The example DAGs do what they say, in real Airflow against the emulator."""

from __future__ import annotations

import pytest
from running import returned, run_dag

from airflow_cloudtasks.emulator import Emulator

SOON = 0.5


@pytest.fixture
def cloud(airflow_home, emulator: Emulator) -> Emulator:
    emulator.reset()
    return emulator


def test_bpstudio_example_waits_for_the_task(cloud: Emulator) -> None:
    cloud.add_task("bpstudio.task", "2615", script=[("FINISH ", None)], fields={"ErrorMessage": ""})
    assert run_dag("bpstudio_task") == {"wait_for_task": "success"}


def test_bdrc_example_passes_on_the_decoded_detail(cloud: Emulator) -> None:
    cloud.add_task(
        "bdrc.task",
        "t-1",
        script=[("COMPLETE", None)],
        fields={"TaskDetail": '{"resourceTypes": ["ACS::OSS::Bucket"]}'},
    )
    assert run_dag("bdrc_task", {"task_id": "t-1"}) == {"wait_for_update": "success", "checked_resources": "success"}
    assert returned("bdrc_task")["checked_resources"] == ["ACS::OSS::Bucket"]


def test_ice_example_maps_one_sensor_over_the_ids(cloud: Emulator) -> None:
    for number in range(3):
        cloud.add_finished("ice.workflow_task", f"w{number}")
    states = run_dag("ice_workflow_task", {"task_ids": ["w0", "w1", "w2"]})
    assert states == {"submitted": "success", **{f"wait_for_workflow[{n}]": "success" for n in range(3)}}
    assert [returned("ice_workflow_task")[f"wait_for_workflow[{n}]"]["id"] for n in range(3)] == ["w0", "w1", "w2"]


def test_wedata_example_renders_the_project_and_the_task(cloud: Emulator) -> None:
    cloud.add_finished("wedata.task", "42", fields={"ProjectId": "7"})
    assert run_dag("wedata_task", {"project_id": "7", "task_id": "42"}) == {"wait_until_published": "success"}


def test_lke_example_skips_the_tasks_after_a_failed_export(cloud: Emulator) -> None:
    cloud.add_finished("lke.task", "8", "failed", fields={"TaskType": "ExportAttributeLabel"})
    assert run_dag("lke_task") == {"wait_for_export": "skipped"}


def test_pipeline_starts_tasks_at_both_clouds_and_passes_results_on(cloud: Emulator) -> None:
    rows = {"Columns": [{"ColumnName": "day"}, {"ColumnName": "orders"}], "Rows": [{"Values": ["2026-01-01", "17"]}]}
    for api in ("ice.workflow_task", "wedata.workflow_run", "wedata.sql_run", "bdrc.task"):
        cloud.next_running(api, SOON, fields={"Results": [rows]} if api == "wedata.sql_run" else {})
    assert set(run_dag("media_to_warehouse").values()) == {"success"}
    transcoded, loaded, counted, protected = cloud.started()
    params = {one["ParamKey"]: one["ParamValue"] for one in loaded["parameters"]["AdvancedParams"]}
    assert params["transcoding"] == transcoded["id"]
    assert (counted["api"], protected["parameters"]) == (
        "wedata.sql_run",
        {"ResourceArn": "acs:oss:cn-shanghai:1300000001:media-archive"},
    )
    results = returned("media_to_warehouse")
    assert (results["check"], results["check_backups"]["state"]) == (17, "succeeded")


def test_pipeline_stops_if_the_query_returns_no_rows(cloud: Emulator) -> None:
    cloud.next_script("ice.workflow_task", ("Processing", SOON), "Succeed")
    cloud.next_script("wedata.workflow_run", ("RUNNING", SOON), "SUCCESS")
    cloud.next_running("wedata.sql_run", 0, fields={"Results": []})
    states = run_dag("media_to_warehouse")
    assert (states["count"], states["check"], states["check_backups"]) == ("success", "failed", "upstream_failed")


def test_pipeline_waits_on_both_clouds_and_reports_every_task(cloud: Emulator) -> None:
    params = {"TaskType": "ModifyAttributeLabel", "BotBizId": "1767024172536168448"}
    cloud.add_running("bpstudio.task", "2615", SOON)
    cloud.add_running("bdrc.task", "t-0004d9ctt1ii", SOON)
    cloud.add_running("ice.workflow_task", "4215e042b3966ca5441e", SOON)
    cloud.add_running("wedata.task", "20250908225847483", SOON)
    cloud.add_running("lke.task", "8", SOON, fields=params)
    assert set(run_dag("cross_platform_pipeline").values()) == {"success"}
    assert returned("cross_platform_pipeline")["report"] == [
        "bpstudio.task 2615: succeeded",
        "ice.workflow_task 4215e042b3966ca5441e: succeeded",
        "wedata.task 20250908225847483: succeeded",
        "lke.task 8: succeeded",
        "bdrc.task t-0004d9ctt1ii: succeeded",
    ]
