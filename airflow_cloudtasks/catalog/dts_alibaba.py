"""Alibaba Cloud DTS (Data Transmission Service).

A job migrates a database, or synchronises two of them. A migration without changes to follow ends by itself; a
synchronisation runs until it fails or is stopped. A job is configured once and may be started again.
"""

from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.spec import Action, Cancel, Parts, Service, Start, Success, TaskApi

# Source, for this file: the vendor's package alibabacloud-dts20200101, its client and its models.
_CENTRAL_REGIONS = (
    "ap-northeast-2-pop",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-5",
    "cn-beijing",
    "cn-beijing-finance-1",
    "cn-beijing-finance-pop",
    "cn-beijing-gov-1",
    "cn-beijing-nu16-b01",
    "cn-chengdu",
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
    "cn-huhehaote",
    "cn-huhehaote-nebula-1",
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
    "cn-wulanchabu",
    "cn-yushanfang",
    "cn-zhangbei-na61-b01",
    "cn-zhangjiakou",
    "cn-zhangjiakou-na62-a01",
    "cn-zhengzhou-nebula-1",
    "eu-central-1",
    "eu-west-1",
    "eu-west-1-oxs",
    "me-east-1",
    "rus-west-1-pop",
    "us-east-1",
    "us-west-1",
)

DTS = Service(
    cloud="alibaba",
    name="dts",
    version="2020-01-01",
    title="DTS",
    region_hosts=dict.fromkeys(_CENTRAL_REGIONS, "dts.aliyuncs.com"),
    console="https://dts.console.aliyun.com/",
)

_REGION = {"RegionId": "{region}"}
# Failures come under HTTP 200.
_SUCCESS = Success("Success", "ErrCode", "ErrMessage")

# The model of DescribeDtsJobDetail lists the statuses; none says that a job was stopped. A job that is suspended or
# locked can go on. DescribeDtsJobs lists jobs of one type only, and without their end.
DTS_JOB = TaskApi(
    name="dts.job",
    service=DTS,
    read=Action(
        name="DescribeDtsJobDetail",
        params=("DtsJobId",),
        optional=("SynchronizationDirection",),
        params_in="query",
        template=_REGION,
        success=_SUCCESS,
    ),
    id_param="DtsJobId",
    states={
        "NotStarted": TaskState.PENDING,
        "NotConfigured": TaskState.PENDING,
        "Prechecking": TaskState.PENDING,
        "PrecheckFailed": TaskState.FAILED,
        "PreCheckPass": TaskState.PENDING,
        "Initializing": TaskState.RUNNING,
        "InitializeFailed": TaskState.FAILED,
        "synchronizing": TaskState.RUNNING,
        "Migrating": TaskState.RUNNING,
        "Failed": TaskState.FAILED,
        "MigrationFailed": TaskState.FAILED,
        "Suspending": TaskState.RUNNING,
        "Modifying": TaskState.RUNNING,
        "Retrying": TaskState.RUNNING,
        "Upgrade": TaskState.RUNNING,
        "Downgrade": TaskState.RUNNING,
        "Locked": TaskState.RUNNING,
        "Finished": TaskState.SUCCEEDED,
    },
    id="DtsJobId",
    task_name="DtsJobName",
    message="ErrorMessage",
    created_at="CreateTime",
    started_at="BootTime",
    finished_at="FinishTime",
    restarts=True,
    json_fields=("Reserved",),
    starts=(
        Start(
            action=Action(
                name="StartDtsJob",
                params=("DtsJobId",),
                optional=("SynchronizationDirection",),
                params_in="query",
                template=_REGION,
                success=_SUCCESS,
            ),
            ids_param="DtsJobId",
            encodings={"DtsJobId": "id"},
        ),
    ),
    cancel=Cancel(
        action=Action(
            name="StopDtsJob",
            params=("DtsJobId",),
            optional=("SynchronizationDirection",),
            params_in="query",
            template=_REGION,
            success=_SUCCESS,
        ),
        id_param="DtsJobId",
    ),
    parts=Parts(
        at="SubDistributedJob",
        failed=("PrecheckFailed", "InitializeFailed", "Failed", "MigrationFailed"),
        name=("DtsJobName", "DtsJobId"),
        id="DtsJobId",
        message=("ErrorMessage",),
    ),
)
