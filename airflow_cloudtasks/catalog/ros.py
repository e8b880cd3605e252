"""Alibaba Cloud ROS (Resource Orchestration Service).

A stack creates the cloud resources of a template, or changes or deletes them, in the order that they need. A wait ends
when the operation in hand has ended.
"""

from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.spec import Action, Cancel, Find, ManyIds, Service, Start, TaskApi, TaskList

# Source, for this file: the vendor's package alibabacloud-ros20190910, its client and its models.
_CENTRAL_REGIONS = (
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ap-southeast-8",
    "cn-beijing",
    "cn-chengdu",
    "cn-fuzhou",
    "cn-guangzhou",
    "cn-hangzhou",
    "cn-hangzhou-finance",
    "cn-heyuan",
    "cn-heyuan-acdr-1",
    "cn-hongkong",
    "cn-huhehaote",
    "cn-nanjing",
    "cn-qingdao",
    "cn-shanghai",
    "cn-shanghai-finance-1",
    "cn-shenzhen",
    "cn-shenzhen-finance-1",
    "cn-wuhan-lr",
    "cn-wulanchabu",
    "cn-wulanchabu-gic-1",
    "cn-zhangjiakou",
    "cn-zhengzhou-jva",
    "cn-zhongwei",
    "eu-central-1",
    "eu-west-1",
    "eu-west-2",
    "me-central-1",
    "me-east-1",
    "na-south-1",
    "sa-east-1",
    "us-east-1",
    "us-southeast-1",
    "us-west-1",
)

ROS = Service(
    cloud="alibaba",
    name="ros",
    version="2019-09-10",
    title="ROS",
    region_hosts=dict.fromkeys(_CENTRAL_REGIONS, "ros.aliyuncs.com"),
    console="https://ros.console.aliyun.com/",
)

_REGION = {"RegionId": "{region}"}

# A listed stack has no outputs.
_STACKS = TaskList(
    action=Action(name="ListStacks", params_in="query", template=_REGION),
    tasks="Stacks",
    page_size_param="PageSize",
    page_size=50,
    page_param="PageNumber",
    total="TotalCount",
    complete=False,
)

_OPERATIONS = ("CREATE", "UPDATE", "DELETE", "CHECK", "IMPORT_CREATE", "IMPORT_UPDATE")
_ROLLBACKS = ("ROLLBACK", "CREATE_ROLLBACK", "IMPORT_CREATE_ROLLBACK", "IMPORT_UPDATE_ROLLBACK")

ROS_STACK = TaskApi(
    name="ros.stack",
    service=ROS,
    read=Action(name="GetStack", params=("StackId",), params_in="query", template=_REGION),
    id_param="StackId",
    states={
        **{f"{word}_IN_PROGRESS": TaskState.RUNNING for word in (*_OPERATIONS, *_ROLLBACKS, "REVIEW")},
        **{f"{word}_COMPLETE": TaskState.SUCCEEDED for word in _OPERATIONS},
        **{f"{word}_FAILED": TaskState.FAILED for word in (*_OPERATIONS, *_ROLLBACKS)},
        **{f"{word}_COMPLETE": TaskState.FAILED for word in _ROLLBACKS},
    },
    id="StackId",
    task_name="StackName",
    message="StatusReason",
    created_at="CreateTime",
    timezone="+00:00",
    list_tasks=_STACKS,
    # The models do not limit the ids, but a page to 50 stacks.
    read_many=ManyIds(
        action=Action(name="ListStacks", params=("StackIds",), params_in="query", template={**_REGION, "PageSize": 50}),
        tasks="Stacks",
        ids_param="StackIds",
        most=50,
        complete=False,
    ),
    starts=(
        Start(
            action=Action(
                name="CreateStack",
                params=("StackName",),
                optional=(
                    *("TemplateBody", "TemplateURL", "TemplateId", "TemplateVersion", "TemplateScratchId"),
                    *("TemplateScratchRegionId", "Parameters", "TimeoutInMinutes", "DisableRollback", "Parallelism"),
                    *("DeletionProtection", "CreateOption", "RamRoleName", "ResourceGroupId", "Tags"),
                    *("StackPolicyBody", "StackPolicyURL", "ClientToken"),
                ),
                params_in="query",
                places={"TemplateBody": "form"},
                template=_REGION,
            ),
            id="StackId",
            encodings={
                "Parameters": "pairs",
                "Tags": "list",
                "TimeoutInMinutes": "integer",
                "Parallelism": "integer",
                "DisableRollback": "boolean",
                "TemplateId": "id",
                "TemplateScratchId": "id",
                "ResourceGroupId": "id",
            },
            key_and_value=("ParameterKey", "ParameterValue"),
            client_token="ClientToken",  # noqa: S106 - a parameter's name
            find=Find(tasks=_STACKS, id="StackId", created_at="CreateTime", shows={"StackName": "StackName"}),
        ),
    ),
    cancel=Cancel(
        action=Action(name="CancelStackOperation", params=("StackId",), params_in="query", template=_REGION),
        id_param="StackId",
    ),
)
