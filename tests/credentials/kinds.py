"""Every kind of credential of both clouds: the connection that asks for it, and what the clouds then see."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from certificates import Certificates

from airflow_cloudtasks.emulator import Emulator
from airflow_cloudtasks.hooks.alibaba import IceHook
from airflow_cloudtasks.hooks.tencent import WeDataHook
from airflow_cloudtasks.model import CloudTask

CONN_ID = "kind"
ALIBABA_ROLE = "acs:ram::1234567890123456:role/adminrole"
ALIBABA_PROVIDER = "acs:ram::1234567890123456:oidc-provider/ack"
TENCENT_ROLE = "qcs::cam::uin/100015158414:roleName/readOnlyRole"
POLICY = '{"Version": "1", "Statement": [{"Effect": "Allow", "Action": ["*"], "Resource": ["*"]}]}'
SENT_POLICY = POLICY.replace(" ", "")
# No text that a person sees may hold one of these.
SECRETS = ("emulator-secret", "sts-secret", "sts-token", "the-oidc-token", "the-external-id")

Hook = IceHook | WeDataHook


@dataclass(frozen=True)
class Machine:
    """The machine that Airflow runs on."""

    emulator: Emulator
    certificates: Certificates
    token_file: Path
    connect: Callable[[str, dict[str, Any]], None]


@dataclass(frozen=True)
class Kind:
    """A kind of credential.

    Args:
        cloud: The cloud.
        auth_type: Its name.
        extra: What Extra holds for it; the text ``{token_file}`` stands for the file.
        asks: The APIs of the token and metadata services that are asked for one session, in their order.
        sees: Parameters that STS must see.
        key: The key pair, if the connection holds one.
    """

    cloud: str
    auth_type: str
    extra: dict[str, Any] = field(default_factory=dict)
    asks: tuple[str, ...] = ()
    sees: dict[str, Any] = field(default_factory=dict)
    key: tuple[str, str] | None = None

    @property
    def api(self) -> str:
        return {"alibaba": "ice.workflow_task", "tencent": "wedata.task"}[self.cloud]

    def connect(self, machine: Machine, **changes: Any) -> Hook:
        """Put the connection into the environment, with changes to its Extra, and return a hook on it."""
        machine.connect(CONN_ID, self.connection(machine, **changes))
        return self.hook()

    def connection(self, machine: Machine, **changes: Any) -> dict[str, Any]:
        emulator = machine.emulator
        extra = {
            "auth_type": self.auth_type,
            "region": {"alibaba": "cn-shanghai", "tencent": "ap-guangzhou"}[self.cloud],
            "max_tries": 1,
            **{
                name: value.replace("{token_file}", str(machine.token_file)) if isinstance(value, str) else value
                for name, value in self.extra.items()
            },
        }
        extra["endpoints"] = {"metadata": emulator.url}
        if self.cloud == "alibaba" and "role_arn" in extra:
            # Over TLS here, and over plain http for Tencent Cloud: both must work.
            extra["endpoints"]["sts"] = emulator.tls_url
            extra["ca_bundle"] = machine.certificates.ca
        extra = {name: value for name, value in (extra | changes).items() if value is not None}
        connection = {"conn_type": f"cloudtasks_{self.cloud}", "host": emulator.url, "extra": extra}
        return connection | ({"login": self.key[0], "password": self.key[1]} if self.key else {})

    def hook(self, conn_id: str = CONN_ID) -> Hook:
        return IceHook(conn_id) if self.cloud == "alibaba" else WeDataHook(conn_id)

    def __str__(self) -> str:
        return f"{self.cloud}-{self.auth_type}"


KEY = ("emulator-id", "emulator-secret")
STS_KEY = ("sts-id", "sts-secret")
ROLE_EXTRA = {
    "role_session_name": "nightly",
    "external_id": "the-external-id",
    "policy": POLICY,
    "duration_seconds": 1800,
}
ALIBABA_SEES = {
    "RoleArn": ALIBABA_ROLE,
    "RoleSessionName": "nightly",
    "DurationSeconds": "1800",
    "Policy": SENT_POLICY,
}
TENCENT_SEES = {"RoleArn": TENCENT_ROLE, "RoleSessionName": "nightly", "DurationSeconds": 1800}

ALIBABA_ASSUMES = Kind(
    "alibaba",
    "ram_role_arn",
    {"role_arn": ALIBABA_ROLE, **ROLE_EXTRA},
    ("sts.assume_role",),
    {**ALIBABA_SEES, "ExternalId": "the-external-id"},
    KEY,
)
ALIBABA_OIDC = Kind(
    "alibaba",
    "oidc_role_arn",
    {
        "role_arn": ALIBABA_ROLE,
        "oidc_provider_arn": ALIBABA_PROVIDER,
        "oidc_token_file": "{token_file}",
        **ROLE_EXTRA,
    },
    ("sts.assume_role_with_oidc",),
    {**ALIBABA_SEES, "OIDCProviderArn": ALIBABA_PROVIDER},
)
ALIBABA_MACHINE = Kind(
    "alibaba",
    "ecs_ram_role",
    asks=("metadata.token", "metadata.role", "metadata.credentials"),
)
TENCENT_ASSUMES = Kind(
    "tencent",
    "role_arn",
    {"role_arn": TENCENT_ROLE, **ROLE_EXTRA},
    ("sts.assume_role",),
    {**TENCENT_SEES, "ExternalId": "the-external-id"},
    KEY,
)
TENCENT_OIDC = Kind(
    "tencent",
    "oidc_role_arn",
    {"role_arn": TENCENT_ROLE, "provider_id": "tke", "oidc_token_file": "{token_file}", **ROLE_EXTRA},
    ("sts.assume_role_with_web_identity",),
    {**TENCENT_SEES, "ProviderId": "tke"},
)
TENCENT_MACHINE = Kind("tencent", "cvm_role", asks=("metadata.role", "metadata.credentials"))
# The kinds that hold their keys, and the kinds that fetch them.
HOLDING = [
    Kind("alibaba", "access_key", key=KEY),
    Kind("alibaba", "sts", {"security_token": "sts-token"}, key=STS_KEY),
    Kind("tencent", "access_key", key=KEY),
    Kind("tencent", "sts", {"token": "sts-token"}, key=STS_KEY),
]
ASSUMING = [ALIBABA_ASSUMES, TENCENT_ASSUMES]
BY_TOKEN = [ALIBABA_OIDC, TENCENT_OIDC]
MACHINES = [ALIBABA_MACHINE, TENCENT_MACHINE]
ASKING = [*ASSUMING, *BY_TOKEN, *MACHINES]


def read(hook: Hook) -> CloudTask:
    return hook.get_task("t1") if isinstance(hook, IceHook) else hook.get_task("t1", "p1")


async def aread(hook: Hook) -> CloudTask:
    return await (hook.aget_task("t1") if isinstance(hook, IceHook) else hook.aget_task("t1", "p1"))


def read_async(hook: Hook) -> CloudTask:
    return asyncio.run(aread(hook))


EITHER_WAY = pytest.mark.parametrize("get", [read, read_async], ids=["sync", "async"])


def asked(emulator: Emulator) -> list[str]:
    return [entry["api"] for entry in emulator.requests()]


def signers(emulator: Emulator, kind: Kind) -> list[str]:
    """The ids of the keys that the reads of tasks were signed with."""
    return [entry["key_id"] for entry in emulator.requests(kind.api)]


def assert_hides_secrets(text: str) -> None:
    assert not [secret for secret in SECRETS if secret in text], text
    assert "ignature=" not in text
    assert "\n" not in text
