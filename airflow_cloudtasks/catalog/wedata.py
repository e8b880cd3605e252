"""Tencent Cloud WeData."""

from dataclasses import replace
from typing import Any

from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.spec import Action, Cancel, Find, Log, Parts, Percentages, Service, Start, TaskApi, TaskList

WEDATA = Service(
    cloud="tencent",
    name="wedata",
    version="2025-08-06",
    title="WeData",
    time_format="%Y-%m-%d %H:%M:%S",
    console="https://console.cloud.tencent.com/wedata",
    console_intl="https://console.tencentcloud.com/wedata",
)

# Source: cloud.tencent.com, WeData 2025-08-06, GetTask, and the data type TaskBaseAttribute of the vendor's SDK.
# The status is a design-time one: the publication of the task, not a run of it. Times are in UTC+8.
WEDATA_TASK = TaskApi(
    name="wedata.task",
    service=WEDATA,
    read=Action(name="GetTask", params=("ProjectId", "TaskId"), requests_per_second=20),
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
# tasks follow one another. QUEUED stands in the examples alone. What a run is called that was killed is not said:
# KILLED is the word of WeData's manual workflows (2021-08-20), TERMINATED that of its SQL scripts.
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
    """Give a list by page number. How large a page may be is said of ListTaskInstances only."""
    return TaskList(
        action=action,
        tasks="Data.Items",
        page_size_param="PageSize",
        page_size=100,
        page_param="PageNumber",
        page_count="Data.TotalPageNumber",
        **more,
    )


_WORKFLOW_RUNS = _pages(
    Action(name="ListTriggerWorkflowRuns", params=("ProjectId",), requests_per_second=20),
    constants={"OrderFields": [{"Name": "CreateTime", "Direction": "DESC"}]},
)
_RUNS_OF_A_WORKFLOW = replace(_WORKFLOW_RUNS.action, params=("ProjectId", "WorkflowId"), filters=("WorkflowId",))
_READ_WORKFLOW_RUN = Action(
    name="GetTriggerWorkflowRun", params=("ProjectId", "WorkflowExecutionId"), requests_per_second=20
)

# A log is to be had for task instances only.
_FAILED_TASK_RUNS = Parts(
    listed=TaskList(action=_READ_WORKFLOW_RUN, tasks="Data.TriggerTaskRuns"),
    found={"WorkflowExecutionId": "ExecutionId"},
    status="ExecutionState",
    failed=("FAILED",),
    name=("TaskName",),
    id="ExecutionId",
    message=("ErrorCodeStr",),
)

# The runs of the tasks in it, which the answer holds as well, are not taken: there may be hundreds, each is a
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
    starts=(
        Start(
            action=Action(
                name="CreateTriggerWorkflowRun",
                params=("ProjectId", "WorkflowId"),
                optional=("AdvancedParams", "TaskIds", "SchedulingResourceGroupId", "IntegrationResourceGroupId"),
                requests_per_second=20,
            ),
            id="Data.WorkflowExecutionId",
            encodings={"AdvancedParams": "pairs", "TaskIds": "list"},
            key_and_value=("ParamKey", "ParamValue"),
            # Nothing can be put into a run to know it by: parameters stand in the place of the workflow's own.
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
        action=Action(
            name="KillTriggerWorkflowRuns",
            params=("ProjectId", "WorkflowId", "WorkflowExecutionIdList"),
            requests_per_second=20,
        ),
        id_param="WorkflowExecutionIdList",
        many=True,
        found={"WorkflowId": "WorkflowId"},
        items="Data",
        ok="OpStatus",
        why_not="ErrorMessage",
    ),
    parts=_FAILED_TASK_RUNS,
)

# Not one run but the newest of a workflow, whichever that is at the time.
WEDATA_NEWEST_WORKFLOW_RUN = replace(
    WEDATA_WORKFLOW_RUN,
    name="wedata.newest_workflow_run",
    read=replace(_RUNS_OF_A_WORKFLOW, constants={**_WORKFLOW_RUNS.constants, "PageNumber": 1, "PageSize": 1}),
    id_param="WorkflowId",
    task="Data.Items.0",
    list_tasks=None,
    starts=(),
    cancel=None,
)

# Without a list: that of ListTriggerTaskRuns has neither the ExecutionState nor the CreateTime of a single read, and
# does not say whether its TaskExecutionState has the same words.
WEDATA_TASK_RUN = TaskApi(
    name="wedata.task_run",
    service=WEDATA,
    read=Action(name="GetTriggerTaskRun", params=("ProjectId", "TaskExecutionId"), requests_per_second=20),
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
)

# The example's log ends its lines with <br>. How the last page of a log is known is not said.
_GET_LOG = Action(
    name="GetTaskInstanceLog",
    params=("ProjectId", "InstanceKey"),
    optional=("NextCursor",),
    requests_per_second=20,
)


def _log(instance_key: str) -> Log:
    return Log(
        action=_GET_LOG,
        params={"ProjectId": "{ProjectId}", "InstanceKey": instance_key},
        text="Data.LogInfo",
        cursor="Data.NextCursor",
        cursor_param="NextCursor",
        line_end="<br>",
    )


# TimeZone is not among the parameters: without it, times are in UTC+8.
WEDATA_TASK_INSTANCE = TaskApi(
    name="wedata.task_instance",
    service=WEDATA,
    read=Action(name="GetTaskInstance", params=("ProjectId", "InstanceKey"), requests_per_second=20),
    id_param="InstanceKey",
    task="Data",
    status="InstanceState",
    states={
        "WAIT_EVENT": TaskState.PENDING,
        "WAIT_UPSTREAM": TaskState.PENDING,
        "WAIT_RUN": TaskState.PENDING,
        "RUNNING": TaskState.RUNNING,
        "FAILED_RETRY": TaskState.RUNNING,  # failed, and will be tried again
        "SKIP_RUNNING": TaskState.SKIPPED,  # an end: InstanceExecutionPhase says that a branch was passed over
        "EXPIRED": TaskState.FAILED,  # the vendor's word for a failure, not for a time that has run out
        "COMPLETED": TaskState.SUCCEEDED,
    },
    id="InstanceKey",
    task_name="TaskName",
    message="JobErrorMsg",
    started_at="StartTime",
    finished_at="EndTime",
    # A listed instance has no JobErrorMsg.
    list_tasks=_pages(
        Action(name="ListTaskInstances", params=("ProjectId",), requests_per_second=20),
        constants={"SortColumn": "SCHEDULE_DATE", "SortType": "DESC"},
        complete=False,
    ),
    # The instances have begun anew when the job that reruns them has ended.
    starts=(
        Start(
            action=Action(
                name="RerunTaskInstancesAsync",
                params=("ProjectId", "InstanceKeyList"),
                optional=(
                    *("RerunType", "CheckParentType", "SonRangeType", "SkipEventListening"),
                    *("RedefineParallelNum", "RedefineSelfWorkflowDependency", "RedefineParamList"),
                ),
                requests_per_second=20,
            ),
            ids_param="InstanceKeyList",
            job="Data.AsyncId",
            job_api="wedata.async_job",
            encodings={
                "InstanceKeyList": "list",
                "SkipEventListening": "boolean",
                "RedefineParallelNum": "integer",
                "RedefineParamList": "pair",
            },
        ),
    ),
    cancel=Cancel(
        action=Action(name="KillTaskInstancesAsync", params=("ProjectId", "InstanceKeyList"), requests_per_second=20),
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

# What every action whose name ends in Async starts. The id is taken from the request: that in the vendor's example
# answer is another one. PART_SUCCESS is a failure, for not all that was asked for was done.
WEDATA_ASYNC_JOB = TaskApi(
    name="wedata.async_job",
    service=WEDATA,
    read=Action(name="GetOpsAsyncJob", params=("ProjectId", "AsyncId"), requests_per_second=20),
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

# The answer tells no times. Its rows, of up to 10 MB in all, stay in the task's detail.
WEDATA_SQL_RUN = TaskApi(
    name="wedata.sql_run",
    service=WEDATA,
    read=Action(
        name="GetSQLRunResult",
        params=("ProjectId", "JobId"),
        optional=("JobExecutionId",),
        requests_per_second=20,
    ),
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
    # A script's text is sent in Base64 always: of a text that might be Base64, the vendor takes it for that.
    starts=(
        Start(
            action=Action(
                name="RunSQLScript",
                params=("ProjectId",),
                optional=("ScriptId", "ScriptConfig", "ScriptContent", "Params"),
                requests_per_second=20,
            ),
            id="Data.JobId",
            encodings={
                "ScriptContent": "base64",
                "Params": "json",
                "ScriptConfig.Params": "json",
                "ScriptConfig.AdvanceConfig": "base64",
            },
            # Runs without a saved script are in no list.
            find=Find(
                tasks=TaskList(
                    action=Action(name="ListSQLScriptRuns", params=("ProjectId", "ScriptId"), requests_per_second=20),
                    tasks="Data",
                ),
                id="JobId",
                created_at="CreateTime",
                shows={"ScriptId": "ScriptId", "ScriptContent": "ScriptContent"},
            ),
        ),
    ),
    cancel=Cancel(
        action=Action(name="StopSQLScriptRun", params=("JobId", "ProjectId"), requests_per_second=20),
        id_param="JobId",
        items="Data",
        ok="Status",
    ),
)

# A plan has no status. As with PART_SUCCESS, one of which some instances did not succeed has failed.
WEDATA_BACKFILL = TaskApi(
    name="wedata.backfill",
    service=WEDATA,
    read=Action(name="GetDataBackfillPlan", params=("ProjectId", "DataBackfillPlanId"), requests_per_second=20),
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
            action=Action(
                name="CreateDataBackfillPlan",
                params=("ProjectId", "TaskIds", "DataBackfillRangeList"),
                optional=(
                    *("TimeZone", "DataBackfillPlanName", "CheckParentType", "SkipEventListening"),
                    *("RedefineSelfWorkflowDependency", "RedefineParallelNum", "SchedulerResourceGroupId"),
                    *("IntegrationResourceGroupId", "RedefineParamList", "DataTimeOrder", "RedefineCycleType"),
                    "ComputeConfigMappings",
                ),
                requests_per_second=20,
            ),
            id="Data.DataBackfillPlanId",
            first_and_last=("StartDate", "EndDate"),
            encodings={
                "TaskIds": "list",
                "DataBackfillRangeList": "ranges",
                "DataBackfillRangeList.StartDate": "dates",
                "DataBackfillRangeList.EndDate": "dates",
                "SkipEventListening": "boolean",
                "RedefineParallelNum": "integer",
                "RedefineParamList": "pairs",
                "ComputeConfigMappings": "list",
                "ComputeConfigMappings.TaskTypeId": "integer",
            },
        ),
    ),
    cancel=Cancel(
        action=Action(
            name="DeleteDataBackfillPlanAsync", params=("ProjectId", "DataBackfillPlanId"), requests_per_second=20
        ),
        id_param="DataBackfillPlanId",
        removes=True,
    ),
    parts=Parts(
        listed=_pages(
            Action(
                name="ListDataBackfillInstances",
                params=("ProjectId", "DataBackfillPlanId", "TaskId"),
                requests_per_second=20,
            ),
        ),
        fan_out=("TaskId", "TaskIds"),
        status="State",
        failed=("EXPIRED",),
        name=("TaskName",),
        id="CurRunDate",
        log=_log("{TaskId}_{CurRunDate}"),
    ),
)
