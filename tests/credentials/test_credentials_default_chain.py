"""The default chains find the key that the vendors' own chains find, in the same environment and home directory."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from key_server import key_server
from kinds import (
    ALIBABA_PROVIDER,
    ALIBABA_ROLE,
    EITHER_WAY,
    KEY,
    TENCENT_ROLE,
    Hook,
    Kind,
    Machine,
    asked,
    assert_hides_secrets,
    read,
    signers,
)
from vendor_chains import VendorChains, vendor_chains

from airflow_cloudtasks.clouds.credentials.kinds import KINDS
from airflow_cloudtasks.clouds.credentials.source import CredentialSettings
from airflow_cloudtasks.clouds.network import Network
from airflow_cloudtasks.clouds.retries import Retries
from airflow_cloudtasks.clouds.wire import Credentials, Endpoint
from airflow_cloudtasks.errors import CredentialsError, InvalidConnection, TransientError

ALIBABA, TENCENT = Kind("alibaba", "default"), Kind("tencent", "default")
BOTH = pytest.mark.parametrize("kind", [ALIBABA, TENCENT], ids=str)


@pytest.fixture(scope="module")
def vendors() -> Iterator[VendorChains]:
    with vendor_chains() as chains:
        yield chains


@dataclass(frozen=True)
class Setup:
    """A home directory and an environment, where ``{home}`` and ``{emulator}`` stand for their addresses.

    Args:
        cloud: The cloud.
        name: What is special.
        files: The files, by their paths in the home directory.
        environment: The variables.
    """

    cloud: str
    name: str
    files: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.cloud}-{self.name}"

    def make(self, machine: Machine, home: Path) -> dict[str, str]:
        """Write the files and return the environment."""

        def filled(text: str) -> str:
            return text.replace("{home}", str(home)).replace("{emulator}", machine.emulator.url)

        for name, content in self.files.items():
            path = home / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(filled(content if isinstance(content, str) else json.dumps(content)))
        return {name: filled(value) for name, value in self.environment.items()}


CLI, INI, TENCENT_INI = ".aliyun/config.json", ".alibabacloud/credentials.ini", ".tencentcloud/credentials"
KEY_VARIABLES = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "env-id", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "env-secret"}
RRSA = {
    "ALIBABA_CLOUD_ROLE_ARN": ALIBABA_ROLE,
    "ALIBABA_CLOUD_OIDC_PROVIDER_ARN": ALIBABA_PROVIDER,
    "ALIBABA_CLOUD_OIDC_TOKEN_FILE": "{home}/token",
}
TKE = {
    "TKE_REGION": "ap-guangzhou",
    "TKE_PROVIDER_ID": "OIDC",
    "TKE_ROLE_ARN": TENCENT_ROLE,
    "TKE_WEB_IDENTITY_TOKEN_FILE": "{home}/token",
}
TOKEN = {"token": "the-oidc-token"}
INI_TEXT = """
[default]
enable = true
type = access_key            # no other
access_key_id = ini-id
access_key_secret = ini-secret
[other]
type = ram_role_arn
access_key_id = ini-id
access_key_secret = ini-secret
role_arn = acs:ram::1234567890123456:role/adminrole
role_session_name = nightly
[pod]
type = oidc_role_arn
role_arn = acs:ram::1234567890123456:role/adminrole
oidc_provider_arn = acs:ram::1234567890123456:oidc-provider/ack
oidc_token_file_path = {home}/token
[machine]
type = ecs_ram_role
role_name = emulator-role
[pair]
type = rsa_key_pair
public_key_id = a
private_key_file = b
"""
AK = {"name": "default", "mode": "AK", "access_key_id": "cli-id", "access_key_secret": "cli-secret"}
ROLE = {"ram_role_arn": ALIBABA_ROLE, "ram_session_name": "nightly", "expired_seconds": 900, "external_id": ""}


def cli(*profiles: dict[str, Any], current: str = "default") -> dict[str, Any]:
    return {CLI: {"current": current, "profiles": list(profiles), "meta_path": ""}}


def of_mode(mode: str, **fields: Any) -> dict[str, Any]:
    return {"name": "default", "mode": mode, **fields}


FUTURE = 4_000_000_000
SETUPS = [
    Setup("alibaba", "environment", environment=KEY_VARIABLES),
    Setup("alibaba", "environment with a token", environment=KEY_VARIABLES | {"ALIBABA_CLOUD_SECURITY_TOKEN": "t"}),
    Setup("alibaba", "environment before all", {**cli(AK), INI: INI_TEXT, **TOKEN}, KEY_VARIABLES | RRSA),
    Setup("alibaba", "half an environment", cli(AK), {"ALIBABA_CLOUD_ACCESS_KEY_ID": "env-id"}),
    Setup("alibaba", "RRSA before files", {**cli(AK), INI: INI_TEXT, **TOKEN}, RRSA),
    Setup("alibaba", "half of RRSA", cli(AK), {"ALIBABA_CLOUD_ROLE_ARN": ALIBABA_ROLE}),
    Setup("alibaba", "CLI before ini", {**cli(AK), INI: INI_TEXT}),
    Setup("alibaba", "CLI disabled", {**cli(AK), INI: INI_TEXT}, {"ALIBABA_CLOUD_CLI_PROFILE_DISABLED": "TRUE"}),
    Setup("alibaba", "CLI empty", {**cli(of_mode("AK", access_key_id="", access_key_secret="")), INI: INI_TEXT}),
    Setup("alibaba", "CLI broken", {CLI: '{"current": ', INI: INI_TEXT}),
    Setup("alibaba", "CLI without the current profile", {**cli(AK, current="x"), INI: INI_TEXT}),
    Setup("alibaba", "CLI of an unknown mode", {**cli(of_mode("BearerToken")), INI: INI_TEXT}),
    Setup(
        "alibaba",
        "CLI profile of the environment",
        cli(AK, {**AK, "name": "p", "access_key_id": "p-id"}),
        {"ALIBABA_CLOUD_PROFILE": "p"},
    ),
    Setup("alibaba", "CLI current", cli(AK, {**AK, "name": "p", "access_key_id": "p-id"}, current="p")),
    Setup("alibaba", "CLI StsToken", cli({**AK, "mode": "StsToken", "sts_token": "t"})),
    Setup("alibaba", "CLI RamRoleArn", cli({**AK, "mode": "RamRoleArn", **ROLE})),
    Setup("alibaba", "CLI EcsRamRole", cli(of_mode("EcsRamRole", ram_role_name="emulator-role"))),
    Setup(
        "alibaba",
        "CLI ChainableRamRoleArn",
        cli(of_mode("ChainableRamRoleArn", source_profile="base", **ROLE), {**AK, "name": "base"}),
    ),
    Setup(
        "alibaba",
        "CLI OIDC",
        {
            **cli(
                of_mode("OIDC", oidc_provider_arn=ALIBABA_PROVIDER, oidc_token_file="{home}/token", **ROLE),
            ),
            **TOKEN,
        },
    ),
    Setup(
        "alibaba",
        "CLI External",
        {
            "key.json": {"mode": "StsToken", "access_key_id": "x-id", "access_key_secret": "s", "sts_token": "t"},
            **cli(of_mode("External", process_command="cat '{home}/key.json'")),
        },
    ),
    Setup(
        "alibaba",
        "CLI OAuth with a session",
        cli({**AK, "mode": "OAuth", "sts_token": "t", "sts_expiration": FUTURE, "oauth_site_type": "CN"}),
    ),
    Setup("alibaba", "CLI CloudSSO signed out", {**cli(of_mode("CloudSSO", access_token="t")), INI: INI_TEXT}),
    Setup("alibaba", "ini", {INI: INI_TEXT}),
    Setup("alibaba", "ini section", {INI: INI_TEXT, **TOKEN}, {"ALIBABA_CLOUD_PROFILE": "other"}),
    Setup("alibaba", "ini OIDC", {INI: INI_TEXT, **TOKEN}, {"ALIBABA_CLOUD_PROFILE": "pod"}),
    Setup("alibaba", "ini machine", {INI: INI_TEXT}, {"ALIBABA_CLOUD_PROFILE": "machine"}),
    Setup("alibaba", "ini key pair", {INI: INI_TEXT}, {"ALIBABA_CLOUD_PROFILE": "pair"}),
    Setup("alibaba", "ini of the environment", {"my": INI_TEXT}, {"ALIBABA_CLOUD_CREDENTIALS_FILE": "{home}/my"}),
    Setup("alibaba", "machine"),
    Setup("alibaba", "machine with a role", environment={"ALIBABA_CLOUD_ECS_METADATA": "emulator-role"}),
    Setup(
        "alibaba",
        "URI",
        environment={
            "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true",
            # The emulator's metadata service serves for one: its answer has the same form.
            "ALIBABA_CLOUD_CREDENTIALS_URI": "{emulator}/latest/meta-data/ram/security-credentials/emulator-role",
        },
    ),
    Setup("tencent", "environment", environment={"TENCENTCLOUD_SECRET_ID": "i", "TENCENTCLOUD_SECRET_KEY": "k"}),
    Setup(
        "tencent",
        "half an environment",
        {TENCENT_INI: "[default]\nsecret_id=f\nsecret_key=k\n"},
        {"TENCENTCLOUD_SECRET_ID": "i"},
    ),
    Setup("tencent", "profile file", {TENCENT_INI: "[x]\nsecret_id=a\n[default]\nsecret_id=f\nsecret_key=k%s\n"}),
    Setup("tencent", "file before machine and TKE", {TENCENT_INI: "[default]\nsecret_id = f\nsecret_key = k\n"}, TKE),
    Setup("tencent", "empty key in the file", {TENCENT_INI: "[default]\nsecret_id =\nsecret_key =\n"}),
    Setup("tencent", "machine before TKE", TOKEN, TKE),
    Setup("tencent", "machine"),
]


@pytest.fixture
def _known_keys(machine: Machine) -> None:
    for name in ("env", "cli", "p", "ini"):
        machine.emulator.add_key(f"{name}-id", "cli-secret" if name == "p" else f"{name}-secret")
    machine.emulator.sts(imds_v1=True)


def settings_of(cloud: str, machine: Machine, **changes: Any) -> CredentialSettings:
    emulator = Endpoint(machine.emulator.url)
    region = {"alibaba": "cn-shanghai", "tencent": "ap-guangzhou"}[cloud]
    defaults = {"cloud": cloud, "sts": emulator, "metadata": emulator, "region": region, "retries": Retries(tries=1)}
    return CredentialSettings(**defaults | changes)


def chain_key(settings: CredentialSettings) -> Credentials:
    return KINDS[settings.cloud]["default"](settings)().credentials


def seen(machine: Machine, since: int) -> list[tuple[str, str | None, str | None]]:
    """What the emulator was asked for; a token of the metadata service may be used once or twice."""
    return [
        (entry["api"], entry["key_id"], entry["parameters"].get("RoleArn") or entry["parameters"].get("RoleName"))
        for entry in machine.emulator.requests()[since:]
        if entry["api"] != "metadata.token"
    ]


@pytest.mark.usefixtures("_known_keys")
@pytest.mark.parametrize("setup", SETUPS, ids=str)
def test_finds_the_key_that_the_vendors_chain_finds(
    machine: Machine, vendors: VendorChains, tmp_path: Path, setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = setup.make(machine, tmp_path)
    theirs = vendors.key(setup.cloud, machine.emulator.url, tmp_path, environment)
    their_requests = seen(machine, 0)
    before = len(machine.emulator.requests())
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    ours = chain_key(settings_of(setup.cloud, machine))
    assert seen(machine, before) == their_requests
    if their_requests:
        # A session: each is another one.
        assert theirs[0][:4] == ours.key_id[:4] in ("STS.", "AKID"), theirs
    else:
        assert [ours.key_id, ours.secret, ours.token] == [*theirs[:2], theirs[2] or None]
    assert ours.origin


def test_tencents_chain_ends_at_tke(machine: Machine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in Setup("tencent", "TKE", TOKEN, TKE).make(machine, tmp_path).items():
        monkeypatch.setenv(name, value)
    key = chain_key(settings_of("tencent", machine, metadata=nobody()))
    assert asked(machine.emulator) == ["sts.assume_role_with_web_identity"]
    assert key.origin == f"{TENCENT_ROLE} assumed by the token in {tmp_path}/token"


def nobody() -> Endpoint:
    """An address of this machine where no service listens."""
    return Endpoint("http://127.0.0.1:9")


# Through a connection

VARIABLES = {
    "alibaba": ("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET", "ALIBABA_CLOUD_SECURITY_TOKEN"),
    "tencent": ("TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRET_KEY", "TENCENTCLOUD_TOKEN"),
}
PROFILES = {
    "alibaba": (".alibabacloud/credentials", "[default]\ntype=access_key\naccess_key_id={}\naccess_key_secret={}\n"),
    "tencent": (TENCENT_INI, "[default]\nsecret_id = {}\nsecret_key = {}\n"),
}


def connect(machine: Machine, kind: Kind, **changes: Any) -> Hook:
    # With no key and no auth_type, the default chain is meant.
    return kind.connect(machine, **{"auth_type": None, **changes})


@BOTH
@EITHER_WAY
def test_reads_a_task_with_the_key_of_the_environment(
    machine: Machine, kind: Kind, get: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in zip(VARIABLES[kind.cloud], KEY, strict=False):
        monkeypatch.setenv(name, value)
    hook = connect(machine, kind)
    assert get(hook).state == "succeeded"
    assert hook.test_connection()[0]
    assert signers(machine.emulator, kind) == [KEY[0]]


@BOTH
def test_reads_a_task_with_the_token_of_the_environment(
    machine: Machine, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.emulator.add_key("sts-id", "sts-secret", "sts-token")
    for name, value in zip(VARIABLES[kind.cloud], ("sts-id", "sts-secret", "sts-token"), strict=True):
        monkeypatch.setenv(name, value)
    assert read(connect(machine, kind)).state == "succeeded"
    assert signers(machine.emulator, kind) == ["sts-id"]


@BOTH
@EITHER_WAY
def test_reads_a_task_with_the_key_of_a_profile_file(machine: Machine, kind: Kind, get: Any, tmp_path: Path) -> None:
    name, content = PROFILES[kind.cloud]
    (tmp_path / name).parent.mkdir()
    (tmp_path / name).write_text(content.format(*KEY))
    assert get(connect(machine, kind)).state == "succeeded"
    assert signers(machine.emulator, kind) == [KEY[0]]


@BOTH
@EITHER_WAY
def test_reads_a_task_with_the_role_of_the_machine(machine: Machine, kind: Kind, get: Any) -> None:
    assert get(connect(machine, kind)).state == "succeeded"
    assert "metadata.credentials" in asked(machine.emulator)
    assert KEY[0] not in signers(machine.emulator, kind)


# Nothing there


@BOTH
@EITHER_WAY
def test_error_names_where_the_chain_looked(machine: Machine, kind: Kind, get: Any) -> None:
    with pytest.raises(CredentialsError) as caught:
        get(connect(machine, kind, endpoints={"metadata": nobody().url}))
    text = str(caught.value)
    assert text.startswith("Fetching credentials failed: NoCredentials: the default chain found no credentials: ")
    home = os.environ["HOME"]
    looked = {
        "alibaba": ("no RRSA identity", f"no profile file {home}/{CLI}", f"no profile file {home}/{INI}"),
        "tencent": (f"no profile file {home}/{TENCENT_INI}", "no TKE identity", f"{home}/.tccli/default.credential"),
    }[kind.cloud]
    first, second, _ = VARIABLES[kind.cloud]
    for part in (f"no {first} and {second} in the environment", "no role of this machine", *looked):
        assert part in text
    assert_hides_secrets(text)
    assert not machine.emulator.requests()


@BOTH
def test_a_machine_without_a_role_has_no_credentials(machine: Machine, kind: Kind) -> None:
    with pytest.raises(CredentialsError, match="this machine has no role named 'other'; is it"):
        chain_key(settings_of(kind.cloud, machine, role_name="other"))


@BOTH
def test_a_metadata_service_that_answered_once_is_no_longer_taken_for_absent(machine: Machine, kind: Kind) -> None:
    """At a renewal, no connection means that the service cannot be asked, which costs no wait."""
    fetch = KINDS[kind.cloud]["default"](settings_of(kind.cloud, machine))
    first = fetch()
    machine.emulator.fault("reset", api="metadata.token" if kind is ALIBABA else "metadata.role")
    with pytest.raises(TransientError):
        fetch()
    machine.emulator.clear_faults()
    assert fetch().credentials != first.credentials


@BOTH
def test_a_metadata_service_that_fails_does_not_lead_on_to_another_identity(
    machine: Machine, kind: Kind, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in Setup("tencent", "TKE", TOKEN, TKE).make(machine, tmp_path).items():
        monkeypatch.setenv(name, value)
    machine.emulator.fault("http_500")
    with pytest.raises(TransientError, match="HTTP500"):
        chain_key(settings_of(kind.cloud, machine))
    assert not [api for api in asked(machine.emulator) if api.startswith("sts.")]


@BOTH
def test_a_wrong_setting_of_the_network_is_no_reason_to_go_on(
    machine: Machine, kind: Kind, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    files = {**TOKEN, CLI: cli({**AK, "mode": "RamRoleArn", **ROLE})[CLI]}
    for name, value in Setup("tencent", "TKE", files, TKE if kind is TENCENT else {}).make(machine, tmp_path).items():
        monkeypatch.setenv(name, value)
    network = Network(proxy="no proxy")
    with pytest.raises(InvalidConnection, match="proxy"):
        chain_key(settings_of(kind.cloud, machine, network=network, metadata=nobody()))


@pytest.mark.parametrize("answer", ["404", "405"])
def test_a_service_without_tokens_is_no_metadata_service(machine: Machine, answer: str) -> None:
    with key_server() as server:
        server.answers = [(int(answer), b"")] * 2
        with pytest.raises(CredentialsError, match=r"no metadata service .IMDSv2. answers") as caught:
            chain_key(settings_of("alibaba", machine, metadata=Endpoint(server.url)))
    assert "Check the key id" not in str(caught.value)
