"""Alibaba Cloud AnalyticDB for MySQL.

A Spark application runs JAR or Python files on a resource group of a cluster; a batch of Spark SQL runs statements one
after another.
"""

from collections.abc import Mapping

from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.spec import Action, Cancel, Log, Parts, Service, Sql, Start, TaskApi
from airflow_cloudtasks.spec.action import Place

# Source, for this file: the vendor's package alibabacloud-adb20211201. Its client maps these regions; every other one
# has a host of its own.
_CENTRAL_REGIONS = (
    "ap-southeast-1",
    "cn-beijing",
    "cn-beijing-finance-1",
    "cn-beijing-finance-pop",
    "cn-beijing-gov-1",
    "cn-beijing-nu16-b01",
    "cn-edge-1",
    "cn-fujian",
    "cn-haidian-cm12-c01",
    "cn-hangzhou",
    "cn-hangzhou-bj-b01",
    "cn-hangzhou-finance",
    "cn-hangzhou-internal-prod-1",
    "cn-hangzhou-internal-test-1",
    "cn-hangzhou-internal-test-2",
    "cn-hangzhou-internal-test-3",
    "cn-hangzhou-test-306",
    "cn-hongkong",
    "cn-hongkong-finance-pop",
    "cn-north-2-gov-1",
    "cn-qingdao",
    "cn-qingdao-nebula",
    "cn-shanghai",
    "cn-shanghai-et15-b01",
    "cn-shanghai-et2-b01",
    "cn-shanghai-finance-1",
    "cn-shanghai-inner",
    "cn-shanghai-internal-test-1",
    "cn-shenzhen",
    "cn-shenzhen-finance-1",
    "cn-shenzhen-inner",
    "cn-shenzhen-st4-d01",
    "cn-shenzhen-su18-b01",
    "cn-wuhan",
    "cn-yushanfang",
    "cn-zhangbei-na61-b01",
    "cn-zhangjiakou-na62-a01",
    "cn-zhengzhou-nebula-1",
    "us-east-1",
    "us-west-1",
)

ADB = Service(
    cloud="alibaba",
    name="adb",
    version="2021-12-01",
    title="AnalyticDB for MySQL",
    region_hosts=dict.fromkeys(_CENTRAL_REGIONS, "adb.aliyuncs.com")
    | {
        "ap-northeast-2-pop": "adb.ap-northeast-1.aliyuncs.com",
        "eu-west-1-oxs": "adb.ap-northeast-1.aliyuncs.com",
        "me-east-1": "adb.ap-northeast-1.aliyuncs.com",
        "rus-west-1-pop": "adb.ap-northeast-1.aliyuncs.com",
    },
    console="https://ads.console.aliyun.com/",
)

# As OpenLineage names the tables of a cluster: by the cluster and its region.
_TABLES = "adb://{DBClusterId}.{region}"

_IN_QUERY: Mapping[str, Place] = {"DBClusterId": "query"}
# The last lines of what a Spark application has written; a statement of a batch has an application, too.
_LOG = Log(
    action=Action(
        name="GetSparkAppLog",
        params=("AppId",),
        optional=("DBClusterId",),
        params_in="form",
        places=_IN_QUERY,
    ),
    params={"AppId": "{AppId}", "DBClusterId": "{DBClusterId}"},
    text="Data.LogContent",
)

# Source of the states: the same package, the model of GetSparkAppInfo. Listed applications need a cluster, which the
# read does not.
ADB_SPARK_APP = TaskApi(
    name="adb.spark_app",
    service=ADB,
    read=Action(
        name="GetSparkAppInfo",
        params=("AppId",),
        optional=("DBClusterId",),
        params_in="form",
        places=_IN_QUERY,
    ),
    id_param="AppId",
    task="Data",
    status="State",
    states={
        "SUBMITTED": TaskState.PENDING,
        "STARTING": TaskState.PENDING,
        "RUNNING": TaskState.RUNNING,
        "FAILING": TaskState.RUNNING,
        "KILLING": TaskState.RUNNING,
        "SUCCEEDING": TaskState.RUNNING,
        "COMPLETED": TaskState.SUCCEEDED,
        "FAILED": TaskState.FAILED,
        "FATAL": TaskState.FAILED,
        "KILLED": TaskState.CANCELED,
    },
    id="AppId",
    task_name="AppName",
    message="Message",
    created_at="Detail.SubmittedTimeInMillis",
    started_at="Detail.StartedTimeInMillis",
    finished_at="Detail.TerminatedTimeInMillis",
    json_fields=("Detail.Data",),
    starts=(
        Start(
            action=Action(
                name="SubmitSparkApp",
                params=("DBClusterId", "ResourceGroupName", "Data"),
                optional=("AppName", "AppType", "AgentSource", "AgentVersion", "TemplateFileId"),
                params_in="form",
            ),
            id="Data.AppId",
            encodings={"Data": "json", "TemplateFileId": "integer", "DBClusterId": "id"},
            sql=Sql(statement="Data", namespace=_TABLES, when={"AppType": "SQL"}),
        ),
    ),
    cancel=Cancel(
        action=Action(
            name="KillSparkApp", params=("AppId",), optional=("DBClusterId",), params_in="form", places=_IN_QUERY
        ),
        id_param="AppId",
    ),
    parts=Parts(status="State", failed=("FAILED", "FATAL"), log=_LOG),
)

ADB_SPARK_BATCH_SQL = TaskApi(
    name="adb.spark_batch_sql",
    service=ADB,
    read=Action(name="GetSparkWarehouseBatchSQL", params=("QueryId",), optional=("DBClusterId",), params_in="form"),
    id_param="QueryId",
    task="Data",
    status="QueryState",
    states={
        "PENDING": TaskState.PENDING,
        "SUBMITTED": TaskState.PENDING,
        "RUNNING": TaskState.RUNNING,
        "FINISHED": TaskState.SUCCEEDED,
        "FAILED": TaskState.FAILED,
        "CANCELED": TaskState.CANCELED,
    },
    id="QueryId",
    message="ErrMessage",
    created_at="QuerySubmissionTime",
    started_at="QueryStartTime",
    finished_at="QueryEndTime",
    starts=(
        Start(
            action=Action(
                name="ExecuteSparkWarehouseBatchSQL",
                params=("DBClusterId", "ResourceGroupName", "Query"),
                optional=("Schema", "RuntimeConfig", "ExecuteTimeLimitInSeconds", "ExecuteResultLimit", "Agency"),
                params_in="form",
            ),
            id="Data.QueryId",
            encodings={
                "DBClusterId": "id",
                "RuntimeConfig": "json",
                "ExecuteTimeLimitInSeconds": "integer",
                "ExecuteResultLimit": "integer",
            },
            sql=Sql(statement="Query", namespace=_TABLES, database="Schema"),
        ),
    ),
    cancel=Cancel(
        action=Action(
            name="CancelSparkWarehouseBatchSQL", params=("QueryId",), optional=("DBClusterId",), params_in="form"
        ),
        id_param="QueryId",
    ),
    parts=Parts(
        at="Statements",
        status="State",
        failed=("FAILED",),
        name=("StatementId",),
        id="StatementId",
        message=("Error", "Code"),
        log=_LOG,
    ),
)
