"""What names a task is checked when a DAG is parsed, in every operator and sensor, and again after rendering."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pendulum
import pytest
from airflow.providers.common.compat.sdk import DAG, AirflowFailException, BaseOperator

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.errors import InvalidArguments
from airflow_cloudtasks.operators.alibaba import (
    BdrcCheckRulesOperator,
    BpStudioExecuteOperationOperator,
    BpStudioRunTaskOperator,
    IceStartAIWorkflowOperator,
    IceStartWorkflowOperator,
)
from airflow_cloudtasks.operators.cloud_task import (
    CancelCloudTaskOperator,
    GetCloudTaskOperator,
    StartCloudTaskOperator,
)
from airflow_cloudtasks.operators.tencent import (
    LkeExportAttributeLabelOperator,
    LkeModifyAttributeLabelOperator,
    WeDataBackfillOperator,
    WeDataRunSqlOperator,
    WeDataRunWorkflowOperator,
)
from airflow_cloudtasks.sensors.alibaba import BdrcTaskSensor, BpStudioTaskSensor, IceWorkflowTaskSensor
from airflow_cloudtasks.sensors.cloud_task import CloudTaskSensor
from airflow_cloudtasks.sensors.tencent import (
    LkeTaskSensor,
    WeDataTaskInstanceSensor,
    WeDataTaskSensor,
    WeDataWorkflowRunSensor,
)

NO_NAMES = [2.417334454903763e18, True, "  ", "None", "null", "nan", "4215042100000.0", "[1]", b"1", {"a": 1}]

# An operator or sensor, its arguments, and each argument that names something with the parameter that it becomes.
NAMED: list[tuple[Any, dict[str, Any], dict[str, str]]] = [
    (IceStartWorkflowOperator, {"workflow_id": "w"}, {"workflow_id": "WorkflowId"}),
    (IceStartAIWorkflowOperator, {"workflow_id": "w"}, {"workflow_id": "WorkflowId"}),
    (
        BpStudioRunTaskOperator,
        {"app_id": "a", "process_id": "p", "task_name": "n"},
        {"app_id": "AppId", "process_id": "ProcessId"},
    ),
    (
        BpStudioExecuteOperationOperator,
        {"service_type": "ecs", "operation": "rename"},
        {"application_id": "ApplicationId", "resource_group_id": "ResourceGroupId"},
    ),
    (BdrcCheckRulesOperator, {"resource_arn": "a"}, {"resource_arn": "ResourceArn", "rule_id": "RuleId"}),
    (
        WeDataRunWorkflowOperator,
        {"project_id": "1", "workflow_id": "w"},
        {
            "project_id": "ProjectId",
            "workflow_id": "WorkflowId",
            "scheduling_resource_group_id": "SchedulingResourceGroupId",
            "integration_resource_group_id": "IntegrationResourceGroupId",
        },
    ),
    (
        WeDataRunSqlOperator,
        {"project_id": "1", "script_id": "s"},
        {
            "project_id": "ProjectId",
            "script_id": "ScriptId",
            "datasource_id": r"ScriptConfig\.DatasourceId",
            "executor_group_id": r"ScriptConfig\.ExecutorGroupId",
        },
    ),
    (
        WeDataBackfillOperator,
        {"project_id": "1", "wedata_task_ids": ["1"], "data_ranges": [("2026-01-01", "2026-01-31")]},
        {"project_id": "ProjectId", "scheduler_resource_group_id": "SchedulerResourceGroupId"},
    ),
    (
        LkeModifyAttributeLabelOperator,
        {"bot_biz_id": "1", "attribute_biz_id": "2", "attr_name": "n"},
        {"bot_biz_id": "BotBizId", "attribute_biz_id": "AttributeBizId", "login_uin": "LoginUin"},
    ),
    (LkeExportAttributeLabelOperator, {"bot_biz_id": "1"}, {"bot_biz_id": "BotBizId"}),
    (
        WeDataTaskSensor,
        {"project_id": "1", "cloud_task_id": "2"},
        {"project_id": "ProjectId", "cloud_task_id": "cloud_task_id"},
    ),
    (
        LkeTaskSensor,
        {"cloud_task_id": "1", "task_type": "t", "bot_biz_id": "2"},
        {"bot_biz_id": "BotBizId", "task_type": "TaskType"},
    ),
    (
        WeDataTaskInstanceSensor,
        {"project_id": "1", "wedata_task_id": "2", "data_time": "2026-01-31"},
        {"project_id": "ProjectId", "wedata_task_id": "wedata_task_id", "data_time": "data_time"},
    ),
    (
        WeDataWorkflowRunSensor,
        {"project_id": "1", "workflow_id": "w", "since": "2026-01-31"},
        {"workflow_id": "cloud_task_id"},
    ),
    *(
        (sensor, {"cloud_task_id": "1"}, {"cloud_task_id": "cloud_task_id"})
        for sensor in (BpStudioTaskSensor, BdrcTaskSensor, IceWorkflowTaskSensor)
    ),
    (GetCloudTaskOperator, {"api": "bpstudio.task", "cloud_task_id": "1"}, {"cloud_task_id": "cloud_task_id"}),
    (
        CancelCloudTaskOperator,
        {"api": "ice.ai_workflow_task", "cloud_task_id": "1"},
        {"cloud_task_id": "cloud_task_id"},
    ),
]
EACH_NAME = pytest.mark.parametrize(
    ("operator", "arguments", "name", "parameter"),
    [
        pytest.param(operator, arguments, name, parameter, id=f"{operator.__name__}-{name}")
        for operator, arguments, names in NAMED
        for name, parameter in names.items()
    ],
)


@pytest.fixture
def upstream() -> Iterator[Any]:
    with DAG(dag_id="d", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC)):
        yield BaseOperator(task_id="up")


@EACH_NAME
@pytest.mark.parametrize("value", [*NO_NAMES, [1.5]], ids=repr)
def test_refuses_a_value_that_names_nothing(
    operator: Any, arguments: dict[str, Any], name: str, parameter: str, value: Any
) -> None:
    with pytest.raises(InvalidArguments, match=parameter):
        operator(task_id="t", **arguments | {name: value})


@EACH_NAME
def test_leaves_templates_and_outputs_for_later(
    upstream: Any, operator: Any, arguments: dict[str, Any], name: str, parameter: str
) -> None:
    for number, later in enumerate(
        ("{{ params.x }}", "{% if 1 %}1{% endif %}", upstream.output, upstream.output["id"])
    ):
        operator(task_id=f"t{number}", **arguments | {name: later})


@pytest.mark.parametrize(
    ("operator", "arguments", "text"),
    [
        (WeDataRunWorkflowOperator, {"wedata_task_ids": ["1", 2.0]}, r"TaskIds\[1\] is 2\.0, a float"),
        (WeDataRunWorkflowOperator, {"wedata_task_ids": [None]}, r"TaskIds\[0\] is None, no id"),
        (
            WeDataRunWorkflowOperator,
            {"wedata_task_ids": '["1", "None"]'},
            r"TaskIds\[1\] is 'None', the text of a missing",
        ),
        (WeDataRunWorkflowOperator, {"advanced_params": {"x": None}}, r"AdvancedParams\.x is None; expected text"),
        (
            WeDataRunWorkflowOperator,
            {"advanced_params": {"a": {"x": b"1"}}},
            r"AdvancedParams\.a\.x is b'1'; JSON cannot",
        ),
        (WeDataRunWorkflowOperator, {"advanced_params": {"x": float("nan")}}, r"AdvancedParams\.x is nan"),
        (WeDataRunWorkflowOperator, {"advanced_params": {"x": b"1"}}, r"AdvancedParams\.x is b'1', of type bytes"),
        (WeDataRunWorkflowOperator, {"advanced_params": {None: "1"}}, r"AdvancedParams is None; expected text"),
        (WeDataRunWorkflowOperator, {"advanced_params": '{"x": null}'}, r"AdvancedParams\.x is None; expected text"),
        (
            WeDataRunWorkflowOperator,
            {"advanced_params": [{"ParamKey": "x", "ParamValue": None}]},
            r"AdvancedParams\.x is None; expected text",
        ),
        (
            WeDataRunWorkflowOperator,
            {"advanced_params": [{"x": "1"}]},
            "expected a dict, or a list of dicts with ParamKey and",
        ),
    ],
)
def test_names_the_value_within_a_parameter(operator: Any, arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(InvalidArguments, match=text):
        operator(task_id="t", project_id="1", workflow_id="w", **arguments)


@pytest.mark.parametrize(
    ("ranges", "text"),
    [
        ([("2026-01-01", None)], r"DataBackfillRangeList\[0\]\.EndDate is None; expected a day"),
        (
            [{"StartDate": None, "EndDate": "2026-01-31"}],
            r"DataBackfillRangeList\[0\]\.StartDate is None; expected a day",
        ),
        ([("2026-01-01", "soon")], r"DataBackfillRangeList\[0\]\.EndDate is 'soon'; expected a day"),
        (
            [("{{ ds }}", "2026-01-31"), (20260101, "{{ ds }}")],
            r"DataBackfillRangeList\[1\]\.StartDate is 20260101; expected",
        ),
    ],
)
def test_names_the_wrong_day_of_a_backfill(ranges: Any, text: str) -> None:
    with pytest.raises(InvalidArguments, match=text):
        WeDataBackfillOperator(task_id="t", project_id="1", wedata_task_ids=["1"], data_ranges=ranges)


@pytest.mark.parametrize(
    ("task_input", "text"),
    [
        ({"a": [1, {"b": float("inf")}]}, r"TaskInput\.a\[1\]\.b is inf; JSON has no such number"),
        ({"a": {1}}, r"TaskInput\.a is \{1\}; JSON cannot hold a set"),
        ({(1, 2): 3}, r"TaskInput is \(1, 2\) as a key; JSON keys are text"),
        ({"a": "\ud800"}, "TaskInput is .*surrogates not allowed"),
    ],
)
def test_names_the_value_that_json_cannot_hold(task_input: Any, text: str) -> None:
    with pytest.raises(InvalidArguments, match=text):
        IceStartWorkflowOperator(task_id="t", workflow_id="w", task_input=task_input)


@pytest.mark.parametrize("name", ["variables", "advance_config", "run_params"])
@pytest.mark.parametrize(
    ("value", "path"), [({"x": None}, r"x"), ({"a": {"x": None}}, r"a\.x"), ({"a": [None]}, r"a\[0\]")]
)
def test_a_map_of_texts_holds_no_none(name: str, value: Any, path: str) -> None:
    with pytest.raises(InvalidArguments, match=rf"\.{path} is None; expected a value"):
        WeDataRunSqlOperator(task_id="t", project_id="1", script_id="s", **{name: value})


def test_refuses_json_that_holds_itself() -> None:
    endless: dict[str, Any] = {}
    endless["a"] = endless
    with pytest.raises(InvalidArguments, match="TaskInput is nested too deeply"):
        IceStartWorkflowOperator(task_id="t", workflow_id="w", task_input=endless)


def test_free_texts_may_hold_any_words() -> None:
    BpStudioRunTaskOperator(
        task_id="a", app_id="a", process_id="p", task_name="None", variables={"x": "None", "y": "nan"}
    )
    WeDataRunSqlOperator(task_id="b", project_id="1", sql="None", datasource_id=7, variables={"x": "null", "y": 1.5})
    WeDataRunWorkflowOperator(task_id="c", project_id="1", workflow_id="w", advanced_params={"x": "None", "y": 0.5})
    WeDataBackfillOperator(
        task_id="d", project_id="1", wedata_task_ids="[1]", data_ranges=[(date(2026, 1, 1), date(2026, 1, 31))],
        check_parent_type="NONE", scheduler_resource_group_id="",
    )  # fmt: skip
    LkeModifyAttributeLabelOperator(task_id="e", bot_biz_id=1, attribute_biz_id=2, attr_name="null")
    IceStartWorkflowOperator(task_id="f", workflow_id="w", user_data="None", task_input={"a": [None, 1.5, "nan"]})


@pytest.mark.parametrize("version", [1.1, float("1.0")])
def test_a_text_parameter_refuses_a_float(version: float) -> None:
    with pytest.raises(InvalidArguments, match=r"DispatchTag is .*, a float; write the text that is meant"):
        IceStartAIWorkflowOperator(task_id="t", workflow_id="w", dispatch_tag=version)


# created_since


@pytest.mark.parametrize("name", [name for name, api in APIS.items() if api.created_at is None])
@pytest.mark.parametrize("since", ["{{ data_interval_start }}", datetime(2026, 1, 31, tzinfo=UTC), ""])
def test_refuses_created_since_where_no_answer_tells_a_creation_time(name: str, since: Any) -> None:
    params = dict.fromkeys(APIS[name].task_params, "1")
    CloudTaskSensor(task_id="t", api=name, cloud_task_id="1", api_params=params)
    with pytest.raises(InvalidArguments, match=f"{name} does not support created_since"):
        CloudTaskSensor(task_id="t", api=name, cloud_task_id="1", api_params=params, created_since=since)


@pytest.mark.parametrize("since", ["yesterday", "20260131", True, [1]])
def test_refuses_a_time_that_is_none(since: Any) -> None:
    with pytest.raises(InvalidArguments, match="created_since is "):
        WeDataWorkflowRunSensor(task_id="t", project_id="1", workflow_id="w", since=since)


def test_keeps_created_since_as_text_that_a_trigger_can_store() -> None:
    for since, text in (
        (date(2026, 1, 31), "2026-01-31"),
        (pendulum.datetime(2026, 1, 31), "2026-01-31T00:00:00+00:00"),
    ):
        sensor = WeDataWorkflowRunSensor(task_id="t", project_id="1", workflow_id="w", since=since)
        assert sensor.created_since == text


# What Airflow renders


def render(operator: Any, **context: Any) -> Any:
    """Return an operator with its templates rendered, as a worker renders them."""
    operator.render_template_fields(context)
    return operator


def dag(**arguments: Any) -> DAG:
    return DAG(dag_id="d", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC), **arguments)


@pytest.mark.parametrize(
    ("version", "is_refused"),
    [("1.10", True), ("1,2", True), ("1e3", True), ("1.1.0", False), ("v1", False), ("7", False)],
)
def test_native_rendering_changes_no_text_in_silence(version: str, is_refused: bool) -> None:
    with dag(render_template_as_native_obj=True):
        run = WeDataRunWorkflowOperator(
            task_id="t", project_id="1", workflow_id="w", advanced_params={"version": "{{ version }}", "share": 0.5}
        )
    render(run, version=version)
    if is_refused:
        with pytest.raises(
            AirflowFailException, match=r"AdvancedParams\.version is .*render_template_as_native_obj=True"
        ):
            run.execute({})
    else:
        assert run._checked_parameters()["AdvancedParams"] == {
            "version": 7 if version == "7" else version,
            "share": 0.5,
        }


def test_native_rendering_joins_no_id_and_day_to_a_number() -> None:
    with dag(render_template_as_native_obj=True):
        sensor = WeDataTaskInstanceSensor(task_id="t", project_id="1", wedata_task_id="7", data_time="{{ ds_nodash }}")
    assert render(sensor, ds_nodash="20260131").cloud_task_id == 720260131  # Python reads 7_20260131 as a number.
    with pytest.raises(InvalidArguments, match=r"not the text that the template makes.*render_template_as_native_obj"):
        sensor.execute({})


def test_native_rendering_keeps_a_text_that_the_template_quotes() -> None:
    with dag(render_template_as_native_obj=True):
        run = WeDataRunWorkflowOperator(
            task_id="t", project_id="1", workflow_id="w", advanced_params={"version": "'{{ version }}'"}
        )
    assert render(run, version="1.10")._checked_parameters()["AdvancedParams"] == {"version": "1.10"}


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize("project", ["4215042100000.0", "None", "", "true", None, 4215042100000.0])
def test_refuses_a_rendered_value_that_names_nothing(native: bool, project: Any) -> None:
    with dag(render_template_as_native_obj=native):
        run = WeDataRunWorkflowOperator(task_id="run", project_id="1", workflow_id="{{ x }}")
        wait = WeDataTaskSensor(task_id="wait", cloud_task_id="1", project_id="{{ x }}", deferrable=True)
        get = GetCloudTaskOperator(task_id="get", api="bpstudio.task", cloud_task_id="{{ x }}")
        cancel = CancelCloudTaskOperator(task_id="cancel", api="ice.ai_workflow_task", cloud_task_id=["1", "{{ x }}"])
    for operator, name in ((run, "WorkflowId"), (wait, "ProjectId"), (get, "cloud_task_id"), (cancel, "cloud_task_id")):
        with pytest.raises((InvalidArguments, AirflowFailException), match=name) as caught:
            render(operator, x=project).execute({})
        is_named = "render_template_as_native_obj=True" in str(caught.value)
        # Airflow turns the text "None" into None, and leaves an empty text and "true" as they are.
        turns = isinstance(project, float) or project in ("4215042100000.0", "None", None)
        assert is_named is (native and turns and "needs" not in str(caught.value))


def test_does_not_name_native_rendering_for_the_output_of_a_task() -> None:
    with dag(render_template_as_native_obj=True):
        run = WeDataRunWorkflowOperator(task_id="run", project_id="1", workflow_id="{{ x }}")
    run.parameters["ProjectId"] = 1.0  # as an XComArg is resolved
    run.parameters["WorkflowId"] = "w"
    with pytest.raises(AirflowFailException, match=r"ProjectId is 1\.0, a float") as caught:
        run.execute({})
    assert "native" not in str(caught.value)


@pytest.mark.parametrize("parameters", [{"ProjectId": "1"}, {"ProjectId": "1", "WorkflowId": "w", "X": 1}, "text"])
def test_does_not_retry_wrong_parameters(parameters: Any) -> None:
    start = StartCloudTaskOperator(task_id="t", api="wedata.workflow_run", parameters="{{ x }}")
    start.parameters = parameters
    with pytest.raises(AirflowFailException):
        start.execute({})


def test_get_takes_one_id() -> None:
    with pytest.raises(InvalidArguments, match="a list; expected one id"):
        GetCloudTaskOperator(task_id="get", api="bpstudio.task", cloud_task_id=["1", "2"])
