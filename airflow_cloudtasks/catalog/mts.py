"""Alibaba Cloud MPS (ApsaraVideo Media Processing).

A transcode job converts one file of OSS into another one.
"""

from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.spec import Action, Cancel, ManyIds, Service, Start, Success, TaskApi, TaskList

# Source, for this file: the vendor's package alibabacloud-mts20140618, its client and its models. The states are those
# by which ListJob selects jobs.
_CENTRAL_REGIONS = (
    "ap-northeast-2-pop",
    "ap-southeast-2",
    "ap-southeast-3",
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
    "cn-huhehaote-nebula-1",
    "cn-north-2-gov-1",
    "cn-qingdao-nebula",
    "cn-shanghai-et15-b01",
    "cn-shanghai-et2-b01",
    "cn-shanghai-finance-1",
    "cn-shanghai-inner",
    "cn-shanghai-internal-test-1",
    "cn-shenzhen-finance-1",
    "cn-shenzhen-inner",
    "cn-shenzhen-st4-d01",
    "cn-shenzhen-su18-b01",
    "cn-wuhan",
    "cn-wulanchabu",
    "cn-yushanfang",
    "cn-zhangbei",
    "cn-zhangbei-na61-b01",
    "cn-zhangjiakou-na62-a01",
    "cn-zhengzhou-nebula-1",
    "eu-west-1-oxs",
    "me-east-1",
    "rus-west-1-pop",
    "us-east-1",
)

MTS = Service(
    cloud="alibaba",
    name="mts",
    version="2014-06-18",
    title="MPS",
    region_hosts=dict.fromkeys(_CENTRAL_REGIONS, "mts.aliyuncs.com"),
    console="https://mps.console.aliyun.com/",
)

_RESULT = "JobResultList.JobResult.0"

MTS_TRANSCODE_JOB = TaskApi(
    name="mts.transcode_job",
    service=MTS,
    read=Action(name="QueryJobList", params=("JobId",), params_in="query", template={"JobIds": "{JobId}"}),
    id_param="JobId",
    task="JobList.Job.0",
    status="State",
    states={
        "Submitted": TaskState.PENDING,
        "Transcoding": TaskState.RUNNING,
        "TranscodeSuccess": TaskState.SUCCEEDED,
        "TranscodeFail": TaskState.FAILED,
        "TranscodeCancelled": TaskState.CANCELED,
    },
    id="JobId",
    message="Message",
    progress="Percent",
    progress_whole=100,
    created_at="CreationTime",
    finished_at="FinishTime",
    list_tasks=TaskList(
        action=Action(name="ListJob", params_in="query"),
        tasks="JobList.Job",
        page_size_param="MaximumPageSize",
        page_size=100,
        page_param="NextPageToken",
        next_page="NextPageToken",
        since_param="StartOfJobCreatedTimeRange",
        complete=False,
    ),
    read_many=ManyIds(
        action=Action(
            name="QueryJobList", params=("JobIds",), params_in="query", template={"JobIds": "{JobIds:comma}"}
        ),
        tasks="JobList.Job",
        ids_param="JobIds",
        most=10,
    ),
    # A job for each output; a start has one id, so it takes one output.
    starts=(
        Start(
            action=Action(
                name="SubmitJobs",
                params=("PipelineId", "Input", "OutputBucket", "Output"),
                optional=("OutputLocation",),
                params_in="query",
                template={"Outputs": ["{Output}"]},
                json_params=("Outputs",),
                success=Success(f"{_RESULT}.Success", f"{_RESULT}.Code", f"{_RESULT}.Message"),
            ),
            id=f"{_RESULT}.Job.JobId",
            encodings={"PipelineId": "id", "Input": "json", "Output": "object"},
        ),
    ),
    cancel=Cancel(action=Action(name="CancelJob", params=("JobId",), params_in="query"), id_param="JobId"),
)
