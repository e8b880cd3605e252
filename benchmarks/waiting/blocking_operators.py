"""The waits of two providers' operators, which block a worker: here each blocks a thread, in place of a worker slot.

The operators' own loops run, unchanged but for the address of the service.
"""

from __future__ import annotations

import asyncio
import os
from abc import abstractmethod
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import airflow.hooks.base  # noqa: F401 - the DLC provider cannot be imported before
from airflow.providers.alibaba.cloud.hooks.analyticdb_spark import AnalyticDBSparkHook
from airflow.providers.alibaba.cloud.operators.analyticdb_spark import AnalyticDBSparkSQLOperator
from airflow.triggers.base import BaseTrigger, TriggerEvent
from alibabacloud_adb20211201.client import Client
from alibabacloud_tea_openapi.models import Config
from tencentcloud.common.credential import Credential
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.dlc.v20210125.dlc_client import DlcClient
from tencentcloud_dlc_provider.hooks.dlc_hook import DLCHook

_SLOTS = ThreadPoolExecutor(max_workers=10_000)
_KEY = ("emulator-id", "emulator-secret")


class _Blocking(BaseTrigger):
    """Block a thread until a task has ended."""

    def __init__(self, task_id: str, poke_interval: float) -> None:
        super().__init__()
        self.task_id = task_id
        self.poke_interval = poke_interval

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return f"{__name__}.{type(self).__name__}", {"task_id": self.task_id, "poke_interval": self.poke_interval}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        succeeded = await asyncio.get_running_loop().run_in_executor(_SLOTS, self.wait)
        yield TriggerEvent({"status": "success" if succeeded else "failure"})

    @abstractmethod
    def wait(self) -> bool:
        """Return whether the task succeeded."""


class _EmulatedDlcHook(DLCHook):  # type: ignore[misc] # the provider has no types
    def get_conn(self) -> Any:
        http = HttpProfile(endpoint=os.environ["BENCHMARK_TENCENT"])
        http.certification = os.environ["REQUESTS_CA_BUNDLE"]
        profile = ClientProfile(httpProfile=http)
        return DlcClient(Credential(*_KEY), "ap-guangzhou", profile)


class DlcOperatorWait(_Blocking):
    """The wait of DLCOperator of tencentcloud-dlc-provider, which polls every 2 seconds."""

    def wait(self) -> bool:
        succeeded: bool = _EmulatedDlcHook("dlc").check_task_state({self.task_id})
        return succeeded


class _ServedAdbHook(AnalyticDBSparkHook):
    def __init__(self) -> None:  # the connection of the benchmark has no auth_type
        self.region = "cn-shanghai"

    def get_adb_spark_client(self) -> Client:
        return Client(Config(access_key_id=_KEY[0], access_key_secret=_KEY[1], endpoint=os.environ["BENCHMARK_JOBS"]))


class AdbOperatorWait(_Blocking):
    """The wait of AnalyticDBSparkSQLOperator of apache-airflow-providers-alibaba."""

    def wait(self) -> bool:
        operator = AnalyticDBSparkSQLOperator(
            task_id="adb", sql="select 1", cluster_id="amv-1", rg_name="job", polling_interval=int(self.poke_interval)
        )
        operator.__dict__["hook"] = _ServedAdbHook()
        try:
            operator.poll_for_termination(self.task_id)
        except Exception as error:
            if "did not succeed" in str(error):
                return False
            raise
        return True
