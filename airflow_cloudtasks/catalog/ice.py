"""Alibaba Cloud ICE (Intelligent Media Services).

A task is one run of a workflow that processes media, such as transcoding, or of an AI workflow.
"""

from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.spec import Action, Cancel, Doorbell, Find, Parts, Service, Start, TaskApi, TaskList

# Source: the vendor's package alibabacloud-ice20201109, whose client sends these regions to the central host and
# every other one to a host of its own.
_CENTRAL_REGIONS = (
    "ap-northeast-1",
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
    "cn-zhangbei",
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

ICE = Service(
    cloud="alibaba",
    name="ice",
    version="2020-11-09",
    title="ICE",
    region_hosts=dict.fromkeys(_CENTRAL_REGIONS, "ice.aliyuncs.com") | {"cn-shanghai": "ice.cn-shanghai.aliyuncs.com"},
    regions=("cn-shanghai", "cn-hangzhou", "cn-beijing", "cn-shenzhen", "ap-southeast-1", "us-west-1"),
    console="https://ice.console.aliyun.com/",
)

# Source: the vendor's package. The list holds the tasks of 90 days; the model of a listed task has no ActivityResults.
_WORKFLOW_TASKS = TaskList(
    action=Action(name="ListWorkflowTasks", params_in="query"),
    tasks="TaskList",
    page_size_param="MaxResults",
    page_size=100,
    page_param="NextToken",
    next_page="NextToken",
    since_param="StartOfCreateTime",
    complete=False,
)

# Source: alibabacloud.com, Intelligent Media Services, GetWorkflowTask; the vendor's package lists the statuses. Tasks
# older than a year can no longer be read.
ICE_WORKFLOW_TASK = TaskApi(
    name="ice.workflow_task",
    service=ICE,
    read=Action(name="GetWorkflowTask", params=("TaskId",), params_in="query"),
    task="WorkflowTask",
    states={
        "Init": TaskState.PENDING,
        "Processing": TaskState.RUNNING,
        "Succeed": TaskState.SUCCEEDED,
        "Failed": TaskState.FAILED,
        "Canceled": TaskState.CANCELED,
    },
    id="TaskId",
    created_at="CreateTime",
    finished_at="FinishTime",
    json_fields=("TaskInput", "ActivityResults", "UserData"),
    list_tasks=_WORKFLOW_TASKS,
    # Source: ICE, "Callback events" (help.aliyun.com 610204).
    doorbell=Doorbell(event="WorkflowTaskComplete"),
    # Source: the vendor's package. No action cancels a task.
    starts=(
        Start(
            action=Action(
                name="StartWorkflow",
                params=("WorkflowId",),
                optional=("TaskInput", "UserData", "SkipInputVerification"),
                params_in="query",
            ),
            id="TaskId",
            encodings={
                "WorkflowId": "id",
                "TaskInput": "json",
                "UserData": "json",
                "SkipInputVerification": "boolean",
            },
            mark="UserData",
            notify="UserData.NotifyAddress",
            find=Find(
                tasks=_WORKFLOW_TASKS,
                id="TaskId",
                created_at="CreateTime",
                shows={"Workflow.WorkflowId": "WorkflowId", "TaskInput": "TaskInput", "UserData": "UserData"},
            ),
        ),
    ),
    # Source: alibabacloud.com, ApsaraVideo VOD, "Workflow task completion", which has the same field: objects by the
    # activity's id. Of a failed activity, only the status is documented.
    parts=Parts(
        at="ActivityResults",
        failed=("Failed",),
        name=("ActivityName", "Name", "ActivityId"),
        id="ActivityInstanceId",
        message=("Message", "ErrorMessage", "ErrorCode", "Code", "Result"),
    ),
)

# Source: the vendor's package, and alibabacloud.com, Intelligent Media Services, GetAIWorkflowTask. There is no list.
# A partial success is a failure, because some of the requested work was not done.
ICE_AI_WORKFLOW_TASK = TaskApi(
    name="ice.ai_workflow_task",
    service=ICE,
    read=Action(name="GetAIWorkflowTask", params=("TaskId",), params_in="query"),
    task="WorkflowTask",
    states={
        "running": TaskState.RUNNING,
        "succeeded": TaskState.SUCCEEDED,
        "partial-succeeded": TaskState.FAILED,
        "failed": TaskState.FAILED,
        "stopped": TaskState.CANCELED,
    },
    id="TaskId",
    created_at="CreateTime",
    finished_at="FinishTime",
    json_fields=("Inputs", "Outputs", "NodeResults", "UserData", "Workflow.Graph"),
    starts=(
        Start(
            action=Action(
                name="StartAIWorkflow",
                params=("WorkflowId",),
                optional=("Inputs", "UserData", "DispatchTag"),
                params_in="query",
            ),
            id="TaskId",
            encodings={"WorkflowId": "id", "Inputs": "json", "UserData": "json"},
        ),
    ),
    cancel=Cancel(action=Action(name="StopAIWorkflowTask", params=("TaskId",), params_in="query")),
    # The fields of a node are not documented.
    parts=Parts(
        at="NodeResults",
        failed=("failed", "partial-succeeded"),
        name=("NodeName", "Name", "NodeId"),
        id="NodeId",
        message=("Message", "ErrorMessage", "ErrorCode", "Code"),
    ),
)

# Source, here and below: the vendor's package; the models of the answers have the statuses.
ICE_MEDIA_PRODUCING_JOB = TaskApi(
    name="ice.media_producing_job",
    service=ICE,
    read=Action(name="GetMediaProducingJob", params=("JobId",), params_in="query"),
    id_param="JobId",
    task="MediaProducingJob",
    status="Status",
    states={
        "Init": TaskState.PENDING,
        "Queuing": TaskState.PENDING,
        "Processing": TaskState.RUNNING,
        "Success": TaskState.SUCCEEDED,
        "Failed": TaskState.FAILED,
    },
    id="JobId",
    message="Message",
    progress="Progress",
    progress_whole=100,
    created_at="CreateTime",
    finished_at="CompleteTime",
    json_fields=("UserData", "Timeline", "ClipsParam"),
    starts=(
        Start(
            action=Action(
                name="SubmitMediaProducingJob",
                params=("OutputMediaConfig",),
                optional=(
                    "Timeline",
                    "TemplateId",
                    "ClipsParam",
                    "ProjectId",
                    "ProjectMetadata",
                    "OutputMediaTarget",
                    "MediaMetadata",
                    "EditingProduceConfig",
                    "Source",
                    "UserData",
                    "ClientToken",
                ),
                params_in="query",
                places={"Timeline": "form"},
            ),
            id="JobId",
            encodings={
                "OutputMediaConfig": "json",
                "Timeline": "json",
                "ClipsParam": "json",
                "ProjectMetadata": "json",
                "MediaMetadata": "json",
                "EditingProduceConfig": "json",
                "UserData": "json",
                "ProjectId": "id",
                "TemplateId": "id",
            },
            client_token="ClientToken",  # noqa: S106 - a parameter's name
        ),
    ),
)


ICE_MEDIA_CONVERT_JOB = TaskApi(
    name="ice.media_convert_job",
    service=ICE,
    read=Action(name="GetMediaConvertJob", params=("JobId",), params_in="query"),
    id_param="JobId",
    task="Job",
    status="State",
    states={
        "Inited": TaskState.PENDING,
        "Running": TaskState.RUNNING,
        "Complete": TaskState.SUCCEEDED,
        "Error": TaskState.FAILED,
        "Cancelled": TaskState.CANCELED,
    },
    id="JobId",
    message="Message",
    progress="Percent",
    progress_whole=100,
    created_at="CreateTime",
    finished_at="FinishTime",
    json_fields=("UserData",),
    starts=(
        Start(
            action=Action(
                name="SubmitMediaConvertJob",
                params=("Config",),
                optional=("PipelineId", "UserData", "ClientToken"),
                params_in="query",
            ),
            id="Job.JobId",
            encodings={"Config": "json", "PipelineId": "id", "UserData": "json"},
            client_token="ClientToken",  # noqa: S106 - a parameter's name
        ),
    ),
)


ICE_IPRODUCTION_JOB = TaskApi(
    name="ice.iproduction_job",
    service=ICE,
    read=Action(name="QueryIProductionJob", params=("JobId",), params_in="query"),
    id_param="JobId",
    status="Status",
    states={
        "Queuing": TaskState.PENDING,
        "Analyzing": TaskState.RUNNING,
        "Success": TaskState.SUCCEEDED,
        "Fail": TaskState.FAILED,
    },
    id="JobId",
    task_name="Name",
    created_at="CreateTime",
    finished_at="FinishTime",
    json_fields=("JobParams", "Result", "UserData"),
    starts=(
        Start(
            action=Action(
                name="SubmitIProductionJob",
                params=("FunctionName", "Input", "Output"),
                optional=("Name", "JobParams", "ModelId", "TemplateId", "ScheduleConfig", "UserData"),
                params_in="query",
            ),
            id="JobId",
            encodings={
                "Input": "json",
                "Output": "json",
                "JobParams": "json",
                "ScheduleConfig": "json",
                "UserData": "json",
                "TemplateId": "id",
            },
        ),
    ),
    cancel=Cancel(action=Action(name="CancelIProductionJob", params=("JobId",), params_in="query"), id_param="JobId"),
)


ICE_VIDEO_COGNITION_JOB = TaskApi(
    name="ice.video_cognition_job",
    service=ICE,
    read=Action(name="QueryVideoCognitionJob", params=("JobId",), params_in="query"),
    id_param="JobId",
    status="JobStatus",
    states={
        "Submitted": TaskState.PENDING,
        "Processing": TaskState.RUNNING,
        "Success": TaskState.SUCCEEDED,
        "Fail": TaskState.FAILED,
    },
    json_fields=("Params", "UserData"),
    starts=(
        Start(
            action=Action(
                name="SubmitVideoCognitionJob",
                params=(),
                optional=("Input", "TemplateId", "TemplateConfig", "Title", "Params", "UserData"),
                params_in="query",
            ),
            id="JobId",
            encodings={
                "Input": "json",
                "TemplateConfig": "json",
                "Params": "json",
                "UserData": "json",
                "TemplateId": "id",
            },
        ),
    ),
)
