"""Operators for Tencent Cloud DLC (Data Lake Compute), with one argument for each parameter of the action."""

from __future__ import annotations

from typing import Any, Literal, get_args

from airflow_cloudtasks.operators._given import contents_of_file, given
from airflow_cloudtasks.operators.start_cloud_task import StartCloudTaskOperator

SqlKind = Literal["SQLTask", "SparkSQLTask"]


class DlcRunSqlOperator(StartCloudTaskOperator):
    """Run an SQL statement in DLC (CreateTask), wait for it, and return its rows.

    A kill of the Airflow task cancels the statement (CancelTask). The request carries the statement in Base64, as the
    vendor requires. The result has the task's parts and ``rows``, for the next task as ``run.output["rows"]``: each a
    dict by column, with values as text, as DLC returns them (DescribeTaskResult). ``rows`` is None if there are more
    than ``max_rows``. If the rows of a statement that has succeeded cannot be read, the try fails, and a retry reads
    them without running the statement again.

    Args:
        sql: The vendor's ``SQL``: the statement, or the name of a file that ends in ``.sql``, in the DAG's folder or
            its ``template_searchpath``. The file is a template, too (templated).
        sql_kind: Member of the request's ``Task``: ``SQLTask`` for SQL, ``SparkSQLTask`` for Spark SQL.
        config: The vendor's ``Config``, a dict of the statement's settings (templated).
        database_name: The vendor's ``DatabaseName``, the database of names without one (templated).
        datasource_connection_name: The vendor's ``DatasourceConnectionName`` (templated).
        data_engine_name: The vendor's ``DataEngineName``; None for the default engine (templated).
        resource_group_name: The vendor's ``ResourceGroupName`` (templated).
        source_info: The vendor's ``SourceInfo``, a dict that says where the statement comes from (templated).
        max_rows: Most rows that XCom stores. If there are more, XCom stores none. None for a result without ``rows``,
            which needs no request for them.
        **kwargs: Arguments of :class:`~airflow_cloudtasks.operators.start_cloud_task.StartCloudTaskOperator`.
    """

    def __init__(
        self,
        *,
        sql: Any,
        sql_kind: SqlKind = "SQLTask",
        config: Any = None,
        database_name: Any = None,
        datasource_connection_name: Any = None,
        data_engine_name: Any = None,
        resource_group_name: Any = None,
        source_info: Any = None,
        max_rows: int | None = 1000,
        **kwargs: Any,
    ) -> None:
        if sql in (None, ""):
            raise ValueError("CreateTask needs a statement. SQL is the argument sql.")
        if sql_kind not in get_args(SqlKind):
            raise ValueError(f"sql_kind is {sql_kind!r}; expected {' or '.join(get_args(SqlKind))}.")
        super().__init__(
            api="dlc.task",
            action="CreateTask",
            parameters={
                "Task": {sql_kind: given({"SQL": contents_of_file(sql), "Config": config})},
                "DatabaseName": database_name,
                "DatasourceConnectionName": datasource_connection_name,
                "DataEngineName": data_engine_name,
                "ResourceGroupName": resource_group_name,
                "SourceInfo": source_info,
            },
            max_rows=max_rows,
            **kwargs,
        )


class DlcRunSparkAppOperator(StartCloudTaskOperator):
    """Run a Spark application of DLC (CreateSparkAppTask), and wait for the run.

    A kill of the Airflow task cancels the run (CancelTask).

    Args:
        job_name: The vendor's ``JobName``, the application's name (templated).
        cmd_args: The vendor's ``CmdArgs``: the program's arguments, separated by spaces (templated).
        source_info: The vendor's ``SourceInfo``, a dict that says where the run comes from (templated).
        **kwargs: Arguments of :class:`~airflow_cloudtasks.operators.start_cloud_task.StartCloudTaskOperator`.
    """

    def __init__(
        self,
        *,
        job_name: Any,
        cmd_args: Any = None,
        source_info: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            api="dlc.task",
            action="CreateSparkAppTask",
            parameters={
                "JobName": job_name,
                "CmdArgs": cmd_args,
                "SourceInfo": source_info,
            },
            **kwargs,
        )
