"""Profile files as the vendors' command lines write them, and as people damage them."""

from __future__ import annotations

import codecs
import json
import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from key_server import KeyServer, key_server
from kinds import ALIBABA_PROVIDER, ALIBABA_ROLE, EITHER_WAY, TENCENT_ROLE, Kind, Machine, asked, read

from airflow_cloudtasks.clouds.credentials import alibaba_cli, key_servers
from airflow_cloudtasks.clouds.credentials.kinds import KINDS
from airflow_cloudtasks.clouds.credentials.source import CredentialSettings, Fetched
from airflow_cloudtasks.clouds.retries import Retries
from airflow_cloudtasks.clouds.wire import Endpoint
from airflow_cloudtasks.errors import CloudApiError, CredentialsError, TransientError

NOBODY = Endpoint("http://127.0.0.1:9")
CLI, INI, INI_WITHOUT_ENDING = ".aliyun/config.json", ".alibabacloud/credentials.ini", ".alibabacloud/credentials"
TENCENT_INI, TCCLI = ".tencentcloud/credentials", ".tccli/default.credential"
CONTENT = {
    CLI: json.dumps(
        {
            "current": "default",
            "profiles": [
                {"name": "default", "mode": "AK", "access_key_id": "file-id", "access_key_secret": "file-secret"},
            ],
        }
    ),
    INI: "[default]\ntype = access_key\naccess_key_id = file-id\naccess_key_secret = file-secret\n",
    INI_WITHOUT_ENDING: "[default]\ntype = access_key\naccess_key_id = file-id\naccess_key_secret = file-secret\n",
    TENCENT_INI: "[default]\nsecret_id = file-id\nsecret_key = file-secret\n",
    TCCLI: json.dumps({"secretId": "file-id", "secretKey": "file-secret"}),
}
CLOUDS = {
    CLI: "alibaba",
    INI: "alibaba",
    INI_WITHOUT_ENDING: "alibaba",
    TENCENT_INI: "tencent",
    TCCLI: "tencent",
}
SECRET = "file-secret"


@pytest.fixture
def server() -> Iterator[KeyServer]:
    with key_server() as server:
        yield server


def fetch(cloud: str, **changes: Any) -> Fetched:
    """Fetch by the default chain, on a machine without a metadata service."""
    defaults = {
        "cloud": cloud,
        "sts": NOBODY,
        "metadata": NOBODY,
        "region": "ap-guangzhou",
        "retries": Retries(tries=1),
    }
    settings = CredentialSettings(**defaults | changes)
    return KINDS[settings.cloud]["default"](settings)()


def write(home: Path, name: str, content: str | bytes | dict[str, Any]) -> str:
    path = home / name
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(content) if isinstance(content, dict) else content
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return str(path)


def profile(mode: str, **fields: Any) -> dict[str, Any]:
    return {"current": "default", "profiles": [{"name": "default", "mode": mode, **fields}]}


# Damaged files


@pytest.mark.parametrize("name", list(CONTENT))
@pytest.mark.parametrize(
    "encode", [str.encode, lambda text: codecs.BOM_UTF8 + text.encode(), lambda text: text.encode("utf-16")]
)
def test_reads_a_file_with_any_byte_order_mark(tmp_path: Path, name: str, encode: Callable[[str], bytes]) -> None:
    path = write(tmp_path, name, encode(CONTENT[name]))
    key = fetch(CLOUDS[name]).credentials
    assert (key.key_id, key.secret, key.token) == ("file-id", "file-secret", None)
    assert path in key.origin


def sign_in(**fields: Any) -> dict[str, Any]:
    """Return a profile with a sign-in to CloudSSO."""
    signed_in = {
        "cloud_sso_sign_in_url": "https://x",
        "cloud_sso_account_id": "1",
        "cloud_sso_access_config": "c",
        "access_token": SECRET,
        "cloud_sso_access_token_expire": 4_000_000_000,
    }
    return profile("CloudSSO", **(signed_in | fields))


JSON_PARTS = ("file-id", "file-secret")
DAMAGES: list[tuple[str, str | bytes, str]] = [
    *((name, b"", "is empty") for name in CONTENT),
    *((name, b" \n\t\n", "is empty") for name in CONTENT),
    *((name, codecs.BOM_UTF8, "is empty") for name in CONTENT),
    *((name, b"\xff\xfe\xfa", "is no text in UTF-8") for name in CONTENT),
    *((name, CONTENT[name].encode() + b"# \xfd\n", "is no text in UTF-8") for name in CONTENT),
    *((name, CONTENT[name][:-8], "is not JSON (line 1, column ") for name in (CLI, TCCLI)),
    *((name, "file-secret", "is not JSON (line 1, column 1)") for name in (CLI, TCCLI)),
    *((name, "[]", "holds no JSON object") for name in (CLI, TCCLI)),
    *((name, "[" * 100_000, "is nested too deeply") for name in (CLI, TCCLI)),
    *(
        (name, content, f"is no ini file of [section] and name = value lines{line}")
        for name in (INI, TENCENT_INI)
        for content, line in (
            ("file-secret\n", " (line 1)"),
            ("\n\nsecret_key = file-secret\n", " (line 3)"),
            ("[default]\nfile-secret\n", " (line 2)"),
            ("[default]\na=file-secret\na=b\n", " (line 3)"),
            ("[default]\na=file-secret\n[default]\n", " (line 3)"),
        )
    ),
    *(
        (name, "[prod]\na=file-secret\n[x]\n", "has no section [default]; it has [prod], [x]")
        for name in (INI, TENCENT_INI)
    ),
    *((name, "# nothing yet", "has no section [default]") for name in (INI, TENCENT_INI)),
    (TENCENT_INI, "[default]\n", "has no secret_id"),
    (TENCENT_INI, "[default]\nsecret_id = file-id\n", "has no secret_key"),
    (
        TENCENT_INI,
        "[default]\nsecret_id = a\nsecret_key = file-secret b\n",
        "has a blank or another character that no key has in secret_key",
    ),
    (
        TENCENT_INI,
        "[default]\nsecret_id = é\nsecret_key = file-secret\n",
        "has a blank or another character that no key has in secret_id",
    ),
    (INI, "[default]\n", "has no type; expected one of access_key, sts, ram_role_arn, oidc_role_arn, ecs_ram_role"),
    (
        INI,
        "[default]\ntype = rsa_key_pair\n",
        "is of the type 'rsa_key_pair', which is not supported; expected one of access_key",
    ),
    (INI, "[default]\ntype = bearer\n", "is of the type 'bearer', which is not supported"),
    (INI, "[default]\ntype = access_key\n", "has no access_key_id"),
    (INI, "[default]\ntype = ram_role_arn\naccess_key_id=a\naccess_key_secret=b", "has no role_arn"),
    (INI, "[default]\ntype = oidc_role_arn\nrole_arn=a\n", "has no oidc_provider_arn"),
    (CLI, "{}", "the field 'current' of "),
    (CLI, '{"current": "default"}', "is missing, and so is any other"),
    (CLI, '{"current": "default", "profiles": "none"}', "is missing, and so is any other"),
    (CLI, '{"current": "x", "profiles": [{"name": "a"}, {"name": "b"}]}', "is missing; there are 'a', 'b'"),
    (CLI, '{"current": "a", "profiles": [{"name": "a"}]}', "has no mode"),
    (
        CLI,
        '{"current": "a", "profiles": [{"name": "a", "mode": "AK", "access_key_id": ["file-secret"]}]}',
        "has no text in access_key_id",
    ),
    (CLI, json.dumps(profile("AK", access_key_id="a")), "has no access_key_secret"),
    (CLI, json.dumps(profile("StsToken", access_key_id="a", access_key_secret=SECRET)), "has no sts_token"),
    (
        CLI,
        json.dumps(profile("RsaKeyPair")),
        "has the mode 'RsaKeyPair', which is not supported; expected one of AK, StsToken",
    ),
    (CLI, json.dumps(profile("BearerToken")), "has the mode 'BearerToken', which is not supported"),
    (
        CLI,
        json.dumps(profile("RamRoleArn", ram_role_arn="r", expired_seconds="x")),
        "has no whole number in expired_seconds",
    ),
    (CLI, json.dumps(profile("ChainableRamRoleArn", ram_role_arn="r", source_profile="gone")), "profile 'gone' of "),
    (CLI, json.dumps(profile("ChainableRamRoleArn", ram_role_arn="r", source_profile="default")), "that does not end"),
    (CLI, json.dumps(profile("External", process_command="")), "has no process_command"),
    (CLI, json.dumps(profile("External", process_command="'")), "with a quote that does not end"),
    (CLI, json.dumps(profile("External", process_command="/no/such/command")), "cannot be run (FileNotFoundError)"),
    *(
        (CLI, json.dumps(profile("CredentialsURI", credentials_uri=url)), "names no URL of the form http://HOST/PATH")
        for url in (
            *("no url", "http://", "http://[::1", "http://host:port/", "http://host:0/", "file:///etc/passwd"),
            *("http://h:99999/", "http://h..test/", f"http://{'a' * 64}/"),
        )
    ),
    (CLI, json.dumps(profile("External", process_command="a\0b")), "cannot be run ("),
    *((name, f'{{"a": {"9" * 5000}}}', "has a number of thousands of digits") for name in (CLI, TCCLI)),
    (
        CLI,
        json.dumps(profile("RamRoleArn", ram_role_arn="r", expired_seconds="9" * 5000)),
        "has no whole number in expired_seconds",
    ),
    (CLI, json.dumps(profile("External", process_command="a\ud800")), "cannot be run (FileNotFoundError)"),
    *(
        (CLI, json.dumps(sign_in(cloud_sso_sign_in_url=url)), "names no URL of the form http://HOST/PATH")
        for url in ("x", "http://[")
    ),
    *(
        (CLI, json.dumps(sign_in(access_token=f"{SECRET}{end}")), "that no token has in the token of its sign-in")
        for end in ("中", "\nX: y", " b")
    ),
    (
        CLI,
        json.dumps(sign_in(cloud_sso_access_token_expire=1)),
        "has expired: run any command of 'aliyun' with this profile, "
        "or sign in once more with 'aliyun configure --mode CloudSSO'",
    ),
    (
        CLI,
        json.dumps(profile("OAuth", oauth_access_token=SECRET, oauth_access_token_expire=1)),
        "sign in once more with 'aliyun configure --mode OAuth'",
    ),
    (
        CLI,
        json.dumps(
            profile("OAuth", oauth_access_token="t", oauth_access_token_expire=4e9 // 1, oauth_site_type="MOON")
        ),
        "has no text in oauth_access_token_expire",
    ),
    (
        CLI,
        json.dumps(
            profile("OAuth", oauth_access_token="t", oauth_access_token_expire=4_000_000_000, oauth_site_type="MOON")
        ),
        "has the oauth_site_type 'MOON'; expected CN or INTL",
    ),
    (CLI, json.dumps(profile("OIDC", ram_role_arn="r", oidc_provider_arn="p")), "has no oidc_token_file"),
    (
        CLI,
        json.dumps(profile("OIDC", ram_role_arn="r", oidc_provider_arn="p", oidc_token_file="/no/such/token")),
        "names a file with an identity provider's token that cannot be used: /no/such/token does not exist",
    ),
    (TCCLI, "{}", "has no secretId"),
    (
        TCCLI,
        json.dumps({"secretId": "a", "secretKey": SECRET, "token": "t", "type": "oauth", "expiresAt": 1}),
        "holds a session of oauth that has expired: run 'tccli auth login' once more",
    ),
    (
        TCCLI,
        json.dumps({"secretId": "a", "secretKey": SECRET, "token": "t", "type": "sso", "expiresAt": 1}),
        "run 'tccli sso login' once more",
    ),
]


@pytest.mark.parametrize(("name", "content", "why"), DAMAGES)
def test_error_names_the_file_and_what_is_wrong_with_it(
    tmp_path: Path, name: str, content: str | bytes, why: str
) -> None:
    path = write(tmp_path, name, content)
    with pytest.raises(CredentialsError) as caught:
        fetch(CLOUDS[name])
    text = str(caught.value)
    assert (path in text, why in text) == (True, True), text
    assert not caught.value.retryable
    assert SECRET not in f"{text} {caught.value!r}"
    assert "\n" not in text


@pytest.mark.parametrize("name", list(CONTENT))
def test_error_names_a_folder_in_place_of_a_file(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir(parents=True)
    with pytest.raises(CredentialsError, match=r"cannot be read \(IsADirectoryError\)"):
        fetch(CLOUDS[name])


@EITHER_WAY
@pytest.mark.parametrize("cloud", ["alibaba", "tencent"])
def test_a_wait_ends_at_once_by_a_damaged_file(machine: Machine, cloud: str, get: Any, tmp_path: Path) -> None:
    path = write(tmp_path, {"alibaba": INI, "tencent": TENCENT_INI}[cloud], "[prod]\n")
    hook = Kind(cloud, "default").connect(machine, endpoints={"metadata": NOBODY.url})
    with pytest.raises(CredentialsError) as caught:
        get(hook)
    assert f"{path} has no section [default]; it has [prod]" in str(caught.value)
    worked, said = hook.test_connection()
    assert not worked
    assert path in said


def test_names_a_damaged_file_that_is_passed_over(
    machine: Machine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write(tmp_path, TENCENT_INI, "[prod]\n")
    with caplog.at_level(logging.WARNING):
        key = fetch("tencent", metadata=Endpoint(machine.emulator.url)).credentials
    assert key.origin == (
        f"the role emulator-role of this machine, after passing over: {path} has no section [default]; it has [prod]"
    )
    assert f"Passed over in the default chain: {path} has no section" in caplog.text


@pytest.mark.parametrize("cloud", ["alibaba", "tencent"])
def test_error_names_a_variable_with_a_blank(cloud: str, monkeypatch: pytest.MonkeyPatch) -> None:
    names = {
        "alibaba": ("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET", "ALIBABA_CLOUD_SECURITY_TOKEN"),
        "tencent": ("TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRET_KEY", "TENCENTCLOUD_TOKEN"),
    }[cloud]
    for name, value in zip(names, ("id", "file-secret x", "t"), strict=True):
        monkeypatch.setenv(name, value)
    with pytest.raises(CredentialsError, match=f"{names[1]} of the environment has a blank") as caught:
        fetch(cloud)
    assert SECRET not in str(caught.value)


# A refusal names where the key came from


@EITHER_WAY
@pytest.mark.parametrize("cloud", ["alibaba", "tencent"])
def test_a_refused_key_is_named_by_its_file(machine: Machine, cloud: str, get: Any, tmp_path: Path) -> None:
    name = {"alibaba": CLI, "tencent": TENCENT_INI}[cloud]
    path = write(tmp_path, name, CONTENT[name])
    with pytest.raises(CredentialsError) as caught:
        get(Kind(cloud, "default").connect(machine))
    where = {"alibaba": f"profile 'default' of {path}", "tencent": f"section [default] of {path}"}[cloud]
    assert f"(signed with {where})" in str(caught.value)
    assert SECRET not in str(caught.value)


def test_a_refusal_of_sts_names_the_profile(machine: Machine, tmp_path: Path) -> None:
    fields = {"access_key_id": "file-id", "access_key_secret": "file-secret", "ram_role_arn": ALIBABA_ROLE}
    path = write(tmp_path, CLI, profile("RamRoleArn", **fields))
    with pytest.raises(CredentialsError) as caught:
        read(Kind("alibaba", "default").connect(machine))
    text = str(caught.value)
    assert text.startswith(
        f"Fetching credentials (STS AssumeRole by profile 'default' of {path}) failed: InvalidAccessKeyId"
    )
    assert asked(machine.emulator) == ["sts.assume_role"]


# The modes of aliyun that the vendor's class does not read


def at_the_emulator(machine: Machine) -> Fetched:
    emulator = Endpoint(machine.emulator.url)
    return fetch("alibaba", sts=emulator, metadata=emulator)


def test_assumes_a_role_with_the_role_of_the_machine(machine: Machine, tmp_path: Path) -> None:
    write(tmp_path, CLI, profile("RamRoleArnWithRoleName", ram_role_name="emulator-role", ram_role_arn=ALIBABA_ROLE))
    key = at_the_emulator(machine).credentials
    assert asked(machine.emulator) == ["metadata.token", "metadata.credentials", "sts.assume_role"]
    assert key.origin == f"{ALIBABA_ROLE} assumed by the role emulator-role of this machine"


def test_asks_a_credentials_uri(server: KeyServer, tmp_path: Path) -> None:
    write(tmp_path, CLI, profile("CredentialsURI", credentials_uri=f"{server.url}/key?who=airflow"))
    found = fetch("alibaba")
    assert (found.credentials.key_id, found.credentials.token) == ("STS.served", "served-token")
    assert found.expires_at == 4_102_444_800
    assert server.requests == [("GET", "/key?who=airflow", None, b"")]


def test_asks_cloud_sso_with_the_sign_in(server: KeyServer, tmp_path: Path) -> None:
    server.key = {"CloudCredential": server.key, "RequestId": "r"}
    fields = {
        "cloud_sso_sign_in_url": f"{server.url}/start/login",
        "cloud_sso_account_id": "1",
        "cloud_sso_access_config": "ac",
        "access_token": "signed-in",
        "cloud_sso_access_token_expire": int(time.time()) + 60,
    }
    write(tmp_path, CLI, profile("CloudSSO", **fields))
    assert fetch("alibaba").credentials.key_id == "STS.served"
    (request,) = server.requests
    assert request[:3] == ("POST", "/cloud-credentials", "Bearer signed-in")
    assert json.loads(request[3]) == {"AccountId": "1", "AccessConfigurationId": "ac"}


def test_exchanges_a_sign_in_by_oauth(server: KeyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(key_servers._OAUTH_URLS, "INTL", server.url)
    fields = {"oauth_access_token": "signed-in", "oauth_access_token_expire": int(time.time()) + 60}
    write(tmp_path, CLI, profile("OAuth", oauth_site_type="intl", **fields))
    assert fetch("alibaba").credentials.key_id == "STS.served"
    assert server.requests == [("POST", "/v1/exchange", "Bearer signed-in", b"")]


def test_sends_no_sign_in_over_plain_http(tmp_path: Path) -> None:
    fields = {"cloud_sso_account_id": "1", "cloud_sso_access_config": "c", "access_token": SECRET}
    fields |= {"cloud_sso_sign_in_url": "http://sso.test/x", "cloud_sso_access_token_expire": "4000000000"}
    write(tmp_path, CLI, profile("CloudSSO", **fields))
    with pytest.raises(CredentialsError, match="names a URL of CloudSSO with plain http"):
        fetch("alibaba")


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        ((502, b"<html>"), TransientError, "HTTP502"),
        ((429, b""), TransientError, "HTTP429"),
        ((200, b"<html>"), TransientError, "MalformedAnswer"),
        ((200, b'{"Code": "Success"}'), TransientError, "MalformedAnswer"),
        ((403, b"signed-in"), CredentialsError, "HTTP403"),
        ((200, b'{"Code": "Denied"}'), CredentialsError, "Denied"),
        ((400, b'{"Code": "Denied", "Message": "your hidden is wrong"}'), CredentialsError, "Denied"),
        ((200, b'{"Code": "ServiceUnavailable", "Message": "your hidden"}'), TransientError, "ServiceUnavailable"),
        ((400, b'{"Code": "Throttling.User"}'), TransientError, "Throttling.User"),
    ],
)
def test_errors_of_a_credentials_uri_are_sorted_by_what_happened(
    server: KeyServer, monkeypatch: pytest.MonkeyPatch, answer: tuple[int, bytes], kind: type[CloudApiError], code: str
) -> None:
    monkeypatch.setenv("ALIBABA_CLOUD_CREDENTIALS_URI", f"{server.url}/?token=hidden")
    server.answers = [answer]
    with pytest.raises(CloudApiError) as caught:
        fetch("alibaba")
    assert (type(caught.value), caught.value.code) == (kind, code)
    assert "ALIBABA_CLOUD_CREDENTIALS_URI" in str(caught.value)
    assert "hidden" not in str(caught.value)
    assert ("the service refuses: your ***" in str(caught.value)) == (b"your hidden" in answer[1])
    # Once it is well again, it answers.
    assert fetch("alibaba").credentials.key_id == "STS.served"


# Processes


def external(tmp_path: Path, script: str) -> Fetched:
    write(tmp_path, "script", f"#!/bin/sh\n{script}\n")
    (tmp_path / "script").chmod(0o755)
    write(tmp_path, CLI, profile("External", process_command=f"'{tmp_path}/script' 'an argument'"))
    return fetch("alibaba")


def test_runs_the_process_of_a_profile_without_a_shell(tmp_path: Path) -> None:
    printed = '{"access_key_id":"x","access_key_secret":"s","expiration":"2100-01-01T00:00:00Z"}'
    found = external(tmp_path, f"[ \"$1\" = 'an argument' ] && echo '{printed}'")
    assert (found.credentials.key_id, found.credentials.token) == ("x", None)
    assert found.expires_at == 4_102_444_800


@pytest.mark.parametrize(
    ("script", "why"),
    [
        (f"echo {SECRET}; echo {SECRET} >&2; exit 3", "ended with exit code 3"),
        (f"echo {SECRET}", "printed no JSON with access_key_id, access_key_secret, sts_token"),
        ('echo \'{"mode": "StsToken", "access_key_id": "a", "access_key_secret": "b"}\'', "printed no JSON with"),
        ('echo \'{"access_key_id": "a b", "access_key_secret": "b"}\'', "printed no JSON with"),
    ],
)
def test_error_of_a_process_shows_none_of_its_output(tmp_path: Path, script: str, why: str) -> None:
    with pytest.raises(CredentialsError) as caught:
        external(tmp_path, script)
    assert why in str(caught.value)
    assert f"profile 'default' of {tmp_path}/{CLI}" in str(caught.value)
    assert SECRET not in str(caught.value)


def test_a_process_that_hangs_is_transient(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alibaba_cli, "_PROCESS_SECONDS", 0.05)
    with pytest.raises(TransientError, match=r"took longer than 0\.05 s"):
        external(tmp_path, "exec sleep 5")


# tccli


def test_reads_the_token_of_a_session_of_tccli(tmp_path: Path) -> None:
    content = {"secretId": "a", "secretKey": "b", "token": "t", "type": "oauth", "expiresAt": 4_000_000_000}
    write(tmp_path, TCCLI, content)
    found = fetch("tencent")
    assert (found.credentials.key_id, found.credentials.token) == ("a", "t")
    assert found.expires_at == 4_000_000_000


def test_reads_the_profile_that_tccli_would_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, TCCLI, {"secretId": "a", "secretKey": "b"})
    write(tmp_path, ".tccli/other.credential", {"secretId": "c", "secretKey": "d", "token": None})
    monkeypatch.setenv("TCCLI_PROFILE", "other")
    assert fetch("tencent").credentials.key_id == "c"


def test_assumes_the_role_of_a_profile_of_tccli(machine: Machine, tmp_path: Path) -> None:
    content = {"secretId": "emulator-id", "secretKey": "emulator-secret", "role-arn": TENCENT_ROLE}
    write(tmp_path, TCCLI, content | {"role-session-name": "cli"})
    fetch("tencent", sts=Endpoint(machine.emulator.url))
    (call,) = machine.emulator.requests("sts.assume_role")
    assert call["parameters"]["RoleSessionName"] == "cli"


def test_uses_the_role_of_the_machine_for_a_profile_of_tccli_that_says_so(machine: Machine, tmp_path: Path) -> None:
    machine.emulator.sts(role="mine")
    write(tmp_path, TCCLI, {"type": "cvm-role"})
    settings = {"metadata": Endpoint(machine.emulator.url), "role_name": "not-mine"}
    assert fetch("tencent", **settings).credentials.origin == "the role mine of this machine"


def test_the_provider_of_a_profile_reaches_sts(machine: Machine, tmp_path: Path) -> None:
    write(tmp_path, "token", "the-oidc-token\n")
    fields = {
        "oidc_token_file": f"{tmp_path}/token",
        "ram_role_arn": ALIBABA_ROLE,
        "oidc_provider_arn": ALIBABA_PROVIDER,
    }
    write(tmp_path, CLI, profile("OIDC", role_session_name="cli", **fields))
    machine.emulator.sts(oidc_token="the-oidc-token")
    at_the_emulator(machine)
    (call,) = machine.emulator.requests("sts.assume_role_with_oidc")
    assert (call["parameters"]["OIDCProviderArn"], call["parameters"]["RoleSessionName"]) == (ALIBABA_PROVIDER, "cli")
