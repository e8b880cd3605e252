"""The vendors' own clients, connected to the emulator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alibabacloud_tea_openapi.models import Config
from tencentcloud.common.common_client import CommonClient
from tencentcloud.common.credential import Credential
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_cloudtasks.emulator import Emulator


def tencent(
    emulator: Emulator, service: str = "wedata", version: str = "2025-08-06"
) -> Callable[[str, dict[str, Any]], dict[str, Any]]:
    """Tencent Cloud's client, as a function of action and parameters that returns the answer without its envelope."""
    where = HttpProfile(protocol="http", endpoint=f"127.0.0.1:{emulator.port}")
    key = Credential("emulator-id", "emulator-secret")
    client = CommonClient(service, version, key, "ap-guangzhou", ClientProfile(httpProfile=where))

    def call(action: str, parameters: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = client.call_json(action, parameters)["Response"]
        assert answer.pop("RequestId")
        return answer

    return call


def alibaba_config(emulator: Emulator, secret: str = "emulator-secret") -> Config:
    return Config(
        access_key_id="emulator-id",
        access_key_secret=secret,
        protocol="HTTP",
        endpoint=f"127.0.0.1:{emulator.port}",
        region_id="cn-shanghai",
    )
