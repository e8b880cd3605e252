"""Tencent Cloud WeData.

The tasks are runs of workflows, of their tasks and of SQL scripts, instances that WeData's own scheduler makes for each
day or hour, and backfills of such instances.
"""

from dataclasses import replace
from functools import partial
from typing import Any

from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.spec import (
    Action,
    Cancel,
    Feed,
    Find,
    Log,
    Parts,
    Percentages,
    Results,
    Service,
    Sql,
    Start,
    TaskApi,
    TaskList,
)

WEDATA = Service(
    cloud="tencent",
    name="wedata",
    version="2025-08-06",
    title="WeData",
    time_format="%Y-%m-%d %H:%M:%S",
    console="https://console.cloud.tencent.com/wedata",
    console_intl="https://console.tencentcloud.com/wedata",
)

# Source: the pages of WeData's actions: an account may call each of them 20 times a second.
_action = partial(Action, requests_per_second=20)

# Source: cloud.tencent.com, WeData 2025-08-06, GetTask, and the data type TaskBaseAttribute of the vendor's SDK.
# The status is that of the task's publication, not of a run. Times are in UTC+8.
WEDATA_TASK = TaskApi(
    name="wedata.task",
    service=WEDATA,
    read=_action(name="GetTask", params=("ProjectId", "TaskId")),
    task="Data",
    status="TaskBaseAttribute.Status",
    states={
        "N": TaskState.PENDING,  # new
        "Y": TaskState.SUCCEEDED,  # published, and being scheduled
        "O": TaskState.RUNNING,  # paused
        "T": TaskState.RUNNING,  # going offline
        "F": TaskState.FAILED,  # offline
        "INVALID": TaskState.FAILED,
    },
    id="TaskBaseAttribute.TaskId",
    task_name="TaskBaseAttribute.TaskName",
    created_at="TaskBaseAttribute.CreateTime",
)

# Source, here and below: the definitions and examples of WeData 2025-08-06 that the vendor's tccli ships.
#
# A skip is spelled SKIPED for a workflow run, SKIP for a task run, and SKIPPED in the names of the policies by which
# tasks follow one another. Only the examples have QUEUED. The status of a killed run is not documented: WeData's manual
# workflows (2021-08-20) have KILLED, its SQL scripts have TERMINATED.
_RUN_STATES = {
    "PENDING": TaskState.PENDING,
    "QUEUED": TaskState.PENDING,
    "RUNNING": TaskState.RUNNING,
    "SUCCESS": TaskState.SUCCEEDED,
    "FAILED": TaskState.FAILED,
    "SKIPED": TaskState.SKIPPED,
    "SKIP": TaskState.SKIPPED,
    "SKIPPED": TaskState.SKIPPED,
    "KILLED": TaskState.CANCELED,
    "TERMINATED": TaskState.CANCELED,
}


def _pages(action: Action, **more: Any) -> TaskList:
    """Return a list by page number. The largest page is documented for ListTaskInstances only."""
    return TaskList(
        action=action,
        tasks="Data.Items",
        page_size_param="PageSize",
        page_size=100,
        page_param="PageNumber",
        page_count="Data.TotalPageNumber",
        **more,
    )


_NEWEST_FIRST = {"OrderFields": [{"Name": "CreateTime", "Direction": "DESC"}]}
_ENDED_FIRST = {"OrderFields": [{"Name": "EndTime", "Direction": "DESC"}]}
_OF_A_WORKFLOW_RUN = {"Filters": [{"Name": "WorkflowExecutionId", "Values": ["{WorkflowExecutionId}"]}]}
_OF_A_WORKFLOW = {"Filters": [{"Name": "WorkflowId", "Values": ["{WorkflowId}"]}]}
_WORKFLOW_RUNS = _pages(_action(name="ListTriggerWorkflowRuns", params=("ProjectId",), template=_NEWEST_FIRST))
_RUNS_OF_A_WORKFLOW = replace(
    _WORKFLOW_RUNS.action, params=("ProjectId", "WorkflowId"), template=_NEWEST_FIRST | _OF_A_WORKFLOW
)
# Where runs without an end stand in the order is not documented.
_ENDED_WORKFLOW_RUNS = _pages(
    _action(
        name="ListTriggerWorkflowRuns",
        params=("ProjectId",),
        optional=("WorkflowId",),
        template=_ENDED_FIRST | _OF_A_WORKFLOW,
    )
)
_READ_WORKFLOW_RUN = _action(name="GetTriggerWorkflowRun", params=("ProjectId", "WorkflowExecutionId"))

# Without a log: only task instances have one.
_FAILED_TASK_RUNS = Parts(
    listed=TaskList(action=_READ_WORKFLOW_RUN, tasks="Data.TriggerTaskRuns"),
    found={"WorkflowExecutionId": "ExecutionId"},
    status="ExecutionState",
    failed=("FAILED",),
    name=("TaskName",),
    id="ExecutionId",
    message=("ErrorCodeStr",),
)

# The answer also holds the task runs of the workflow run. They are left out: there may be hundreds, each is a
# wedata.task_run, and a listed run has none. Times are Unix milliseconds in strings.
WEDATA_WORKFLOW_RUN = TaskApi(
    name="wedata.workflow_run",
    service=WEDATA,
    read=_READ_WORKFLOW_RUN,
    id_param="WorkflowExecutionId",
    task="Data.TriggerWorkflowRun",
    status="ExecutionState",
    states=_RUN_STATES,
    id="ExecutionId",
    task_name="WorkflowName",
    message="ErrorCodeStr",
    created_at="CreateTime",
    started_at="ExecutionStartTime",
    finished_at="ExecutionEndTime",
    json_fields=("WorkflowParams",),
    list_tasks=_WORKFLOW_RUNS,
    feed=Feed(tasks=_ENDED_WORKFLOW_RUNS, ended_at="EndTime"),
    starts=(
        Start(
            action=_action(
                name="CreateTriggerWorkflowRun",
                params=("ProjectId", "WorkflowId"),
                optional=("AdvancedParams", "TaskIds", "SchedulingResourceGroupId", "IntegrationResourceGroupId"),
            ),
            id="Data.WorkflowExecutionId",
            encodings={
                "WorkflowId": "id",
                "AdvancedParams": "pairs",
                "TaskIds": "ids",
                "SchedulingResourceGroupId": "id",
                "IntegrationResourceGroupId": "id",
            },
            key_and_value=("ParamKey", "ParamValue"),
            # Without a ``mark``: no parameter is free, because parameters replace the workflow's own.
            find=Find(
                tasks=replace(_WORKFLOW_RUNS, action=_RUNS_OF_A_WORKFLOW),
                id="ExecutionId",
                created_at="CreateTime",
                shows={
                    "WorkflowId": "WorkflowId",
                    "WorkflowParams": "AdvancedParams",
                    "SelectedTaskIds": "TaskIds",
                },
                fields={"TriggerType": "ManualTrigger"},
                newest_first=True,
            ),
        ),
    ),
    cancel=Cancel(
        action=_action(name="KillTriggerWorkflowRuns", params=("ProjectId", "WorkflowId", "WorkflowExecutionIdList")),
        id_param="WorkflowExecutionIdList",
        many=True,
        found={"WorkflowId": "WorkflowId"},
        items="Data",
        ok="OpStatus",
        why_not="ErrorMessage",
    ),
    parts=_FAILED_TASK_RUNS,
)

# The newest run of a workflow that has ended, or the newest one if none has. So a wait ends even if the newest run is
# always under way, because WeData starts runs faster than they end. At most 99 runs at once may be under way.
WEDATA_NEWEST_WORKFLOW_RUN = replace(
    WEDATA_WORKFLOW_RUN,
    name="wedata.newest_workflow_run",
    read=replace(_RUNS_OF_A_WORKFLOW, template={**_RUNS_OF_A_WORKFLOW.template, "PageNumber": 1, "PageSize": 100}),
    id_param="WorkflowId",
    task="Data.Items.0",
    first_ended="Data.Items",
    list_tasks=None,
    feed=Feed(tasks=replace(_ENDED_WORKFLOW_RUNS, complete=False), id="WorkflowId", ended_at="EndTime"),
    starts=(),
    cancel=None,
)

# Without a list: ListTriggerTaskRuns has neither the ExecutionState nor the CreateTime of a single read. Whether its
# TaskExecutionState has the same statuses is not documented.
WEDATA_TASK_RUN = TaskApi(
    name="wedata.task_run",
    service=WEDATA,
    read=_action(name="GetTriggerTaskRun", params=("ProjectId", "TaskExecutionId")),
    id_param="TaskExecutionId",
    task="Data",
    status="ExecutionState",
    states=_RUN_STATES,
    id="ExecutionId",
    task_name="TaskName",
    message="ErrorCodeStr",
    created_at="CreateTime",
    started_at="ExecutionStartTime",
    finished_at="ExecutionEndTime",
    json_fields=("RunParams", "TaskTypeExtensions", "WorkflowParams"),
    feed=Feed(
        tasks=_pages(
            _action(
                name="ListTriggerTaskRuns",
                params=("ProjectId",),
                optional=("WorkflowExecutionId",),
                template=_ENDED_FIRST | _OF_A_WORKFLOW_RUN,
            ),
            complete=False,
        ),
        status="TaskExecutionState",
    ),
)

# In the example, <br> ends the lines of the log. How to recognise its last page is not documented.
_GET_LOG = _action(name="GetTaskInstanceLog", params=("ProjectId", "InstanceKey"), optional=("NextCursor",))


def _log(instance_key: str) -> Log:
    return Log(
        action=_GET_LOG,
        params={"ProjectId": "{ProjectId}", "InstanceKey": instance_key},
        text="Data.LogInfo",
        cursor="Data.NextCursor",
        cursor_param="NextCursor",
        line_end="<br>",
    )


# Without the parameter TimeZone: times are then in UTC+8.
WEDATA_TASK_INSTANCE = TaskApi(
    name="wedata.task_instance",
    service=WEDATA,
    read=_action(name="GetTaskInstance", params=("ProjectId", "InstanceKey")),
    id_param="InstanceKey",
    task="Data",
    status="InstanceState",
    states={
        "WAIT_EVENT": TaskState.PENDING,
        "WAIT_UPSTREAM": TaskState.PENDING,
        "WAIT_RUN": TaskState.PENDING,
        "RUNNING": TaskState.RUNNING,
        "FAILED_RETRY": TaskState.RUNNING,  # failed, and will be retried
        "SKIP_RUNNING": TaskState.SKIPPED,  # an end: by InstanceExecutionPhase, a branch was skipped
        "EXPIRED": TaskState.FAILED,  # the vendor's status for a failure, not for a timeout
        "COMPLETED": TaskState.SUCCEEDED,
    },
    time_in_id="_",
    id="InstanceKey",
    task_name="TaskName",
    message="JobErrorMsg",
    started_at="StartTime",
    finished_at="EndTime",
    # A listed instance has no JobErrorMsg.
    list_tasks=_pages(
        _action(
            name="ListTaskInstances",
            params=("ProjectId",),
            template={"SortColumn": "SCHEDULE_DATE", "SortType": "DESC"},
        ),
        complete=False,
    ),
    feed=Feed(
        tasks=_pages(
            _action(
                name="ListTaskInstances",
                params=("ProjectId",),
                optional=("WorkflowId",),
                template={"SortColumn": "END_TIME", "SortType": "DESC"},
            ),
            complete=False,
        ),
    ),
    # The instances have started again once the job that reruns them has ended.
    starts=(
        Start(
            action=_action(
                name="RerunTaskInstancesAsync",
                params=("ProjectId", "InstanceKeyList"),
                optional=(
                    *("RerunType", "CheckParentType", "SonRangeType", "SkipEventListening"),
                    *("RedefineParallelNum", "RedefineSelfWorkflowDependency", "RedefineParamList"),
                ),
            ),
            ids_param="InstanceKeyList",
            job="Data.AsyncId",
            job_api="wedata.async_job",
            encodings={
                "SkipEventListening": "boolean",
                "RedefineParallelNum": "integer",
                "RedefineParamList": "pair",
            },
        ),
    ),
    cancel=Cancel(
        action=_action(name="KillTaskInstancesAsync", params=("ProjectId", "InstanceKeyList")),
        id_param="InstanceKeyList",
        many=True,
    ),
    parts=Parts(
        status="InstanceState",
        failed=("EXPIRED",),
        name=("TaskName",),
        id="InstanceKey",
        message=("JobErrorMsg",),
        log=_log("{InstanceKey}"),
    ),
)

# The job that every action whose name ends in Async starts. The id comes from the request, because the vendor's example
# answer has another one. PART_SUCCESS is a failure, because some of the requested work was not done.
WEDATA_ASYNC_JOB = TaskApi(
    name="wedata.async_job",
    service=WEDATA,
    read=_action(name="GetOpsAsyncJob", params=("ProjectId", "AsyncId")),
    id_param="AsyncId",
    task="Data",
    states={
        "INIT": TaskState.PENDING,
        "RUNNING": TaskState.RUNNING,
        "SUCCESS": TaskState.SUCCEEDED,
        "FAIL": TaskState.FAILED,
        "PART_SUCCESS": TaskState.FAILED,
    },
    message="ErrorDesc",
    progress="FinishedSubProcessCount",
    progress_whole="TotalSubProcessCount",
    created_at="CreateTime",
)

# The answer has no times. Its rows, up to 10 MB, are in the task's detail.
WEDATA_SQL_RUN = TaskApi(
    name="wedata.sql_run",
    service=WEDATA,
    read=_action(name="GetSQLRunResult", params=("ProjectId", "JobId"), optional=("JobExecutionId",)),
    id_param="JobId",
    task="Data",
    states={
        "QUEUED": TaskState.PENDING,
        "RUNNING": TaskState.RUNNING,
        "SUCCESS": TaskState.SUCCEEDED,
        "FAILED": TaskState.FAILED,
        "TERMINATED": TaskState.CANCELED,
        "CANCELED": TaskState.CANCELED,
    },
    id="JobId",
    message="StatusMessage",
    # A script's text is always sent in Base64: the vendor decodes any text that could be Base64.
    starts=(
        Start(
            action=_action(
                name="RunSQLScript",
                params=("ProjectId",),
                optional=("ScriptId", "ScriptConfig", "ScriptContent", "Params"),
            ),
            id="Data.JobId",
            encodings={
                "ScriptId": "id",
                "ScriptContent": "base64",
                "Params": "map",
                "ScriptConfig.DatasourceId": "id",
                "ScriptConfig.ExecutorGroupId": "id",
                "ScriptConfig.Params": "map",
                "ScriptConfig.AdvanceConfig": "base64",
            },
            # A data source may be of any kind; its id is unique in a region.
            sql=Sql(statement="ScriptContent", namespace="wedata://{region}/{ScriptConfig.DatasourceId}"),
            # The list shows runs of saved scripts only.
            find=Find(
                tasks=TaskList(
                    action=_action(name="ListSQLScriptRuns", params=("ProjectId", "ScriptId")),
                    tasks="Data",
                ),
                id="JobId",
                created_at="CreateTime",
                shows={"ScriptId": "ScriptId", "ScriptContent": "ScriptContent"},
            ),
        ),
    ),
    cancel=Cancel(
        action=_action(name="StopSQLScriptRun", params=("JobId", "ProjectId")),
        id_param="JobId",
        items="Data",
        ok="Status",
    ),
    # Source: the data types SQLRunResult and SQLResultColumn.
    results=Results(at="Results", columns="Columns", column_name="ColumnName", rows=("Rows",), values="Values"),
)

# A plan has no status. Like PART_SUCCESS, a plan with instances that did not succeed is a failure.
WEDATA_BACKFILL = TaskApi(
    name="wedata.backfill",
    service=WEDATA,
    read=_action(name="GetDataBackfillPlan", params=("ProjectId", "DataBackfillPlanId")),
    id_param="DataBackfillPlanId",
    task="Data",
    status=Percentages(complete="CompletePercent", succeeded="SuccessPercent"),
    states={
        Percentages.INCOMPLETE: TaskState.RUNNING,
        Percentages.COMPLETE: TaskState.SUCCEEDED,
        Percentages.FAILURES: TaskState.FAILED,
    },
    id="DataBackfillPlanId",
    task_name="DataBackfillPlanName",
    progress="CompletePercent",
    progress_whole=100,
    started_at="StartTime",
    finished_at="EndTime",
    starts=(
        Start(
            action=_action(
                name="CreateDataBackfillPlan",
                params=("ProjectId", "TaskIds", "DataBackfillRangeList"),
                optional=(
                    *("TimeZone", "DataBackfillPlanName", "CheckParentType", "SkipEventListening"),
                    *("RedefineSelfWorkflowDependency", "RedefineParallelNum", "SchedulerResourceGroupId"),
                    *("IntegrationResourceGroupId", "RedefineParamList", "DataTimeOrder", "RedefineCycleType"),
                    "ComputeConfigMappings",
                ),
            ),
            id="Data.DataBackfillPlanId",
            first_and_last=("StartDate", "EndDate"),
            timezone_param="TimeZone",
            encodings={
                "TaskIds": "ids",
                "DataBackfillRangeList": "ranges",
                "DataBackfillRangeList.StartDate": "dates",
                "DataBackfillRangeList.EndDate": "dates",
                "DataBackfillRangeList.ExecutionStartTime": "clock",
                "DataBackfillRangeList.ExecutionEndTime": "clock",
                "SkipEventListening": "boolean",
                "RedefineParallelNum": "integer",
                "SchedulerResourceGroupId": "id",
                "IntegrationResourceGroupId": "id",
                "RedefineParamList": "pairs",
                "ComputeConfigMappings": "list",
                "ComputeConfigMappings.TaskTypeId": "integer",
                "ComputeConfigMappings.TaskIds": "ids",
            },
        ),
    ),
    cancel=Cancel(
        action=_action(name="DeleteDataBackfillPlanAsync", params=("ProjectId", "DataBackfillPlanId")),
        id_param="DataBackfillPlanId",
        removes=True,
    ),
    parts=Parts(
        listed=_pages(
            _action(name="ListDataBackfillInstances", params=("ProjectId", "DataBackfillPlanId", "TaskId")),
        ),
        fan_out=("TaskId", "TaskIds"),
        status="State",
        failed=("EXPIRED",),
        name=("TaskName",),
        id="CurRunDate",
        log=_log("{TaskId}_{CurRunDate}"),
    ),
)
