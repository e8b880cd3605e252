"""Operators for Alibaba Cloud AnalyticDB for MySQL, with one argument for each parameter of the action."""

from __future__ import annotations

from typing import Any

from airflow_cloudtasks.operators._given import contents_of_file
from airflow_cloudtasks.operators.start_cloud_task import StartCloudTaskOperator


class AdbSparkRunAppOperator(StartCloudTaskOperator):
    """Run a Spark application in AnalyticDB for MySQL (SubmitSparkApp), and wait for it.

    A kill of the Airflow task kills the application (KillSparkApp).

    Args:
        db_cluster_id: The vendor's ``DBClusterId`` (templated).
        resource_group_name: The vendor's ``ResourceGroupName``, the job resource group (templated).
        data: The vendor's ``Data``, the application's configuration, a dict or JSON; SQL statements for
            ``app_type="SQL"`` (templated).
        app_name: The vendor's ``AppName``, at most 64 characters (templated).
        app_type: The vendor's ``AppType``: ``BATCH``, the vendor's default, ``STREAMING`` or ``SQL`` (templated).
        template_file_id: The vendor's ``TemplateFileId`` (templated).
        agent_source: The vendor's ``AgentSource``, the kind of client, at most 64 characters (templated).
        agent_version: The vendor's ``AgentVersion``, the client's version, at most 64 characters (templated).
        **kwargs: Arguments of :class:`~airflow_cloudtasks.operators.start_cloud_task.StartCloudTaskOperator`.
    """

    def __init__(
        self,
        *,
        db_cluster_id: Any,
        resource_group_name: Any,
        data: Any,
        app_name: Any = None,
        app_type: Any = None,
        template_file_id: Any = None,
        agent_source: Any = None,
        agent_version: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            api="adb.spark_app",
            parameters={
                "DBClusterId": db_cluster_id,
                "ResourceGroupName": resource_group_name,
                "Data": data,
                "AppName": app_name,
                "AppType": app_type,
                "TemplateFileId": template_file_id,
                "AgentSource": agent_source,
                "AgentVersion": agent_version,
            },
            **kwargs,
        )


class AdbSparkRunSqlOperator(StartCloudTaskOperator):
    """Run Spark SQL in AnalyticDB for MySQL (ExecuteSparkWarehouseBatchSQL), and wait for it.

    A kill of the Airflow task cancels the statements (CancelSparkWarehouseBatchSQL). If one fails, the error names it.

    Args:
        db_cluster_id: The vendor's ``DBClusterId`` (templated).
        resource_group_name: The vendor's ``ResourceGroupName`` (templated).
        sql: The vendor's ``Query``: the statements, separated by semicolons, or the name of a file that ends in
            ``.sql``, in the DAG's folder or its ``template_searchpath``. The file is a template, too (templated).
        schema: The vendor's ``Schema``, the database's name (templated).
        runtime_config: The vendor's ``RuntimeConfig``, a dict or JSON (templated).
        execute_time_limit_in_seconds: The vendor's ``ExecuteTimeLimitInSeconds``: seconds after which the statements
            have failed (templated).
        execute_result_limit: The vendor's ``ExecuteResultLimit``: most megabytes that the results may have in OSS
            (templated).
        agency: The vendor's ``Agency``, the client's name (templated).
        **kwargs: Arguments of :class:`~airflow_cloudtasks.operators.start_cloud_task.StartCloudTaskOperator`.
    """

    def __init__(
        self,
        *,
        db_cluster_id: Any,
        resource_group_name: Any,
        sql: Any,
        schema: Any = None,
        runtime_config: Any = None,
        execute_time_limit_in_seconds: Any = None,
        execute_result_limit: Any = None,
        agency: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            api="adb.spark_batch_sql",
            parameters={
                "DBClusterId": db_cluster_id,
                "ResourceGroupName": resource_group_name,
                "Query": contents_of_file(sql),
                "Schema": schema,
                "RuntimeConfig": runtime_config,
                "ExecuteTimeLimitInSeconds": execute_time_limit_in_seconds,
                "ExecuteResultLimit": execute_result_limit,
                "Agency": agency,
            },
            **kwargs,
        )
