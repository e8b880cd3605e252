"""Operator for Alibaba Cloud EMR Serverless Spark, with one argument for each parameter of the action."""

from __future__ import annotations

from typing import Any

from airflow_cloudtasks.operators._given import given
from airflow_cloudtasks.operators.start_cloud_task import StartCloudTaskOperator


class EmrServerlessSparkRunJobOperator(StartCloudTaskOperator):
    """Run a job of EMR Serverless Spark (StartJobRun), and wait for the run.

    A kill of the Airflow task cancels the run (CancelJobRun).

    Args:
        workspace_id: The vendor's ``workspaceId`` (templated).
        code_type: The vendor's ``codeType``: ``SQL``, ``JAR`` or ``PYTHON`` (templated).
        entry_point: The vendor's ``jobDriver.sparkSubmit.entryPoint``, the main program of Spark, e.g.
            ``oss://…/job.py`` (templated).
        entry_point_arguments: The vendor's ``jobDriver.sparkSubmit.entryPointArguments``, a list of texts (templated).
        spark_submit_parameters: The vendor's ``jobDriver.sparkSubmit.sparkSubmitParameters``, a command line, e.g.
            ``--class org.example.Main --conf spark.executor.cores=4`` (templated).
        name: The vendor's ``name``, the run's name (templated).
        job_id: The vendor's ``jobId`` of a job that exists (templated).
        resource_queue_id: The vendor's ``resourceQueueId`` (templated).
        release_version: The vendor's ``releaseVersion``, the version of the Spark engine (templated).
        display_release_version: The vendor's ``displayReleaseVersion`` (templated).
        configuration_overrides: The vendor's ``configurationOverrides``, a dict, e.g. ``{"configurations": […]}``
            (templated).
        execution_timeout_seconds: The vendor's ``executionTimeoutSeconds``: seconds after which the cloud ends the run
            (templated).
        fusion: The vendor's ``fusion``: whether the Fusion engine accelerates the run (templated).
        tags: The vendor's ``tags``, a list of dicts with ``key`` and ``value`` (templated).
        **kwargs: Arguments of :class:`~airflow_cloudtasks.operators.start_cloud_task.StartCloudTaskOperator`.
    """

    def __init__(
        self,
        *,
        workspace_id: Any,
        code_type: Any = None,
        entry_point: Any = None,
        entry_point_arguments: Any = None,
        spark_submit_parameters: Any = None,
        name: Any = None,
        job_id: Any = None,
        resource_queue_id: Any = None,
        release_version: Any = None,
        display_release_version: Any = None,
        configuration_overrides: Any = None,
        execution_timeout_seconds: Any = None,
        fusion: Any = None,
        tags: Any = None,
        **kwargs: Any,
    ) -> None:
        driver = given(
            {
                "entryPoint": entry_point,
                "entryPointArguments": entry_point_arguments,
                "sparkSubmitParameters": spark_submit_parameters,
            }
        )
        super().__init__(
            api="emr_serverless_spark.job_run",
            parameters={
                "workspaceId": workspace_id,
                "codeType": code_type,
                "jobDriver": given({"sparkSubmit": driver}),
                "name": name,
                "jobId": job_id,
                "resourceQueueId": resource_queue_id,
                "releaseVersion": release_version,
                "displayReleaseVersion": display_release_version,
                "configurationOverrides": configuration_overrides,
                "executionTimeoutSeconds": execution_timeout_seconds,
                "fusion": fusion,
                "tags": tags,
            },
            **kwargs,
        )
