"""The templates that the guide gives for a local day name the day that the guide says, rendered by each Airflow."""

from __future__ import annotations

import re
from pathlib import Path

import pendulum
import pytest
from airflow.providers.common.compat.sdk import DAG

from airflow_cloudtasks.sensors.tencent import WeDataTaskInstanceSensor

GUIDE = (Path(__file__).parents[2] / "docs" / "how-to" / "wait_for_schedulers.md").read_text("utf-8")
ROWS = re.findall(r"^\| `(\{\{.*)` \| (.*) \|$", GUIDE, re.M)
SHANGHAI = pendulum.timezone("Asia/Shanghai")
START = pendulum.datetime(2026, 1, 31, tz=SHANGHAI)


@pytest.mark.parametrize(("template", "outcome"), ROWS)
def test_a_template_of_the_guide_names_the_day_that_the_guide_says(template: str, outcome: str) -> None:
    rendered, *sent = re.findall(r"`([^`]*)`", outcome)
    with DAG(dag_id="d", schedule=None, start_date=START):
        sensor = WeDataTaskInstanceSensor(
            task_id="t", project_id="1", wedata_task_id="7", data_time=template.replace(r"\|", "|")
        )
    # What Airflow's context holds for a run at this local midnight.
    in_utc = START.in_timezone("UTC")
    sensor.render_template_fields({"data_interval_start": in_utc, "ds": in_utc.to_date_string()})
    assert sensor.cloud_task_id == f"7_{rendered}"
    assert sensor.named_ids() == (f"7_{sent[0] if sent else rendered}",)
    assert ("wrong" in outcome) is (not sensor.named_ids()[0].startswith("7_2026-01-31"))


def test_the_guide_has_right_templates_and_a_wrong_one() -> None:
    assert len(ROWS) >= 4
    assert {"wrong" in outcome for _, outcome in ROWS} == {True, False}
