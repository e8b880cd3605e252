"""Which examples of Tencent Cloud's tccli are requests that the emulator can answer."""

from __future__ import annotations

# Examples that are no requests of the present API, by service and action, with the reason. No action: all of them.
UNUSABLE = {
    ("batch", ""): "a form of API 2.0, with dots in the names",
    ("asw", "StartExecution"): "parameters of another product",
    ("asw", "StopExecution"): "no parameters",
    ("ckafka", "DescribeTaskStatus"): "a form of API 2.0, with every value as text",
    ("redis", "DescribeTaskInfo"): "a form of API 2.0, with every value as text",
    ("cynosdb", "DescribeFlow"): "a form of API 2.0, with every value as text",
    ("dcdb", "DescribeFlow"): "a form of API 2.0, with every value as text",
    ("mariadb", "DescribeFlow"): "a form of API 2.0, with every value as text",
    ("sqlserver", "DescribeFlowStatus"): "a form of API 2.0, with every value as text",
    ("vod", "DescribeTasks"): "a form of API 2.0, with every value as text",
    ("scf", "ListAsyncEvents"): "a form of API 2.0, with every value as text",
}


def is_usable(service: str, action: str) -> bool:
    """Return whether the examples of an action are requests of the present API."""
    return not {(service, ""), (service, action)} & UNUSABLE.keys()
