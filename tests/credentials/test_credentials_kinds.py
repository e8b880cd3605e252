"""Each kind of credential reads a task, lives longer than its session, and says why not.

Every way goes through an Airflow connection in the environment and a hook, to the emulator: its token services, its
metadata services and its APIs, all on loopback.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import pytest
from kinds import (
    ALIBABA_ASSUMES,
    ALIBABA_OIDC,
    ASKING,
    ASSUMING,
    BY_TOKEN,
    EITHER_WAY,
    HOLDING,
    KEY,
    MACHINES,
    SENT_POLICY,
    TENCENT_OIDC,
    Hook,
    Kind,
    Machine,
    asked,
    assert_hides_secrets,
    read,
    signers,
)

from airflow_cloudtasks.clouds.credentials import source as credentials_module
from airflow_cloudtasks.errors import (
    CloudApiError,
    CloudTasksError,
    CredentialsError,
    InvalidConnection,
    PermissionDenied,
    TransientError,
)
from airflow_cloudtasks.hooks.alibaba import IceHook
from airflow_cloudtasks.hooks.connection import ALIBABA_FIELDS, TENCENT_FIELDS
from airflow_cloudtasks.model import CloudTask

Get = Callable[[Hook], CloudTask]


@pytest.fixture(autouse=True)
def _known_to_the_clouds(machine: Machine) -> None:
    machine.emulator.add_key("sts-id", "sts-secret", "sts-token")
    machine.emulator.sts(oidc_token="the-oidc-token")


def demand_external_id(machine: Machine, kind: Kind) -> None:
    if kind in ASSUMING:
        machine.emulator.sts(external_id="the-external-id")


def test_covers_every_kind() -> None:
    # default is tried in processes of its own, by test_credentials_default_chain.py.
    assert {(kind.cloud, kind.auth_type) for kind in HOLDING + ASKING} == {
        (fields.cloud, auth_type)
        for fields in (ALIBABA_FIELDS, TENCENT_FIELDS)
        for auth_type in fields.auth_types
        if auth_type != "default"
    }


# Reading


@EITHER_WAY
@pytest.mark.parametrize("kind", HOLDING + ASKING, ids=str)
def test_reads_a_task(machine: Machine, kind: Kind, get: Get) -> None:
    demand_external_id(machine, kind)
    task = get(kind.connect(machine))
    assert (task.id, task.state) == ("t1", "succeeded")
    assert asked(machine.emulator) == [*kind.asks, kind.api]
    (signer,) = signers(machine.emulator, kind)
    assert signer == kind.key[0] if kind in HOLDING and kind.key else signer not in KEY


@EITHER_WAY
@pytest.mark.parametrize("kind", ASSUMING + BY_TOKEN, ids=str)
def test_sends_the_settings_of_the_connection_to_sts(machine: Machine, kind: Kind, get: Get) -> None:
    demand_external_id(machine, kind)
    get(kind.connect(machine))
    (call,) = machine.emulator.requests(kind.asks[0])
    seen = call["parameters"]
    assert {name: seen.get(name) for name in kind.sees} == kind.sees
    assert call["key_id"] == (kind.key[0] if kind.key else None)
    if "Policy" in seen:
        assert unquote(seen["Policy"]) == SENT_POLICY


@pytest.mark.parametrize("kind", ASSUMING + BY_TOKEN, ids=str)
def test_sends_any_text_as_policy(machine: Machine, kind: Kind) -> None:
    policy = {"Version": "1", "Statement": [{"Condition": {"StringEquals": {"x": "a b+c*~d/é任%20&=?"}}}]}
    read(kind.connect(machine, policy=policy))
    (call,) = machine.emulator.requests(kind.asks[0])
    if "Policy" in call["parameters"]:
        sent = call["parameters"]["Policy"]
        assert json.loads(unquote(sent) if kind.cloud == "tencent" else sent) == policy


@EITHER_WAY
@pytest.mark.parametrize("kind", ASSUMING + BY_TOKEN, ids=str)
def test_sends_the_defaults_to_sts(machine: Machine, kind: Kind, get: Get) -> None:
    names = ("role_session_name", "external_id", "policy", "duration_seconds")
    get(kind.connect(machine, **dict.fromkeys(names)))
    seen = machine.emulator.requests(kind.asks[0])[0]["parameters"]
    assert seen["RoleSessionName"] == "airflow"
    assert not {"ExternalId", "Policy"} & set(seen)
    assert int(seen["DurationSeconds"]) == {"alibaba": 3600, "tencent": 7200}[kind.cloud]


@pytest.mark.parametrize("kind", HOLDING + ASKING, ids=str)
def test_connection_test_succeeds(machine: Machine, kind: Kind) -> None:
    demand_external_id(machine, kind)
    worked, text = kind.connect(machine).test_connection()
    assert worked, text
    assert text.startswith("Connected to account ")
    assert text.endswith(f"region {kind.connection(machine)['extra']['region']}.")
    if kind in ASSUMING:
        assert "nightly" in text or kind.cloud == "tencent"
    assert asked(machine.emulator) == [*kind.asks, "sts.get_caller_identity"]
    assert_hides_secrets(text)


@EITHER_WAY
@pytest.mark.parametrize("kind", MACHINES, ids=str)
def test_does_not_look_up_a_role_that_the_connection_names(machine: Machine, kind: Kind, get: Get) -> None:
    get(kind.connect(machine, role_name="emulator-role"))
    assert "metadata.role" not in asked(machine.emulator)
    assert "metadata.credentials" in asked(machine.emulator)


@EITHER_WAY
@pytest.mark.parametrize(
    ("kind", "variables"),
    [
        (
            ALIBABA_OIDC,
            {"role_arn": "ALIBABA_CLOUD_ROLE_ARN", "oidc_provider_arn": "ALIBABA_CLOUD_OIDC_PROVIDER_ARN"}
            | {"oidc_token_file": "ALIBABA_CLOUD_OIDC_TOKEN_FILE"},
        ),
        (
            TENCENT_OIDC,
            {"role_arn": "TKE_ROLE_ARN", "provider_id": "TKE_PROVIDER_ID"}
            | {"oidc_token_file": "TKE_WEB_IDENTITY_TOKEN_FILE"},
        ),
    ],
    ids=str,
)
def test_reads_the_identity_of_a_pod_from_its_environment(
    machine: Machine, kind: Kind, variables: dict[str, str], get: Get, monkeypatch: pytest.MonkeyPatch
) -> None:
    extra = kind.connection(machine)["extra"]
    for name, variable in variables.items():
        monkeypatch.setenv(variable, extra[name])
    get(kind.connect(machine, **dict.fromkeys(variables)))
    seen = machine.emulator.requests(kind.asks[0])[0]["parameters"]
    assert {name: seen.get(name) for name in kind.sees} == kind.sees
    assert asked(machine.emulator) == [*kind.asks, kind.api]


# Sessions end


@EITHER_WAY
@pytest.mark.parametrize("kind", ASKING, ids=str)
def test_replaces_a_revoked_session_within_the_same_read(machine: Machine, kind: Kind, get: Get) -> None:
    hook = kind.connect(machine)
    get(hook)
    assert machine.emulator.expire_issued() >= 1
    assert get(hook).state == "succeeded"
    assert asked(machine.emulator) == [*kind.asks, kind.api, kind.api, *kind.asks, kind.api]
    first, refused, second = signers(machine.emulator, kind)
    assert first == refused != second


@EITHER_WAY
@pytest.mark.parametrize("kind", ASKING, ids=str)
def test_replaces_an_expired_session(machine: Machine, kind: Kind, get: Get) -> None:
    machine.emulator.sts(valid_seconds=0.5)
    hook = kind.connect(machine)
    get(hook)
    time.sleep(0.6)
    machine.emulator.sts(valid_seconds=None)
    assert get(hook).state == "succeeded"
    assert len(set(signers(machine.emulator, kind))) == 2


@EITHER_WAY
@pytest.mark.parametrize("kind", ASKING, ids=str)
def test_replaces_a_session_before_it_expires(
    machine: Machine, kind: Kind, get: Get, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(credentials_module, "_FETCH_INTERVAL_SECONDS", 0.0)
    monkeypatch.setattr(credentials_module, "_RENEWAL_SHARE", 1.0)
    machine.emulator.sts(seconds=credentials_module._RENEWAL_SECONDS - 1)
    hook = kind.connect(machine)
    get(hook)
    machine.emulator.sts(seconds=None)
    # In the background: this read may still be signed with the old session.
    get(hook)
    until = time.monotonic() + 10
    while asked(machine.emulator).count(kind.asks[-1]) < 2 and time.monotonic() < until:
        time.sleep(0.01)
    time.sleep(0.1)
    get(hook)
    used = signers(machine.emulator, kind)
    assert used[0] != used[2]
    assert {entry["outcome"] for entry in machine.emulator.requests()} == {"ok"}


@EITHER_WAY
@pytest.mark.parametrize("kind", ASKING, ids=str)
def test_fetches_a_valid_session_once(machine: Machine, kind: Kind, get: Get, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credentials_module, "_FETCH_INTERVAL_SECONDS", 0.0)
    hook = kind.connect(machine)
    for _ in range(3):
        get(hook)
        time.sleep(0.05)
    assert asked(machine.emulator) == [*kind.asks, kind.api, kind.api, kind.api]


@EITHER_WAY
@pytest.mark.parametrize("kind", BY_TOKEN, ids=str)
def test_reads_the_token_file_again_for_every_session(machine: Machine, kind: Kind, get: Get) -> None:
    hook = kind.connect(machine)
    get(hook)
    machine.emulator.sts(oidc_token="the-next-token")
    machine.token_file.write_text("the-next-token")
    machine.emulator.expire_issued()
    assert get(hook).state == "succeeded"


# Refusals


def refused(hook: Hook, get: Get, kind: type[CloudTasksError]) -> str:
    with pytest.raises(CloudTasksError) as caught:
        get(hook)
    text = str(caught.value)
    assert type(caught.value) is kind, text
    assert_hides_secrets(f"{text} {caught.value!r}")
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    worked, said = hook.test_connection()
    assert not worked
    assert_hides_secrets(said)
    return text


@EITHER_WAY
@pytest.mark.parametrize("kind", ASSUMING, ids=str)
def test_error_explains_a_wrong_external_id(machine: Machine, kind: Kind, get: Get) -> None:
    machine.emulator.sts(external_id="another")
    text = refused(kind.connect(machine), get, PermissionDenied)
    assert text.startswith("Fetching credentials (STS AssumeRole by the key of the Airflow connection) failed: ")
    assert "Grant the action" in text
    assert kind.api not in asked(machine.emulator)


@EITHER_WAY
@pytest.mark.parametrize("kind", ASSUMING + BY_TOKEN, ids=str)
def test_unknown_role_is_a_credentials_error_and_no_missing_task(machine: Machine, kind: Kind, get: Get) -> None:
    machine.emulator.sts(roles=["acs:ram::1:role/other", "qcs::cam::uin/1:roleName/other"])
    text = refused(kind.connect(machine), get, CredentialsError)
    assert "role" in text.lower()


@EITHER_WAY
@pytest.mark.parametrize("kind", ASSUMING, ids=str)
def test_error_explains_a_wrong_secret(machine: Machine, kind: Kind, get: Get) -> None:
    connection = kind.connection(machine) | {"password": "sts-secret"}
    machine.connect("kind", connection)
    text = refused(kind.hook(), get, CredentialsError)
    assert "Signature" in text
    assert "Check the key id and the secret of the Airflow connection" in text


@EITHER_WAY
@pytest.mark.parametrize("kind", BY_TOKEN, ids=str)
def test_error_explains_a_refused_token(machine: Machine, kind: Kind, get: Get) -> None:
    machine.emulator.sts(oidc_token="another")
    with pytest.raises(CloudApiError) as caught:
        get(kind.connect(machine))
    assert not caught.value.retryable
    assert_hides_secrets(str(caught.value))
    assert "token" in str(caught.value).lower()


@EITHER_WAY
@pytest.mark.parametrize("kind", BY_TOKEN, ids=str)
def test_error_names_a_missing_token_file(machine: Machine, kind: Kind, get: Get) -> None:
    hook = kind.connect(machine)
    get(hook)
    machine.token_file.unlink()
    machine.emulator.expire_issued()
    text = refused(hook, get, InvalidConnection)
    assert str(machine.token_file) in text


@EITHER_WAY
@pytest.mark.parametrize("kind", MACHINES, ids=str)
def test_error_explains_a_machine_without_the_role(machine: Machine, kind: Kind, get: Get) -> None:
    text = refused(kind.connect(machine, role_name="no-such-role"), get, CredentialsError)
    assert "this machine has no role named 'no-such-role'; is it a" in text


@EITHER_WAY
@pytest.mark.parametrize("kind", ASSUMING + BY_TOKEN, ids=str)
def test_unreachable_sts_is_a_transient_error(machine: Machine, kind: Kind, get: Get) -> None:
    text = refused(kind.connect(machine, endpoints={"sts": "https://127.0.0.1:9"}), get, TransientError)
    assert "ConnectionError: the connection failed" in text
    assert "https://127.0.0.1:9" in text


@EITHER_WAY
@pytest.mark.parametrize("kind", ASSUMING, ids=str)
def test_retries_sts_after_a_server_error(machine: Machine, kind: Kind, get: Get) -> None:
    machine.emulator.fault("http_500", count=1)
    hook = kind.connect(machine, max_tries=3)
    assert get(hook).state == "succeeded"
    assert asked(machine.emulator) == [*kind.asks, *kind.asks, kind.api]


@EITHER_WAY
def test_sends_no_key_to_a_server_with_an_untrusted_certificate(machine: Machine, get: Get) -> None:
    # Another name for the same port: the vendor's library keeps what it trusted first with the endpoint.
    sts = machine.emulator.tls_url.replace("127.0.0.1", "localhost")
    refused(ALIBABA_ASSUMES.connect(machine, endpoints={"sts": sts}, ca_bundle=None), get, TransientError)
    assert not machine.emulator.requests()


@EITHER_WAY
@pytest.mark.parametrize("kind", MACHINES, ids=str)
def test_never_asks_the_metadata_service_through_the_proxy(machine: Machine, kind: Kind, get: Get) -> None:
    # It speaks for the machine that asks it: a proxy would ask for its own.
    text = refused(kind.connect(machine, proxy="http://127.0.0.1:9"), get, TransientError)
    assert kind.asks[-1] in asked(machine.emulator)
    assert "Fetching credentials" not in text


# Connections of the official provider


@EITHER_WAY
@pytest.mark.parametrize("written", ["documented", "extra", "login"])
def test_accepts_a_connection_of_the_official_alibaba_provider(machine: Machine, get: Get, written: str) -> None:
    extra: dict[str, Any] = {"region": "cn-shanghai"}
    key = {"login": KEY[0], "password": KEY[1]}
    if written != "login":
        extra, key = extra | {"access_key_id": KEY[0], "access_key_secret": KEY[1]}, {}
    if written == "documented":
        # Its page "Alibaba Cloud Connection"; endpoint is the address of OSS.
        extra |= {"auth_type": "AK", "endpoint": "oss-cn-shanghai.aliyuncs.com"}
    machine.connect("official", {"conn_type": "alibaba_cloud", "host": machine.emulator.url, "extra": extra, **key})
    hook = IceHook("official")
    assert get(hook).state == "succeeded"
    works, text = hook.test_connection()
    assert works
    assert "not used" not in text
