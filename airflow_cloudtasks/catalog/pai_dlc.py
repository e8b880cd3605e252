"""Alibaba Cloud PAI DLC (Deep Learning Containers).

A job trains a model in containers of PAI. Stopping a job ends it as Stopped.
"""

from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.spec import Action, Cancel, Feed, ManyIds, Service, Start, TaskApi, TaskList

# Source, for this file: the vendor's package alibabacloud-pai-dlc20201203. Its client sends these regions to the
# central host, and every other one to a host of its own.
_CENTRAL_REGIONS = (
    "ap-northeast-2-pop",
    "ap-south-1",
    "ap-southeast-2",
    "cn-beijing-finance-1",
    "cn-beijing-finance-pop",
    "cn-beijing-gov-1",
    "cn-beijing-nu16-b01",
    "cn-chengdu",
    "cn-edge-1",
    "cn-fujian",
    "cn-haidian-cm12-c01",
    "cn-hangzhou-bj-b01",
    "cn-hangzhou-finance",
    "cn-hangzhou-internal-prod-1",
    "cn-hangzhou-internal-test-1",
    "cn-hangzhou-internal-test-2",
    "cn-hangzhou-internal-test-3",
    "cn-hangzhou-test-306",
    "cn-hongkong-finance-pop",
    "cn-huhehaote",
    "cn-huhehaote-nebula-1",
    "cn-north-2-gov-1",
    "cn-qingdao",
    "cn-qingdao-nebula",
    "cn-shanghai-et15-b01",
    "cn-shanghai-et2-b01",
    "cn-shanghai-inner",
    "cn-shanghai-internal-test-1",
    "cn-shenzhen-finance-1",
    "cn-shenzhen-inner",
    "cn-shenzhen-st4-d01",
    "cn-shenzhen-su18-b01",
    "cn-wuhan",
    "cn-yushanfang",
    "cn-zhangbei",
    "cn-zhangbei-na61-b01",
    "cn-zhangjiakou",
    "cn-zhangjiakou-na62-a01",
    "cn-zhengzhou-nebula-1",
    "eu-west-1",
    "eu-west-1-oxs",
    "me-east-1",
    "rus-west-1-pop",
)

PAI_DLC = Service(
    cloud="alibaba",
    name="pai-dlc",
    version="2020-12-03",
    title="PAI DLC",
    region_hosts=dict.fromkeys(_CENTRAL_REGIONS, "pai-dlc.aliyuncs.com"),
    console="https://pai.console.aliyun.com/",
)

_STATES = {
    "Creating": TaskState.PENDING,
    "Queuing": TaskState.PENDING,
    "Bidding": TaskState.PENDING,
    "EnvPreparing": TaskState.PENDING,
    "SanityChecking": TaskState.PENDING,
    "Running": TaskState.RUNNING,
    "Restarting": TaskState.RUNNING,
    "Stopping": TaskState.RUNNING,
    "SucceededReserving": TaskState.RUNNING,
    "FailedReserving": TaskState.RUNNING,
    "Succeeded": TaskState.SUCCEEDED,
    "Failed": TaskState.FAILED,
    "Stopped": TaskState.CANCELED,
}

PAI_DLC_JOB = TaskApi(
    name="pai_dlc.job",
    service=PAI_DLC,
    read=Action(name="GetJob", params=("JobId",), method="GET", path="/api/v1/jobs/{JobId}", params_in="query"),
    id_param="JobId",
    states=_STATES,
    id="JobId",
    task_name="DisplayName",
    message="ReasonMessage",
    created_at="GmtCreateTime",
    started_at="GmtRunningTime",
    finished_at="GmtFinishTime",
    # A listed job has not all fields of a single one.
    list_tasks=TaskList(
        action=Action(name="ListJobs", method="GET", path="/api/v1/jobs", params_in="query"),
        tasks="Jobs",
        page_size_param="PageSize",
        page_size=100,
        page_param="PageNumber",
        total="TotalCount",
        complete=False,
    ),
    feed=Feed(
        tasks=TaskList(
            action=Action(
                name="ListJobs",
                method="GET",
                path="/api/v1/jobs",
                params_in="query",
                template={"SortBy": "GmtFinishTime", "Order": "desc"},
            ),
            tasks="Jobs",
            page_size_param="PageSize",
            page_size=100,
            page_param="PageNumber",
            total="TotalCount",
            complete=False,
        ),
    ),
    # The models do not limit the ids; 100 of them fill one page.
    read_many=ManyIds(
        action=Action(
            name="ListJobs",
            params=("JobIds",),
            method="GET",
            path="/api/v1/jobs",
            params_in="query",
            template={"JobIds": "{JobIds:comma}", "PageSize": 100},
        ),
        tasks="Jobs",
        ids_param="JobIds",
        most=100,
        complete=False,
    ),
    starts=(
        Start(
            action=Action(
                name="CreateJob",
                params=("DisplayName", "JobType", "JobSpecs", "UserCommand"),
                optional=(
                    *("WorkspaceId", "ResourceId", "Priority", "JobMaxRunningTimeMinutes", "Envs", "CustomEnvs"),
                    *("DataSources", "CodeSource", "ThirdpartyLibs", "ThirdpartyLibDir", "Options", "UserVpc"),
                    *("ElasticSpec", "Settings", "SuccessPolicy", "SchedulingStrategy", "Accessibility"),
                    *("CredentialConfig", "Description", "DebuggerConfigContent", "TemplateId", "TemplateVersion"),
                ),
                path="/api/v1/jobs",
                params_in="json",
            ),
            id="JobId",
            encodings={
                "JobSpecs": "object",
                "Envs": "object",
                "CustomEnvs": "object",
                "DataSources": "object",
                "CodeSource": "object",
                "ThirdpartyLibs": "list",
                "UserVpc": "object",
                "ElasticSpec": "object",
                "Settings": "object",
                "CredentialConfig": "object",
                "Priority": "integer",
                "JobMaxRunningTimeMinutes": "integer",
                "TemplateVersion": "integer",
            },
        ),
    ),
    cancel=Cancel(
        action=Action(name="StopJob", params=("JobId",), path="/api/v1/jobs/{JobId}/stop", params_in="query"),
        id_param="JobId",
    ),
)
