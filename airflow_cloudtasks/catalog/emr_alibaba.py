"""Alibaba Cloud E-MapReduce.

A cluster is a task until it is ready for jobs; an operation creates or changes a cluster, for instance adds nodes.
"""

from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.spec import Action, Cancel, Find, Service, Start, TaskApi, TaskList

# Source, for this file: the vendor's package alibabacloud-emr20210320, its client and its models.
_CENTRAL_REGIONS = (
    "ap-northeast-2-pop",
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
    "cn-hongkong-finance-pop",
    "cn-huhehaote-nebula-1",
    "cn-north-2-gov-1",
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
    "cn-zhangbei",
    "cn-zhangbei-na61-b01",
    "cn-zhangjiakou-na62-a01",
    "cn-zhengzhou-nebula-1",
    "eu-west-1-oxs",
    "rus-west-1-pop",
    "us-west-1",
)
_OWN_HOSTS = (
    "ap-northeast-1",
    "ap-southeast-3",
    "ap-southeast-5",
    "cn-chengdu",
    "cn-heyuan-acdr-1",
    "cn-hongkong",
    "cn-huhehaote",
    "cn-qingdao",
    "cn-wulanchabu",
    "cn-zhangjiakou",
    "eu-central-1",
    "eu-west-1",
    "me-central-1",
    "me-east-1",
    "us-east-1",
)

EMR = Service(
    cloud="alibaba",
    name="emr",
    version="2021-03-20",
    title="E-MapReduce",
    region_hosts=dict.fromkeys(_CENTRAL_REGIONS, "emr.aliyuncs.com")
    | {region: f"emr.{region}.aliyuncs.com" for region in _OWN_HOSTS},
    console="https://emr.console.aliyun.com/",
)

_REGION = {"RegionId": "{region}"}

_CLUSTERS = TaskList(
    action=Action(name="ListClusters", params_in="query", template=_REGION),
    tasks="Clusters",
    page_size_param="MaxResults",
    page_size=100,
    page_param="NextToken",
    next_page="NextToken",
    complete=False,
)

EMR_CLUSTER = TaskApi(
    name="emr.cluster",
    service=EMR,
    read=Action(name="GetCluster", params=("ClusterId",), params_in="query", template=_REGION),
    id_param="ClusterId",
    task="Cluster",
    status="ClusterState",
    states={
        "STARTING": TaskState.PENDING,
        "BOOTSTRAPPING": TaskState.RUNNING,
        "RUNNING": TaskState.SUCCEEDED,
        "START_FAILED": TaskState.FAILED,
        "TERMINATING": TaskState.RUNNING,
        "TERMINATED": TaskState.CANCELED,
        "TERMINATED_WITH_ERRORS": TaskState.FAILED,
        "TERMINATE_FAILED": TaskState.FAILED,
    },
    id="ClusterId",
    task_name="ClusterName",
    message="StateChangeReason.Message",
    created_at="CreateTime",
    list_tasks=_CLUSTERS,
    starts=(
        Start(
            action=Action(
                name="RunCluster",
                params=("ClusterName", "ClusterType", "ReleaseVersion", "Applications", "NodeGroups"),
                optional=(
                    *("NodeAttributes", "ApplicationConfigs", "BootstrapScripts", "DeployMode", "SecurityMode"),
                    *("PaymentType", "SubscriptionConfig", "DeletionProtection", "Description", "ResourceGroupId"),
                    *("Tags", "ClientToken"),
                ),
                params_in="form",
                places={"RegionId": "query"},
                template=_REGION,
            ),
            id="ClusterId",
            encodings={
                "Applications": "json",
                "NodeGroups": "json",
                "NodeAttributes": "json",
                "ApplicationConfigs": "json",
                "BootstrapScripts": "json",
                "SubscriptionConfig": "json",
                "Tags": "json",
                "DeletionProtection": "boolean",
                "ResourceGroupId": "id",
            },
            client_token="ClientToken",  # noqa: S106 - a parameter's name
            find=Find(tasks=_CLUSTERS, id="ClusterId", created_at="CreateTime", shows={"ClusterName": "ClusterName"}),
        ),
    ),
    cancel=Cancel(
        action=Action(name="DeleteCluster", params=("ClusterId",), params_in="query", template=_REGION),
        id_param="ClusterId",
    ),
)

EMR_OPERATION = TaskApi(
    name="emr.operation",
    service=EMR,
    read=Action(name="GetOperation", params=("ClusterId", "OperationId"), params_in="query", template=_REGION),
    id_param="OperationId",
    task="Operation",
    status="OperationState",
    states={
        "IN_PROGRESS": TaskState.RUNNING,
        "HUMAN_PROCESSING": TaskState.RUNNING,
        "COMPLETED": TaskState.SUCCEEDED,
        "FAILED": TaskState.FAILED,
    },
    id="OperationId",
    task_name="OperationType",
    message="StateChangeReason.Message",
    created_at="CreateTime",
    started_at="StartTime",
    finished_at="EndTime",
)
