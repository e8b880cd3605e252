"""Two triggers for comparison: a simple one with the vendor's SDK, and one that only sleeps."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

_A_DAY = 86_400


class SdkTrigger(BaseTrigger):
    """Wait for an LKE task with the vendor's asynchronous client, as the SDK's README suggests."""

    def __init__(self, parameters: dict[str, Any], poke_interval: float) -> None:
        super().__init__()
        self.parameters = parameters
        self.poke_interval = poke_interval

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return f"{__name__}.SdkTrigger", {"parameters": self.parameters, "poke_interval": self.poke_interval}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        from tencentcloud.common.common_client_async import CommonClient
        from tencentcloud.common.credential import Credential
        from tencentcloud.common.profile.client_profile import ClientProfile
        from tencentcloud.common.profile.http_profile import HttpProfile

        credential = Credential("emulator-id", "emulator-secret")
        profile = ClientProfile(httpProfile=HttpProfile(endpoint=os.environ["BENCHMARK_TENCENT"]))
        async with CommonClient("lke", "2023-11-30", credential, "ap-guangzhou", profile) as client:
            while True:
                answer = await client.call_and_deserialize("GetTaskStatus", self.parameters)
                status = answer["Response"]["Status"]
                if status in ("SUCCESS", "FAILED"):
                    yield TriggerEvent({"status": status})
                    return
                await asyncio.sleep(self.poke_interval)


class IdleTrigger(BaseTrigger):
    """Sleep, while holding the arguments of another trigger."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__()
        self.stored = kwargs

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return f"{__name__}.IdleTrigger", self.stored

    async def run(self) -> AsyncIterator[TriggerEvent]:
        await asyncio.sleep(_A_DAY)
        yield TriggerEvent({})
