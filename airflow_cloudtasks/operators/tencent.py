"""Operators that start tasks of Tencent Cloud, with the arguments of each action."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_cloudtasks.catalog import LKE_TASK, WEDATA_BACKFILL, WEDATA_SQL_RUN, WEDATA_TASK_INSTANCE
from airflow_cloudtasks.catalog import WEDATA_WORKFLOW_RUN as WEDATA_RUN
from airflow_cloudtasks.operators.start_cloud_task import StartCloudTaskOperator
from airflow_cloudtasks.protocol.sql_rows import rows_of, without_rows
from airflow_cloudtasks.values import at, text

if TYPE_CHECKING:
    from airflow_cloudtasks.model import CloudTask


class WeDataRunWorkflowOperator(StartCloudTaskOperator):
    """Runs a workflow of WeData (CreateTriggerWorkflowRun), and waits for it. A kill ends it (KillTriggerWorkflowRuns).

    Where it fails, the message names the runs of tasks that failed.

    Args:
        project_id: The vendor's ``ProjectId`` (templated).
        workflow_id: The vendor's ``WorkflowId`` (templated).
        advanced_params: The vendor's ``AdvancedParams``, parameters of this run in the place of the workflow's own:
            a dict (templated).
        wedata_task_ids: The vendor's ``TaskIds``, to run these tasks of the workflow only: a list (templated).
        scheduling_resource_group_id: The vendor's ``SchedulingResourceGroupId`` (templated).
        integration_resource_group_id: The vendor's ``IntegrationResourceGroupId`` (templated).
        **kwargs: As for :class:`~airflow_cloudtasks.operators.start_cloud_task.StartCloudTaskOperator`.
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
            api=WEDATA_RUN,
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
    """Runs SQL in WeData (RunSQLScript), waits for it, and gives its rows. A kill stops it (StopSQLScriptRun).

    XCom gets, besides the task, ``rows``: what the last statement that has columns returned, as a list of dicts by
    column, or None where all statements together have more than ``max_rows``: ``run.output["rows"]``. Values are text,
    as WeData tells them.

    Args:
        project_id: The vendor's ``ProjectId`` (templated).
        sql: The vendor's ``ScriptContent``: the statements, or the name of a file that ends in ``.sql`` (templated).
        script_id: The vendor's ``ScriptId`` of a saved script, which is run as it is if there is no ``sql``
            (templated).
        datasource_id: The vendor's ``DatasourceId``; needed without ``script_id`` (templated).
        datasource_env: The vendor's ``DatasourceEnv`` (templated).
        compute_resource: The vendor's ``ComputeResource`` (templated).
        executor_group_id: The vendor's ``ExecutorGroupId`` (templated).
        variables: The vendor's ``ScriptConfig.Params``, variables of the script: a dict (templated).
        advance_config: The vendor's ``ScriptConfig.AdvanceConfig``: a dict (templated).
        run_params: The vendor's ``Params``, e.g. ``{"executorNum": 1}``: a dict (templated).
        max_rows: How many rows XCom gets at most; of more none, neither in ``rows`` nor in ``detail``.
        **kwargs: As for :class:`~airflow_cloudtasks.operators.start_cloud_task.StartCloudTaskOperator`.
    """

    template_ext: Sequence[str] = (".sql",)

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
        max_rows: int = 1000,
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
        given = {name: value for name, value in config.items() if value is not None}
        super().__init__(
            api=WEDATA_SQL_RUN,
            parameters={
                "ProjectId": project_id,
                "ScriptId": script_id,
                "ScriptContent": sql,
                "ScriptConfig": given or None,
                "Params": run_params,
            },
            **kwargs,
        )
        self.max_rows = max_rows

    def outputs(self, task: CloudTask) -> dict[str, Any]:
        """Give the rows, if they are few enough for XCom."""
        rows, count = rows_of(task.detail)
        if count <= self.max_rows:
            return {"rows": rows}
        self.log.warning("%d rows are more than max_rows=%d: XCom gets none of them.", count, self.max_rows)
        return {"rows": None, "detail": without_rows(task.detail)}


class WeDataBackfillOperator(StartCloudTaskOperator):
    """Runs tasks of WeData for days that are past (CreateDataBackfillPlan), and waits until all have ended.

    It has failed if some of the instances have; the message names them, with the ends of their logs. A kill deletes the
    plan (DeleteDataBackfillPlanAsync).

    Args:
        project_id: The vendor's ``ProjectId`` (templated).
        wedata_task_ids: The vendor's ``TaskIds``: a list (templated).
        data_ranges: The vendor's ``DataBackfillRangeList``: a list of pairs of the first and the last day, as dates,
            times or text like ``{{ ds }}``, or of dicts with the vendor's ``StartDate``, ``EndDate``,
            ``ExecutionStartTime`` and ``ExecutionEndTime`` (templated). Times count by their day in UTC+8.
        plan_name: The vendor's ``DataBackfillPlanName`` (templated).
        time_zone: The vendor's ``TimeZone``, e.g. ``UTC+8`` (templated).
        check_parent_type: The vendor's ``CheckParentType``: ``NONE``, ``ALL`` or ``MAKE_SCOPE`` (templated).
        skip_event_listening: The vendor's ``SkipEventListening``.
        redefine_self_workflow_dependency: The vendor's ``RedefineSelfWorkflowDependency``: ``yes`` or ``no``
            (templated).
        redefine_parallel_num: The vendor's ``RedefineParallelNum``.
        redefine_params: The vendor's ``RedefineParamList``: a dict (templated).
        data_time_order: The vendor's ``DataTimeOrder``: ``NORMAL``, ``ORDER`` or ``REVERSE`` (templated).
        redefine_cycle_type: The vendor's ``RedefineCycleType``: ``MONTH_CYCLE`` (templated).
        scheduler_resource_group_id: The vendor's ``SchedulerResourceGroupId`` (templated).
        integration_resource_group_id: The vendor's ``IntegrationResourceGroupId`` (templated).
        compute_config_mappings: The vendor's ``ComputeConfigMappings``: a list of dicts (templated).
        **kwargs: As for :class:`~airflow_cloudtasks.operators.start_cloud_task.StartCloudTaskOperator`.
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
            api=WEDATA_BACKFILL,
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
    """Runs task instances of WeData again (RerunTaskInstancesAsync), and waits until all of them have ended.

    It returns a list of the instances, each a normalised task. Where one fails, the message has the end of its log. A
    kill ends them (KillTaskInstancesAsync). With ``wait_for_completion=False`` it returns the job that reruns them.

    Args:
        project_id: The vendor's ``ProjectId`` (templated).
        instance_keys: The vendor's ``InstanceKeyList``: a list, e.g. ``["20250714200130106_2025-10-01 00:00:00"]``
            (templated).
        rerun_type: The vendor's ``RerunType``: ``1`` for the instances themselves, ``2`` for them and what follows
            them, ``3`` for what follows them only (templated). The instances themselves are waited for.
        check_parent_type: The vendor's ``CheckParentType``: ``NONE``, ``ALL`` or ``MAKE_SCOPE`` (templated).
        son_range_type: The vendor's ``SonRangeType``: ``WORKFLOW``, ``PROJECT`` or ``ALL`` (templated).
        skip_event_listening: The vendor's ``SkipEventListening``.
        redefine_parallel_num: The vendor's ``RedefineParallelNum``.
        redefine_self_workflow_dependency: The vendor's ``RedefineSelfWorkflowDependency``: ``yes`` or ``no``
            (templated).
        redefine_params: The vendor's ``RedefineParamList``: a dict, of one entry (templated).
        **kwargs: As for :class:`~airflow_cloudtasks.operators.start_cloud_task.StartCloudTaskOperator`.
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
            api=WEDATA_TASK_INSTANCE,
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
    """Changes a label of LKE (ModifyAttributeLabel), and waits until all that carries it has changed.

    LKE cannot cancel it.

    Args:
        bot_biz_id: The vendor's ``BotBizId``, the application's id (templated).
        attribute_biz_id: The vendor's ``AttributeBizId`` (templated).
        attr_name: The vendor's ``AttrName`` (templated).
        attr_key: The vendor's ``AttrKey`` (templated).
        labels: The vendor's ``Labels``: a list of dicts with ``LabelBizId``, ``LabelName`` and ``SimilarLabels``
            (templated).
        delete_label_biz_ids: The vendor's ``DeleteLabelBizIds``: a list (templated).
        login_uin: The vendor's ``LoginUin`` (templated).
        login_sub_account_uin: The vendor's ``LoginSubAccountUin`` (templated).
        **kwargs: As for :class:`~airflow_cloudtasks.operators.start_cloud_task.StartCloudTaskOperator`.
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
            api=LKE_TASK,
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
    """Exports labels of LKE (ExportAttributeLabel), and waits for the file. LKE cannot cancel it.

    XCom gets, besides the task, ``cos_path``, where the file is: ``export.output["cos_path"]``.

    Args:
        bot_biz_id: The vendor's ``BotBizId``, the application's id (templated).
        attribute_biz_ids: The vendor's ``AttributeBizIds``: a list; those that ``filters`` finds if not given
            (templated).
        filters: The vendor's ``Filters``, a dict: ``{"Query": "…"}`` (templated).
        login_uin: The vendor's ``LoginUin`` (templated).
        login_sub_account_uin: The vendor's ``LoginSubAccountUin`` (templated).
        **kwargs: As for :class:`~airflow_cloudtasks.operators.start_cloud_task.StartCloudTaskOperator`.
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
            api=LKE_TASK,
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
        """Give the path of the file."""
        return {"cos_path": text(at(task.detail, "Params.CosPath"))}
