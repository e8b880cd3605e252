"""The module of each cloud, by the cloud's name."""

from __future__ import annotations

from airflow_cloudtasks.clouds import alibaba, tencent
from airflow_cloudtasks.clouds.wire import CloudModule
from airflow_cloudtasks.model import Cloud

CLOUDS: dict[Cloud, CloudModule] = {"alibaba": alibaba, "tencent": tencent}
