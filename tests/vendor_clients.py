"""The vendors' own clients, connected to the emulator."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import warnings
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from alibabacloud_tea_openapi.models import Config
from tencentcloud.common.common_client import CommonClient
from tencentcloud.common.credential import Credential
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

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


def tccli(
    emulator: Emulator,
    home: Path,
    arguments: Sequence[str],
    credentials: Sequence[str] = (),
    secret: str = "emulator-secret",
) -> Any:
    """Run a command of Tencent Cloud's command line tool in this process, and return the JSON that it prints.

    Importing the tool takes longer than the command. ``home`` has its configuration.

    Raises:
        TencentCloudSDKException: The emulator has refused the request.
    """
    from tccli.command import CLICommand

    own = tuple(credentials) or ("--secretId", "emulator-id", "--secretKey", secret)
    command = [*arguments, *own, "--region", "ap-guangzhou", "--endpoint", emulator.url]
    printed = io.BytesIO()
    with (
        patch.dict(os.environ, {"PATH": os.environ["PATH"], "HOME": str(home)}, clear=True),
        patch.object(sys, "argv", ["tccli", *command]),
        # Of its 270 products, it prepares each for every command.
        patch.object(CLICommand, "_get_available_services", return_value=[arguments[0]]),
        contextlib.redirect_stdout(io.TextIOWrapper(printed, "utf-8")),
        warnings.catch_warnings(),
    ):
        CLICommand()(command)
        sys.stdout.flush()  # by now one of its own
        return json.loads(printed.getvalue())
