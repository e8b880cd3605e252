"""Wrong arguments are refused when the DAG is parsed, with a text that says what was expected. Templates pass."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import DAG, AirflowFailException, BaseOperator

from airflow_cloudtasks.operators._argument_names import argument_names
from airflow_cloudtasks.operators.alibaba import (
    BdrcCheckRulesOperator,
    BpStudioRunTaskOperator,
    IceStartWorkflowOperator,
)
from airflow_cloudtasks.operators.cloud_task import CancelCloudTaskOperator, StartCloudTaskOperator
from airflow_cloudtasks.operators.tencent import (
    WeDataBackfillOperator,
    WeDataRerunInstancesOperator,
    WeDataRunSqlOperator,
    WeDataRunWorkflowOperator,
)
from airflow_cloudtasks.sensors.alibaba import BpStudioTaskSensor
from airflow_cloudtasks.sensors.tencent import WeDataTaskInstanceSensor, WeDataWorkflowRunSensor

from .every_operator import DAY, EVERYTHING, TIME, own_arguments, with_everything

RUN = {"api": "wedata.workflow_run", "parameters": {"ProjectId": "1", "WorkflowId": "w"}}
TAKES = (
    "It takes: ProjectId, WorkflowId, AdvancedParams (optional), TaskIds (optional), "
    "SchedulingResourceGroupId (optional), IntegrationResourceGroupId (optional)."
)


def refused(operator: Any, **arguments: Any) -> str:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the text is returned
        operator(task_id="t", **arguments)
    return str(caught.value)


@pytest.mark.parametrize("blank", [None, "", [], {}])
def test_refuses_a_blank_parameter_and_lists_the_accepted_ones(blank: Any) -> None:
    said = refused(WeDataRunWorkflowOperator, project_id="1", workflow_id=blank)
    assert said == f"CreateTriggerWorkflowRun needs WorkflowId. {TAKES} WorkflowId is the argument workflow_id."


@pytest.mark.parametrize("parameters", [None, {}, {"ProjectId": "1"}])
def test_refuses_a_missing_parameter(parameters: Any) -> None:
    said = refused(StartCloudTaskOperator, api="wedata.workflow_run", parameters=parameters)
    assert said.startswith("CreateTriggerWorkflowRun needs ")
    assert said.endswith(TAKES)


def test_refuses_an_unknown_parameter() -> None:
    parameters = {**RUN["parameters"], "Workflow": "w"}
    said = refused(StartCloudTaskOperator, api="wedata.workflow_run", parameters=parameters)
    assert said == f"CreateTriggerWorkflowRun knows no Workflow. {TAKES}"


def test_an_action_with_optional_parameters_only_lists_them() -> None:
    said = refused(StartCloudTaskOperator, api="bdrc.task", parameters={"Type": "x"})
    assert said == "UpdateResources knows no Type. It takes: ResourceType (optional)."


def test_refuses_an_empty_list_of_instances() -> None:
    said = refused(WeDataRerunInstancesOperator, project_id="1", instance_keys=[])
    assert said.startswith("RerunTaskInstancesAsync needs InstanceKeyList.")


def test_refuses_an_unknown_action() -> None:
    said = refused(StartCloudTaskOperator, api="bdrc.task", action="CheckRule")
    assert said == "bdrc.task is not started by 'CheckRule'; expected UpdateResources or CheckRules."


@pytest.mark.parametrize("api", ["wedata.task", "wedata.newest_workflow_run", "wedata.async_job"])
def test_refuses_to_start_a_task_of_an_api_without_start_actions(api: str) -> None:
    said = refused(StartCloudTaskOperator, api=api)
    assert said == f"{api} has no action that starts a task; nothing but waiting can be done."


@pytest.mark.parametrize("operator", [StartCloudTaskOperator, CancelCloudTaskOperator])
def test_refuses_an_unknown_api(operator: Any) -> None:
    more = {} if operator is StartCloudTaskOperator else {"cloud_task_id": "7"}
    said = refused(operator, api="wedata.run", **more)
    assert said.startswith("Unknown api 'wedata.run'. Did you mean wedata.sql_run, wedata.task_run, ")


def test_refuses_to_cancel_a_task_of_an_api_without_a_cancel_action() -> None:
    said = refused(CancelCloudTaskOperator, api="ice.workflow_task", cloud_task_id="7")
    assert said == "ice.workflow_task: ICE has no action that cancels such a task."


@pytest.mark.parametrize("nothing", [None, "", []])
def test_refuses_to_cancel_without_an_id(nothing: Any) -> None:
    params = {"ProjectId": "1"}
    said = refused(CancelCloudTaskOperator, api="wedata.sql_run", cloud_task_id=nothing, api_params=params)
    assert said == "wedata.sql_run needs cloud_task_id: the task's id at the vendor, its JobId."


@pytest.mark.parametrize("given", [{}, {"sql": "SELECT 1"}, {"datasource_id": "7"}])
def test_sql_requires_a_saved_script_or_text_and_a_data_source(given: dict[str, Any]) -> None:
    said = refused(WeDataRunSqlOperator, project_id="1", **given)
    assert said == "WeData runs a saved script, or SQL on a data source: give script_id, or sql and datasource_id."


@pytest.mark.parametrize("given", [{}, {"cloud_task_id": "e", "workflow_id": "w", "since": "{{ ts }}"}])
def test_a_workflow_run_is_identified_by_its_id_or_by_its_workflow(given: dict[str, Any]) -> None:
    said = refused(WeDataWorkflowRunSensor, project_id="1", **given)
    assert said == "WeDataWorkflowRunSensor needs cloud_task_id, a run's id, or workflow_id with since."


@pytest.mark.parametrize("given", [{"workflow_id": "w"}, {"cloud_task_id": "e", "since": "{{ ts }}"}])
def test_waiting_for_the_newest_run_requires_workflow_id_and_since(given: dict[str, Any]) -> None:
    said = refused(WeDataWorkflowRunSensor, project_id="1", **given)
    assert said.startswith("workflow_id and since go together: without since, the newest run may be one that ended")


def test_waiting_for_the_newest_run_waits_for_one_that_does_not_exist_yet() -> None:
    since = datetime(2026, 1, 31, tzinfo=UTC)
    sensor = WeDataWorkflowRunSensor(task_id="t", project_id="1", workflow_id="w", since=since)
    assert (sensor.api.name, sensor.cloud_task_id, sensor.missing) == ("wedata.newest_workflow_run", "w", "wait")
    assert sensor.created_since == "2026-01-31T00:00:00+00:00"


@pytest.mark.parametrize("name", ["success_statuses", "failure_statuses"])
@pytest.mark.parametrize(
    ("operator", "arguments"),
    [(StartCloudTaskOperator, RUN), (WeDataWorkflowRunSensor, {"project_id": "1", "cloud_task_id": "e"})],
)
def test_refuses_a_text_as_a_list_of_statuses(operator: Any, arguments: dict[str, Any], name: str) -> None:
    said = refused(operator, **arguments, **{name: "SKIPPED"})
    assert said.startswith(f"{name} ")
    assert "'SKIPPED'; expected a list of statuses" in said


@pytest.mark.parametrize(
    ("operator", "arguments"),
    [
        (BpStudioRunTaskOperator, {"app_id": "a", "process_id": "p", "task_name": "n"}),
        (BpStudioTaskSensor, {"cloud_task_id": "7"}),
    ],
)
def test_refuses_a_text_as_a_list_of_statuses_with_additional_successes(
    operator: Any, arguments: dict[str, Any]
) -> None:
    arguments = {**arguments, "error_message_fails": False}
    said = refused(operator, **arguments, success_statuses="DONE")
    assert said == "success_statuses is 'DONE'; expected a list of statuses."
    assert operator(task_id="t", **arguments, success_statuses=["DONE"]).success_statuses == ("FINISH", "DONE")


def test_refuses_a_status_that_is_both_success_and_failure() -> None:
    said = refused(StartCloudTaskOperator, **RUN, success_statuses=["SKIP"], failure_statuses=["skip"])
    assert said == "success_statuses and failure_statuses both hold ['skip']."


@pytest.mark.parametrize(
    ("rules", "text"),
    [
        ({"on_unknown": "skip"}, "on_unknown is 'skip'; expected one of wait, fail."),
        *(
            ({name: value}, f"{name} is {value!r}; expected a number of seconds of at least 0, or a timedelta.")
            for name in ("poke_interval", "max_wait", "timeout")
            for value in (-1, float("inf"), "soon", True)
        ),
        ({"timeout": None}, "timeout is None; expected a number of seconds of at least 0, or a timedelta."),
        ({"parameters": ["p"]}, "parameters is ['p']; expected a dict by the vendor's names."),
    ],
)
def test_refuses_invalid_rules_of_a_wait(rules: dict[str, Any], text: str) -> None:
    assert refused(StartCloudTaskOperator, **RUN | rules) == text


def test_refuses_an_unknown_value_of_on_failure() -> None:
    said = refused(
        WeDataTaskInstanceSensor, project_id="1", wedata_task_id="1", data_time="2026-01-31", on_failure="skip"
    )
    assert said == "on_failure is 'skip'; expected one of wait, fail."


# Values that are unknown when the DAG is parsed.


@pytest.fixture
def upstream() -> Any:
    with DAG(dag_id="d", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC)):
        yield BaseOperator(task_id="up")


@pytest.mark.parametrize("template", ["{{ params.workflow }}", "{{ '' }}"])
def test_accepts_templates_unchanged(template: str) -> None:
    operator = WeDataRunWorkflowOperator(
        task_id="t", project_id=template, workflow_id=template, advanced_params=template, wedata_task_ids=[template]
    )
    assert operator.parameters == {
        "ProjectId": template,
        "WorkflowId": template,
        "AdvancedParams": template,
        "TaskIds": [template],
        "SchedulingResourceGroupId": None,
        "IntegrationResourceGroupId": None,
    }
    assert "parameters" in operator.template_fields


@pytest.mark.parametrize("name", ["success_statuses", "failure_statuses", "parameters"])
def test_accepts_the_output_of_a_task_as_an_argument(upstream: Any, name: str) -> None:
    operator = StartCloudTaskOperator(task_id="t", **{**RUN, name: upstream.output})
    assert operator.upstream_task_ids == {"up"}


def test_accepts_the_output_of_a_task_anywhere_in_the_parameters(upstream: Any) -> None:
    output = upstream.output
    for number, operator in enumerate(
        (
            lambda **k: IceStartWorkflowOperator(workflow_id=output, **k),
            lambda **k: IceStartWorkflowOperator(workflow_id="w", task_input={"Media": [output["media"]]}, **k),
            lambda **k: BdrcCheckRulesOperator(resource_arn=output, **k),
            lambda **k: WeDataRunWorkflowOperator(project_id="1", workflow_id="w", advanced_params={"a": output}, **k),
            lambda **k: WeDataRunSqlOperator(project_id="1", sql=output, datasource_id="7", **k),
            lambda **k: WeDataRunSqlOperator(project_id="1", script_id="s", variables={"a": output}, **k),
            lambda **k: WeDataRerunInstancesOperator(project_id="1", instance_keys=output, **k),
            lambda **k: WeDataBackfillOperator(project_id="1", wedata_task_ids=["1"], data_ranges=output, **k),
            lambda **k: WeDataBackfillOperator(
                project_id="1", wedata_task_ids=["1"], data_ranges=[(output["from"], "{{ ds }}")], **k
            ),
        )
    ):
        assert operator(task_id=f"t{number}").upstream_task_ids == {"up"}


@pytest.mark.parametrize("name", ["wedata_task_id", "data_time"])
def test_accepts_the_output_of_a_task_as_a_part_of_an_instance_key(upstream: Any, name: str) -> None:
    arguments = {"wedata_task_id": "7", "data_time": "{{ ds }} 00:00:00", name: upstream.output}
    sensor = WeDataTaskInstanceSensor(task_id="t", project_id="1", **arguments)
    assert sensor.upstream_task_ids == {"up"}
    assert "xcom_pull(task_ids='up'" in sensor.cloud_task_id
    assert sensor.cloud_task_id.startswith("7_") or sensor.cloud_task_id.endswith("_{{ ds }} 00:00:00")


@pytest.mark.parametrize(
    ("time", "key"),
    [
        (datetime(2026, 1, 31, 16, tzinfo=UTC), "7_2026-02-01 00:00:00"),
        (datetime(2026, 1, 31), "7_2026-01-31 00:00:00"),
        ("{{ ds }} 00:00:00", "7_{{ ds }} 00:00:00"),
    ],
)
def test_an_instance_key_is_the_task_and_the_time_in_china(time: Any, key: str) -> None:
    sensor = WeDataTaskInstanceSensor(task_id="t", project_id="1", wedata_task_id="7", data_time=time)
    assert (sensor.cloud_task_id, sensor.missing) == (key, "wait")


# --- both names of a parameter ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("operator", EVERYTHING, ids=lambda each: each.__name__)
def test_the_docstring_of_an_operator_names_the_parameter_of_each_argument(operator: Any) -> None:
    built = with_everything(operator)
    named = argument_names(operator)
    assert set(built.parameters or {}) - {"ScriptConfig", "Task", "jobDriver"} <= set(named)
    assert set(named.values()) <= set(own_arguments(operator))


@pytest.mark.parametrize(
    ("operator", "argument", "parameter"),
    [
        (operator, argument, parameter)
        for operator in EVERYTHING
        for parameter, argument in argument_names(operator).items()
        if own_arguments(operator)[argument]
    ],
)
def test_an_error_names_the_argument_and_the_parameter(operator: Any, argument: str, parameter: str) -> None:
    said = refused(operator, **EVERYTHING[operator] | {argument: ""})
    if argument == parameter:
        assert f" needs {parameter}." in said
    else:
        assert said.endswith(f" {parameter} is the argument {argument}.")


@pytest.mark.parametrize(
    ("operator", "arguments", "end"),
    [
        (
            WeDataRunWorkflowOperator,
            {"project_id": 2.4e18, "workflow_id": "w"},
            "ProjectId is the argument project_id.",
        ),
        (WeDataTaskInstanceSensor, {"project_id": True, "wedata_task_id": "1", "data_time": DAY}, "project_id."),
        (WeDataWorkflowRunSensor, {"project_id": " ", "cloud_task_id": "1"}, "ProjectId is the argument project_id."),
        (
            WeDataRunSqlOperator,
            {"project_id": "1", "script_id": "s", "variables": {"a": object}},
            "ScriptConfig.Params is the argument variables.",
        ),
        (
            WeDataRunSqlOperator,
            {"project_id": "1", "sql": "s", "datasource_id": 2.5e18},
            "DatasourceId is the argument datasource_id.",
        ),
    ],
)
def test_an_error_about_a_value_names_both(operator: Any, arguments: dict[str, Any], end: str) -> None:
    assert refused(operator, **arguments).endswith(end)


def test_an_error_of_a_rendered_value_names_both() -> None:
    operator = WeDataRunWorkflowOperator(task_id="t", project_id="{{ x }}", workflow_id="w")
    operator.parameters = {"ProjectId": "None", "WorkflowId": "w"}
    with pytest.raises(AirflowFailException, match=r"ProjectId is the argument project_id\.$"):
        operator._checked_parameters()
    sensor = WeDataWorkflowRunSensor(task_id="s", project_id="{{ x }}", cloud_task_id="1")
    sensor.api_params = {"ProjectId": "None"}
    with pytest.raises(ValueError, match=r"ProjectId is the argument project_id\.$"):
        sensor.named_ids()


def test_an_error_that_names_the_argument_already_does_not_repeat_it() -> None:
    assert "is the argument" not in refused(BpStudioTaskSensor, cloud_task_id=" ")


def test_a_subclass_without_such_a_docstring_names_both() -> None:
    class Mine(WeDataRunWorkflowOperator):
        """An operator of a user."""

    assert refused(Mine, project_id="1", workflow_id="").endswith("WorkflowId is the argument workflow_id.")


# --- durations of mapped tasks ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["timeout", "execution_timeout", "poke_interval", "max_wait"])
@pytest.mark.parametrize("value", [float("inf"), "60", -1])
def test_a_wrong_duration_of_a_mapped_task_is_refused_at_parse(name: str, value: Any) -> None:
    for operator in (WeDataRunWorkflowOperator, WeDataWorkflowRunSensor):
        with pytest.raises(ValueError, match=f"{name} is "), DAG("d", schedule=None, start_date=TIME):
            operator.partial(task_id="t", project_id="1", **{name: value})


def test_a_mapped_task_may_leave_durations_out() -> None:
    with DAG("d", schedule=None, start_date=TIME):
        WeDataRunWorkflowOperator.partial(task_id="t", project_id="1", max_wait=None, timeout=60).expand(
            workflow_id=["1", "2"]
        )
