"""Where the catalog deviates from a definition, and why. A test fails for an exception that is no longer needed."""

from __future__ import annotations

_API_2 = "the example is a form of API 2.0, with dots in the names"
_OLDER = "the definition has a TaskId, and the example is older"
_IN_JSON = "the vendor documents what is in this JSON, and defines a text"
_NO_OUTCOME = (
    "what it lacks tells nothing of the outcome, so that a second read of each task would not be worth its cost"
)

EXCEPTIONS: dict[str, str] = {
    "adb.spark_app GetSparkAppInfo UNKNOWN": "the vendor does not know the state then; a later read tells it",
    "asw.execution StartExecution example 1 of a start": "the example has the parameters of another product",
    "batch.job SubmitJob example *": _API_2,
    "bdrc.task DescribeTasks Data.Content.*.TaskDetail.*": _IN_JSON,
    "dataworks.scheduled_instance ListTaskInstances SortBy": "the vendor documents the field and its orders apart",
    "dataworks.task_instance ListTaskInstances SortBy": "the vendor documents the field and its orders apart",
    "dataworks.workflow_instance ListWorkflowInstances SortBy": "the vendor documents the field and its orders apart",
    "dataworks.task_instance ListTaskInstances complete": _NO_OUTCOME,
    "emr_serverless_spark.job_run ListJobRuns complete": _NO_OUTCOME,
    "ice.ai_workflow_task GetAIWorkflowTask WorkflowTask.NodeResults.*": _IN_JSON,
    "ice.workflow_task GetWorkflowTask WorkflowTask.ActivityResults.*": _IN_JSON,
    "imm.task ListTasks complete": _NO_OUTCOME,
    "lke.task ExportAttributeLabel example 1 of a start": _OLDER,
    "lke.task ModifyAttributeLabel example 1 of a start": _OLDER,
    "mps.task DescribeTaskDetail *.*.*.Status": "VOD has it at this depth, and the two share their failures",
}
"""The reason of each exception, by API and subject as ``python -m tools.contract`` prints them.

``*`` at the end stands for any rest.
"""
