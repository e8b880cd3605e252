"""Operators that start tasks of Tencent Cloud, with one argument for each parameter of the action."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_cloudtasks.operators._given import contents_of_file, given
from airflow_cloudtasks.operators.start_cloud_task import StartCloudTaskOperator
from airflow_cloudtasks.values import at, text

if TYPE_CHECKING:
    from airflow_cloudtasks.model import CloudTask


class WeDataRunWorkflowOperator(StartCloudTaskOperator):
    """Run a WeData workflow (CreateTriggerWorkflowRun), and wait for the run.

    A kill of the Airflow task kills the run (KillTriggerWorkflowRuns). If the run fails, the error names the task runs
    that failed.

    Args:
        project_id: The vendor's ``ProjectId`` (templated).
        workflow_id: The vendor's ``WorkflowId`` (templated).
        advanced_params: The vendor's ``AdvancedParams``, a dict of parameters that override the workflow's own for
            this run (templated).
        wedata_task_ids: The vendor's ``TaskIds``, a list: run only these tasks of the workflow (templated).
        scheduling_resource_group_id: The vendor's ``SchedulingResourceGroupId`` (templated).
        integration_resource_group_id: The vendor's ``IntegrationResourceGroupId`` (templated).
        **kwargs: Arguments of :class:`~airflow_cloudtasks.operators.start_cloud_task.StartCloudTaskOperator`.
    """

    def __init__(
        self,
        *,
        project_id: Any,
        workflow_id: Any,
        advanced_params: Any = None,
        wedata_task_ids: Any = None,
        scheduling_resource_group_id: Any = None,
        integration_resource_group_id: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            api="wedata.workflow_run",
            parameters={
                "ProjectId": project_id,
                "WorkflowId": workflow_id,
                "AdvancedParams": advanced_params,
                "TaskIds": wedata_task_ids,
                "SchedulingResourceGroupId": scheduling_resource_group_id,
                "IntegrationResourceGroupId": integration_resource_group_id,
            },
            **kwargs,
        )


class WeDataRunSqlOperator(StartCloudTaskOperator):
    """Run SQL in WeData (RunSQLScript), wait for it, and return its rows.

    A kill of the Airflow task stops the run (StopSQLScriptRun). The result has the task's parts and ``rows``, for the
    next task as ``run.output["rows"]``: the rows of the last statement that returned columns, each a dict by column.
    Values are text, as WeData returns them. ``rows`` is None if all statements together returned more than
    ``max_rows`` rows.

    Args:
        project_id: The vendor's ``ProjectId`` (templated).
        sql: The vendor's ``ScriptContent``: the statements, or the name of a file that ends in ``.sql``, in the DAG's
            folder or its ``template_searchpath``. The file is a template, too (templated).
        script_id: The vendor's ``ScriptId`` of a saved script, which runs unchanged if ``sql`` is None (templated).
        datasource_id: The vendor's ``DatasourceId``; required without ``script_id`` (templated).
        datasource_env: The vendor's ``DatasourceEnv`` (templated).
        compute_resource: The vendor's ``ComputeResource`` (templated).
        executor_group_id: The vendor's ``ExecutorGroupId`` (templated).
        variables: The vendor's ``ScriptConfig.Params``, a dict of the script's variables (templated).
        advance_config: The vendor's ``ScriptConfig.AdvanceConfig``, a dict (templated).
        run_params: The vendor's ``Params``, a dict, e.g. ``{"executorNum": 1}`` (templated).
        max_rows: Most rows that XCom stores. If there are more, XCom stores none, neither in ``rows`` nor in
            ``detail``. None for a result without ``rows``.
        **kwargs: Arguments of :class:`~airflow_cloudtasks.operators.start_cloud_task.StartCloudTaskOperator`.
    """

    def __init__(
        self,
        *,
        project_id: Any,
        sql: Any = None,
        script_id: Any = None,
        datasource_id: Any = None,
        datasource_env: Any = None,
        compute_resource: Any = None,
        executor_group_id: Any = None,
        variables: Any = None,
        advance_config: Any = None,
        run_params: Any = None,
        max_rows: int | None = 1000,
        **kwargs: Any,
    ) -> None:
        if script_id is None and (sql is None or datasource_id is None):
            raise ValueError(
                "WeData runs a saved script, or SQL on a data source: give script_id, or sql and datasource_id."
            )
        config = {
            "DatasourceId": datasource_id,
            "DatasourceEnv": datasource_env,
            "ComputeResource": compute_resource,
            "ExecutorGroupId": executor_group_id,
            "Params": variables,
            "AdvanceConfig": advance_config,
        }
        super().__init__(
            api="wedata.sql_run",
            parameters={
                "ProjectId": project_id,
                "ScriptId": script_id,
                "ScriptContent": contents_of_file(sql),
                "ScriptConfig": given(config),
                "Params": run_params,
            },
            max_rows=max_rows,
            **kwargs,
        )


class WeDataBackfillOperator(StartCloudTaskOperator):
    """Run WeData tasks for past days (CreateDataBackfillPlan), and wait until all instances have ended.

    The backfill counts as failed if an instance failed. The error names the failed instances, with the ends of their
    logs. A kill of the Airflow task deletes the plan (DeleteDataBackfillPlanAsync).

    Args:
        project_id: The vendor's ``ProjectId`` (templated).
        wedata_task_ids: The vendor's ``TaskIds``, a list (templated).
        data_ranges: The vendor's ``DataBackfillRangeList``: a list of pairs of the first and the last day, as dates,
            datetimes or ISO 8601, or a list of dicts with the vendor's ``StartDate``, ``EndDate``,
            ``ExecutionStartTime`` and ``ExecutionEndTime`` (templated). A time with a zone, e.g.
            ``{{ data_interval_start }}``, counts as its day in ``time_zone``, or in UTC+8 without it. Airflow's
            ``{{ ds }}`` is the day in UTC, not the local day.
        plan_name: The vendor's ``DataBackfillPlanName`` (templated).
        time_zone: The vendor's ``TimeZone``, e.g. ``UTC+8`` (templated).
        check_parent_type: The vendor's ``CheckParentType``: ``NONE``, ``ALL`` or ``MAKE_SCOPE`` (templated).
        skip_event_listening: The vendor's ``SkipEventListening``.
        redefine_self_workflow_dependency: The vendor's ``RedefineSelfWorkflowDependency``: ``yes`` or ``no``
            (templated).
        redefine_parallel_num: The vendor's ``RedefineParallelNum``.
        redefine_params: The vendor's ``RedefineParamList``, a dict (templated).
        data_time_order: The vendor's ``DataTimeOrder``: ``NORMAL``, ``ORDER`` or ``REVERSE`` (templated).
        redefine_cycle_type: The vendor's ``RedefineCycleType``: ``MONTH_CYCLE`` (templated).
        scheduler_resource_group_id: The vendor's ``SchedulerResourceGroupId`` (templated).
        integration_resource_group_id: The vendor's ``IntegrationResourceGroupId`` (templated).
        compute_config_mappings: The vendor's ``ComputeConfigMappings``, a list of dicts (templated).
        **kwargs: Arguments of :class:`~airflow_cloudtasks.operators.start_cloud_task.StartCloudTaskOperator`.
    """

    def __init__(
        self,
        *,
        project_id: Any,
        wedata_task_ids: Any,
        data_ranges: Any,
        plan_name: Any = None,
        time_zone: Any = None,
        check_parent_type: Any = None,
        skip_event_listening: Any = None,
        redefine_self_workflow_dependency: Any = None,
        redefine_parallel_num: Any = None,
        redefine_params: Any = None,
        data_time_order: Any = None,
        redefine_cycle_type: Any = None,
        scheduler_resource_group_id: Any = None,
        integration_resource_group_id: Any = None,
        compute_config_mappings: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            api="wedata.backfill",
            parameters={
                "ProjectId": project_id,
                "TaskIds": wedata_task_ids,
                "DataBackfillRangeList": data_ranges,
                "DataBackfillPlanName": plan_name,
                "TimeZone": time_zone,
                "CheckParentType": check_parent_type,
                "SkipEventListening": skip_event_listening,
                "RedefineSelfWorkflowDependency": redefine_self_workflow_dependency,
                "RedefineParallelNum": redefine_parallel_num,
                "RedefineParamList": redefine_params,
                "DataTimeOrder": data_time_order,
                "RedefineCycleType": redefine_cycle_type,
                "SchedulerResourceGroupId": scheduler_resource_group_id,
                "IntegrationResourceGroupId": integration_resource_group_id,
                "ComputeConfigMappings": compute_config_mappings,
            },
            **kwargs,
        )


class WeDataRerunInstancesOperator(StartCloudTaskOperator):
    """Rerun WeData task instances (RerunTaskInstancesAsync), and wait until all of them have ended.

    The result is a list of the instances, each a normalised task. If an instance fails, the error has the end of its
    log. A kill of the Airflow task kills the instances (KillTaskInstancesAsync). With ``wait_for_completion=False``,
    the result is the job that reruns the instances.

    Args:
        project_id: The vendor's ``ProjectId`` (templated).
        instance_keys: The vendor's ``InstanceKeyList``, a list, e.g. ``["20250714200130106_2025-10-01 00:00:00"]``
            (templated).
        rerun_type: The vendor's ``RerunType``: ``1`` for the instances themselves, ``2`` for the instances and their
            downstream instances, ``3`` for the downstream instances only (templated). The operator waits for the
            instances themselves.
        check_parent_type: The vendor's ``CheckParentType``: ``NONE``, ``ALL`` or ``MAKE_SCOPE`` (templated).
        son_range_type: The vendor's ``SonRangeType``: ``WORKFLOW``, ``PROJECT`` or ``ALL`` (templated).
        skip_event_listening: The vendor's ``SkipEventListening``.
        redefine_parallel_num: The vendor's ``RedefineParallelNum``.
        redefine_self_workflow_dependency: The vendor's ``RedefineSelfWorkflowDependency``: ``yes`` or ``no``
            (templated).
        redefine_params: The vendor's ``RedefineParamList``, a dict with one entry (templated).
        **kwargs: Arguments of :class:`~airflow_cloudtasks.operators.start_cloud_task.StartCloudTaskOperator`.
    """

    def __init__(
        self,
        *,
        project_id: Any,
        instance_keys: Any,
        rerun_type: Any = None,
        check_parent_type: Any = None,
        son_range_type: Any = None,
        skip_event_listening: Any = None,
        redefine_parallel_num: Any = None,
        redefine_self_workflow_dependency: Any = None,
        redefine_params: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            api="wedata.task_instance",
            parameters={
                "ProjectId": project_id,
                "InstanceKeyList": instance_keys,
                "RerunType": rerun_type,
                "CheckParentType": check_parent_type,
                "SonRangeType": son_range_type,
                "SkipEventListening": skip_event_listening,
                "RedefineParallelNum": redefine_parallel_num,
                "RedefineSelfWorkflowDependency": redefine_self_workflow_dependency,
                "RedefineParamList": redefine_params,
            },
            **kwargs,
        )


class LkeModifyAttributeLabelOperator(StartCloudTaskOperator):
    """Change a label of LKE (ModifyAttributeLabel), and wait until everything with that label has changed.

    LKE cannot cancel it.

    Args:
        bot_biz_id: The vendor's ``BotBizId``, the application's id (templated).
        attribute_biz_id: The vendor's ``AttributeBizId`` (templated).
        attr_name: The vendor's ``AttrName`` (templated).
        attr_key: The vendor's ``AttrKey`` (templated).
        labels: The vendor's ``Labels``, a list of dicts with ``LabelBizId``, ``LabelName`` and ``SimilarLabels``
            (templated).
        delete_label_biz_ids: The vendor's ``DeleteLabelBizIds``, a list (templated).
        login_uin: The vendor's ``LoginUin`` (templated).
        login_sub_account_uin: The vendor's ``LoginSubAccountUin`` (templated).
        **kwargs: Arguments of :class:`~airflow_cloudtasks.operators.start_cloud_task.StartCloudTaskOperator`.
    """

    def __init__(
        self,
        *,
        bot_biz_id: Any,
        attribute_biz_id: Any,
        attr_name: Any,
        attr_key: Any = None,
        labels: Any = None,
        delete_label_biz_ids: Any = None,
        login_uin: Any = None,
        login_sub_account_uin: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            api="lke.task",
            action="ModifyAttributeLabel",
            parameters={
                "BotBizId": bot_biz_id,
                "AttributeBizId": attribute_biz_id,
                "AttrName": attr_name,
                "AttrKey": attr_key,
                "Labels": labels,
                "DeleteLabelBizIds": delete_label_biz_ids,
                "LoginUin": login_uin,
                "LoginSubAccountUin": login_sub_account_uin,
            },
            **kwargs,
        )


class LkeExportAttributeLabelOperator(StartCloudTaskOperator):
    """Export labels of LKE (ExportAttributeLabel), and wait for the file.

    LKE cannot cancel it. The result has the task's parts and ``cos_path``, the path of the file, for the next task as
    ``export.output["cos_path"]``.

    Args:
        bot_biz_id: The vendor's ``BotBizId``, the application's id (templated).
        attribute_biz_ids: The vendor's ``AttributeBizIds``, a list; None for the labels that ``filters`` finds
            (templated).
        filters: The vendor's ``Filters``, a dict, e.g. ``{"Query": "…"}`` (templated).
        login_uin: The vendor's ``LoginUin`` (templated).
        login_sub_account_uin: The vendor's ``LoginSubAccountUin`` (templated).
        **kwargs: Arguments of :class:`~airflow_cloudtasks.operators.start_cloud_task.StartCloudTaskOperator`.
    """

    def __init__(
        self,
        *,
        bot_biz_id: Any,
        attribute_biz_ids: Any = None,
        filters: Any = None,
        login_uin: Any = None,
        login_sub_account_uin: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            api="lke.task",
            action="ExportAttributeLabel",
            parameters={
                "BotBizId": bot_biz_id,
                "AttributeBizIds": attribute_biz_ids,
                "Filters": filters,
                "LoginUin": login_uin,
                "LoginSubAccountUin": login_sub_account_uin,
            },
            **kwargs,
        )

    def outputs(self, task: CloudTask) -> dict[str, Any]:
        """Return the path of the file."""
        return {"cos_path": text(at(task.detail, "Params.CosPath"))}
