"""What passes a proxy: every kind of credentials, of both clouds, by every route, in both ways, and nothing more.

The clouds' own host names are called. A recording proxy resolves them to the emulator, as does this process.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import pytest
from certificates import make_certificates
from recording_proxy import RecordingProxy, recording_proxy

from airflow_cloudtasks.catalog import find_api
from airflow_cloudtasks.clouds.client import CloudClient
from airflow_cloudtasks.clouds.credentials import shared
from airflow_cloudtasks.emulator import Emulator
from airflow_cloudtasks.hooks.connection import ALIBABA_FIELDS, TENCENT_FIELDS, ConnectionValues, read_connection

ALIBABA_ROLE = "acs:ram::1234567890123456:role/adminrole"
ALIBABA_PROVIDER = "acs:ram::1234567890123456:oidc-provider/ack"
TENCENT_ROLE = "qcs::cam::uin/100015158414:roleName/readOnlyRole"
DEAD = "http://127.0.0.1:9"
# No setting of the machine that runs the tests may count.
FOREIGN = ("ALIBABA_CLOUD_", "ALICLOUD_", "TENCENTCLOUD_", "TCCLI_", "TKE_", "REQUESTS_CA_", "CURL_CA_", "SSL_CERT_")
CI_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@dataclass(frozen=True)
class Cloud:
    """A cloud's hosts, and the task that is read there."""

    name: str
    fields: Any
    region: str
    api: str
    task: dict[str, str]
    host: str
    sts: str
    domain: str
    metadata: str
    metadata_apis: tuple[str, ...]


ALIBABA = Cloud(
    name="alibaba",
    fields=ALIBABA_FIELDS,
    region="cn-shanghai",
    api="ice.workflow_task",
    task={"TaskId": "t1"},
    host="ice.cn-shanghai.aliyuncs.com",
    sts="sts.cn-shanghai.aliyuncs.com",
    domain=".aliyuncs.com",
    metadata="100.100.100.200",
    metadata_apis=("metadata.token", "metadata.role", "metadata.credentials"),
)
TENCENT = Cloud(
    name="tencent",
    fields=TENCENT_FIELDS,
    region="ap-guangzhou",
    api="wedata.task",
    task={"TaskId": "t1", "ProjectId": "p1"},
    host="wedata.tencentcloudapi.com",
    sts="sts.tencentcloudapi.com",
    domain="*.tencentcloudapi.com",
    metadata="metadata.tencentyun.com",
    metadata_apis=("metadata.role", "metadata.credentials"),
)


@dataclass(frozen=True)
class Kind:
    """A kind of credentials.

    Args:
        cloud: The cloud.
        name: Its name.
        extra: Extra of the connection; ``{token}`` stands for a file.
        variables: Variables of the environment.
        key: The key pair, if the connection holds one.
        asks: What is asked for the credentials: ``sts``, ``metadata`` or nothing.
        off: Hosts that cannot be resolved.
    """

    cloud: Cloud
    name: str
    extra: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    key: tuple[str, str] | None = None
    asks: str = ""
    off: tuple[str, ...] = ()

    @property
    def hosts(self) -> list[str]:
        """The hosts of the requests that may pass a proxy, in order."""
        return [self.cloud.sts, self.cloud.host] if self.asks == "sts" else [self.cloud.host]


KEY = ("emulator-id", "emulator-secret")
TOKEN = "{token}"
KINDS = (
    Kind(ALIBABA, "api", key=KEY),
    Kind(TENCENT, "api", key=KEY),
    Kind(ALIBABA, "sts", {"auth_type": "ram_role_arn", "role_arn": ALIBABA_ROLE}, key=KEY, asks="sts"),
    Kind(TENCENT, "sts", {"auth_type": "role_arn", "role_arn": TENCENT_ROLE}, key=KEY, asks="sts"),
    Kind(
        ALIBABA,
        "oidc",
        {"auth_type": "oidc_role_arn", "role_arn": ALIBABA_ROLE}
        | {"oidc_provider_arn": ALIBABA_PROVIDER, "oidc_token_file": TOKEN},
        asks="sts",
    ),
    Kind(
        TENCENT,
        "oidc",
        {"auth_type": "oidc_role_arn", "role_arn": TENCENT_ROLE, "provider_id": "tke", "oidc_token_file": TOKEN},
        asks="sts",
    ),
    Kind(ALIBABA, "metadata", {"auth_type": "ecs_ram_role"}, asks="metadata"),
    Kind(TENCENT, "metadata", {"auth_type": "cvm_role"}, asks="metadata"),
    # The vendors' chains: once to their last source but one, the machine's role, and once to a role of a pod.
    Kind(ALIBABA, "chain", {"auth_type": "default"}, asks="metadata"),
    Kind(TENCENT, "chain", {"auth_type": "default"}, asks="metadata"),
    Kind(
        ALIBABA,
        "chain-pod",
        {"auth_type": "default"},
        {"ALIBABA_CLOUD_ROLE_ARN": ALIBABA_ROLE, "ALIBABA_CLOUD_OIDC_PROVIDER_ARN": ALIBABA_PROVIDER}
        | {"ALIBABA_CLOUD_OIDC_TOKEN_FILE": TOKEN},
        asks="sts",
    ),
    Kind(
        TENCENT,
        "chain-pod",
        {"auth_type": "default"},
        {"TKE_ROLE_ARN": TENCENT_ROLE, "TKE_PROVIDER_ID": "tke", "TKE_WEB_IDENTITY_TOKEN_FILE": TOKEN},
        asks="sts",
        off=(TENCENT.metadata,),
    ),
)


@dataclass(frozen=True)
class Route:
    """How a proxy is set.

    Args:
        name: Its name.
        environment: Whether the environment names the recording proxy.
        connection: Whether the connection does. The environment's proxy is one that does not answer then.
        listed: The value of ``NO_PROXY`` for a kind.
        passes: Whether a host's requests pass the recording proxy.
    """

    name: str
    environment: bool = False
    connection: bool = False
    listed: Callable[[Kind], str] = lambda kind: ""
    passes: Callable[[Kind, str], bool] = lambda kind, host: False


ROUTES = (
    Route("direct"),
    Route("environment", environment=True, passes=lambda kind, host: True),
    Route("connection", connection=True, passes=lambda kind, host: True),
    Route(
        "connection-and-no-proxy", environment=True, connection=True, listed=lambda kind: "*", passes=lambda *_: True
    ),
    # The first host is that of STS, for the kinds that ask it.
    Route("host", True, listed=lambda kind: kind.hosts[0], passes=lambda kind, host: host != kind.hosts[0]),
    Route("other-host", True, listed=lambda kind: kind.hosts[-1], passes=lambda kind, host: host != kind.hosts[-1]),
    Route("domain", True, listed=lambda kind: f"localhost, {kind.cloud.domain}"),
    Route(
        "port",
        True,
        listed=lambda kind: f"{kind.hosts[0]}:443,{kind.hosts[-1]}:8443",
        passes=lambda kind, host: host != kind.hosts[0],
    ),
    Route("everything", True, listed=lambda kind: "*"),
)


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Emulator, str]]:
    """The emulator, under the clouds' own names; and the file of the authority that issued its certificate."""
    hosts = [host for cloud in (ALIBABA, TENCENT) for host in (cloud.host, cloud.sts)]
    made = make_certificates(tmp_path_factory.mktemp("certificates"), *hosts)
    with Emulator(tls_cert=made.cert, tls_key=made.key, tls_port=0) as running:
        yield running, made.ca


@pytest.fixture(scope="module")
def proxy(emulator: tuple[Emulator, str]) -> Iterator[RecordingProxy]:
    with recording_proxy(emulator[0].port, emulator[0].tls_port) as running:
        yield running


@pytest.fixture(autouse=True)
def plain_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in os.environ:
        if name.upper().startswith((*FOREIGN, *CI_PROXIES)):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    # A default login, which must reach nobody.
    (tmp_path / ".netrc").write_text("default login somebody password else\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setattr(shared, "_shared", WeakValueDictionary())


@dataclass
class Resolver:
    """Resolves every host to the emulator, and remembers the hosts that were resolved to reach it without a proxy."""

    emulator: Emulator
    off: tuple[str, ...]
    direct: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.really = socket.getaddrinfo

    def getaddrinfo(self, host: Any, port: Any, *arguments: Any, **more: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else str(host)
        if name in self.off:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        if name != "127.0.0.1":
            self.direct.add(name)
            port = {443: self.emulator.tls_port, 80: self.emulator.port}[port]
        return self.really("127.0.0.1", port, *arguments, **more)


def read(client: CloudClient, cloud: Cloud) -> dict[str, Any]:
    api = find_api(cloud.api)
    try:
        return client.call(api.service, api.read, cloud.task)
    finally:
        client.close()


def read_async(client: CloudClient, cloud: Cloud) -> dict[str, Any]:
    api = find_api(cloud.api)

    async def reading() -> dict[str, Any]:
        async with client.transport(api.service) as transport:
            return await client.acall(transport, api.service, api.read, cloud.task)

    return asyncio.run(reading())


@pytest.mark.parametrize("reading", [read, read_async], ids=["sync", "async"])
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.cloud.name}-{kind.name}")
def test_a_proxy_sees_what_should_pass_it_and_no_more(
    kind: Kind,
    route: Route,
    reading: Callable[[CloudClient, Cloud], dict[str, Any]],
    emulator: tuple[Emulator, str],
    proxy: RecordingProxy,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cloud, (server, authority) = kind.cloud, emulator
    server.reset()
    server.add_finished(cloud.api, "t1")
    proxy.seen.clear()
    resolver = Resolver(server, kind.off)
    monkeypatch.setattr(socket, "getaddrinfo", resolver.getaddrinfo)
    token_file = tmp_path / "token"
    token_file.write_text("the-oidc-token")
    for name, value in kind.variables.items():
        monkeypatch.setenv(name, value.replace(TOKEN, str(token_file)))
    if route.environment or route.connection:
        for name in ("HTTPS_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, DEAD if route.connection else proxy.url)
        monkeypatch.setenv("NO_PROXY", route.listed(kind))
    extra = {name: value.replace(TOKEN, str(token_file)) for name, value in kind.extra.items()}
    extra |= {"region": cloud.region, "ca_bundle": authority, "max_tries": "1"}
    if route.connection:
        extra["proxy"] = proxy.url

    login, password = kind.key or (None, None)
    values = ConnectionValues(
        conn_id="matrix",
        conn_type=cloud.fields.conn_types[0],
        login=login,
        password=password,
        host=None,
        port=None,
        extra=extra,
    )
    answer = reading(CloudClient(read_connection(cloud.fields, values, "matrix")), cloud)

    assert answer
    assert proxy.seen == [("CONNECT", f"{host}:443") for host in kind.hosts if route.passes(kind, host)]
    expected = {host for host in kind.hosts if not route.passes(kind, host)}
    assert resolver.direct == expected | ({cloud.metadata} if kind.asks == "metadata" else set())
    asked = [entry["api"] for entry in server.requests()]
    assert asked[-1] == cloud.api
    assert tuple(asked[:-1]) == cloud.metadata_apis if kind.asks == "metadata" else len(asked) == len(kind.hosts)
