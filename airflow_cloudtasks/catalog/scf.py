"""Tencent Cloud SCF (Serverless Cloud Function).

An asynchronous event runs a function whose asynchronous execution is enabled. SCF forgets it three days after its end.
"""

from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.spec import Action, Cancel, Feed, Service, Start, TaskApi, TaskList

# Source, for this file: the definitions and examples of SCF 2018-04-16 that the vendor's tccli ships.
SCF = Service(
    cloud="tencent",
    name="scf",
    version="2018-04-16",
    title="SCF",
    console="https://console.cloud.tencent.com/scf",
    console_intl="https://console.tencentcloud.com/scf",
)

# An event is read without its function, but listed and canceled by it. So no list serves the waits of one account, and
# only waits that know the function have a feed.
SCF_ASYNC_EVENT = TaskApi(
    name="scf.async_event",
    service=SCF,
    # Source of the rate: cloud.tencent.com/document/api/583/65704.
    read=Action(name="GetAsyncEventStatus", params=("InvokeRequestId",), requests_per_second=20),
    id_param="InvokeRequestId",
    task="Result",
    states={
        "RUNNING": TaskState.RUNNING,
        "FINISHED": TaskState.SUCCEEDED,
        "FAILED": TaskState.FAILED,
        "ABORTED": TaskState.CANCELED,
    },
    id="InvokeRequestId",
    feed=Feed(
        tasks=TaskList(
            action=Action(
                name="ListAsyncEvents",
                params=("FunctionName",),
                optional=("Namespace",),
                template={"Orderby": "EndTime", "Order": "DESC"},
            ),
            tasks="EventList",
            page_size_param="Limit",
            page_size=100,
            offset_param="Offset",
            total="TotalCount",
            complete=False,
        ),
        ended_at="EndTime",
    ),
    # Another value of InvocationType waits for the function and starts no event.
    starts=(
        Start(
            action=Action(
                name="Invoke",
                params=("FunctionName",),
                optional=("Qualifier", "ClientContext", "Namespace", "RoutingKey"),
                template={"InvocationType": "Event"},
            ),
            id="Result.FunctionRequestId",
            encodings={"ClientContext": "json", "RoutingKey": "json"},
        ),
    ),
    cancel=Cancel(
        action=Action(name="TerminateAsyncEvent", params=("InvokeRequestId", "FunctionName"), optional=("Namespace",)),
        id_param="InvokeRequestId",
        needs=("FunctionName", "Namespace"),
    ),
)
