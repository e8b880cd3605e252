"""The metadata services, asked directly and through the emulator as a proxy."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from conftest import Client, Prepared
from uvicorn.protocols.http.h11_impl import H11Protocol

from airflow_cloudtasks.emulator import Emulator
from airflow_cloudtasks.emulator.server import uvicorn_server
from airflow_cloudtasks.emulator.server.app import split_target

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Answer

RAM = "/latest/meta-data/ram/security-credentials/"
CAM = "/latest/meta-data/cam/security-credentials/"
ALIBABA, TENCENT = "http://100.100.100.200", "http://metadata.tencentyun.com"
TTL = {"X-aliyun-ecs-metadata-token-ttl-seconds": "60"}


def protocols() -> list[type[asyncio.Protocol]]:
    try:
        from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
    except ModuleNotFoundError:
        return [H11Protocol]
    return [H11Protocol, HttpToolsProtocol]


@pytest.fixture(params=protocols())
def either(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """A client of an emulator on each of uvicorn's protocols that is installed."""
    monkeypatch.setattr(uvicorn_server, "_PROTOCOL", uvicorn_server.protocol_over(request.param))
    with Emulator() as emulator:
        yield Client(emulator)


def ask(client: Client, target: str, method: str = "GET", **headers: str) -> Answer:
    host = target.split("/")[2] if "://" in target else "127.0.0.1"
    return client.send(Prepared(method, target, {"Host": host, **headers}))


def token(client: Client, base: str = "") -> dict[str, str]:
    answer = ask(client, f"{base}/latest/api/token", "PUT", **TTL)
    assert answer.status == 200
    return {"X-aliyun-ecs-metadata-token": answer.body.decode()}


@pytest.mark.parametrize("base", ["", ALIBABA, f"{ALIBABA}:80"])
def test_alibabas_service_returns_the_role_and_its_keys(either: Client, base: str) -> None:
    admission = token(either, base)
    assert ask(either, f"{base}{RAM}", **admission).body == b"emulator-role"
    body = ask(either, f"{base}{RAM}emulator-role", **admission).json
    assert list(body) == ["Code", "AccessKeyId", "AccessKeySecret", "SecurityToken", "Expiration", "LastUpdated"]
    assert body["Code"] == "Success"
    holder = either.holding(body["AccessKeyId"], body["AccessKeySecret"], body["SecurityToken"])
    assert holder.rpc("GetCallerIdentity").json["Arn"].endswith(":assumed-role/emulator-role/emulated-machine")


@pytest.mark.parametrize("base", ["", TENCENT])
def test_tencents_service_returns_the_role_and_its_keys(either: Client, base: str) -> None:
    either.emulator.sts(role="mine", seconds=100)
    assert ask(either, f"{base}{CAM}").body == b"mine"
    body = ask(either, f"{base}{CAM}mine").json
    assert list(body) == ["Code", "TmpSecretId", "TmpSecretKey", "Token", "ExpiredTime", "Expiration"]
    holder = either.holding(body["TmpSecretId"], body["TmpSecretKey"], body["Token"])
    assert holder.tencent_sts("GetCallerIdentity").json["Response"]["Type"] == "CAMRole"


def test_refuses_to_be_a_proxy_for_other_hosts(either: Client) -> None:
    for target in ("http://example.com/latest/api/token", f"http://127.0.0.1:1{RAM}", f"{ALIBABA}:8080{RAM}"):
        answer = ask(either, target)
        assert answer.status == 403
        assert "is a proxy for 100.100.100.200 and metadata.tencentyun.com and for nothing else" in answer.json["error"]
    tunnel = either.send(Prepared("CONNECT", "example.com:443", {"Host": "example.com:443"}))
    assert (tunnel.status, "example.com:443" in tunnel.json["error"]) == (403, True)
    assert either.emulator.requests() == []


def test_is_a_proxy_for_its_own_address(either: Client) -> None:
    base = f"http://127.0.0.1:{either.emulator.port}"
    assert ask(either, f"{base}/_control/health").json["ok"] is True
    prepared = either.prepare_alibaba(query="TaskId=t1")
    assert either.send(Prepared("POST", f"{base}{prepared.target}", prepared.headers)).code == "InvalidTaskId.NotFound"


def test_each_host_serves_its_own_cloud_and_nothing_else(either: Client) -> None:
    for target in (f"{ALIBABA}{CAM}", f"{TENCENT}{RAM}", f"{ALIBABA}/_control/health", f"{ALIBABA}/", f"{TENCENT}/"):
        assert ask(either, target, **token(either)).status == 404, target


def test_alibabas_service_requires_a_token(client: Client) -> None:
    assert ask(client, RAM).status == 403
    assert ask(client, f"{RAM}emulator-role", **{"X-aliyun-ecs-metadata-token": "made-up"}).status == 403
    client.emulator.sts(imds_v1=True)
    assert ask(client, RAM).status == 200
    assert ask(client, RAM, **{"X-aliyun-ecs-metadata-token": "made-up"}).status == 403
    assert ask(client, "/latest/api/token", "GET", **TTL).status == 404


@pytest.mark.parametrize("seconds", ["0", "21601", "long", ""])
def test_a_token_lasts_from_1_to_21600_seconds(client: Client, seconds: str) -> None:
    answer = ask(client, "/latest/api/token", "PUT", **{"X-aliyun-ecs-metadata-token-ttl-seconds": seconds})
    assert answer.status == 400


def test_refuses_keys_of_another_role(client: Client) -> None:
    assert ask(client, f"{RAM}other", **token(client)).status == 404
    assert ask(client, f"{CAM}other").status == 404


def test_the_journal_does_not_contain_tokens(client: Client) -> None:
    admission = token(client)
    body = ask(client, f"{RAM}emulator-role", **admission).json
    ask(client, CAM)
    ask(client, RAM)
    entries = client.emulator.requests()
    assert [(entry["api"], entry["cloud"], entry["outcome"], entry["status"]) for entry in entries] == [
        ("metadata.token", "alibaba", "ok", 200),
        ("metadata.credentials", "alibaba", "ok", 200),
        ("metadata.role", "tencent", "ok", 200),
        ("metadata.role", "alibaba", "Forbidden", 403),
    ]
    assert entries[1]["parameters"] == {"RoleName": "emulator-role"}
    for secret in (*admission.values(), body["AccessKeySecret"], body["SecurityToken"]):
        assert secret not in str(entries)


def test_faults_and_limits_apply_to_the_metadata_services(client: Client) -> None:
    client.emulator.fault(["http_500", "expired_token", "bad_json"], count=3)
    assert [ask(client, CAM).status for _ in range(2)] == [500, 403]
    assert ask(client, CAM).body == b"emulat"
    client.emulator.limit(1)
    assert [ask(client, CAM).status for _ in range(2)] == [200, 429]


@pytest.mark.parametrize(
    ("target", "parts"),
    [
        ("/", (None, "/")),
        ("/a//b", (None, "/a//b")),
        ("/http://x/", (None, "/http://x/")),
        ("http://100.100.100.200/latest/", ("100.100.100.200", "/latest/")),
        ("HTTP://Host:80", ("host", "/")),
        ("http://host:8080/a", ("host:8080", "/a")),
        ("*", (None, "*")),
    ],
)
def test_splits_a_requests_target_into_host_and_path(target: str, parts: tuple[str | None, str]) -> None:
    assert split_target(target) == parts
