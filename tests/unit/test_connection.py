"""An Airflow connection is read, or refused with one sentence that names the fault and the fix."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from airflow_cloudtasks.clouds.client import Account
from airflow_cloudtasks.clouds.credentials.chain import first_of
from airflow_cloudtasks.clouds.credentials.source import CredentialSettings, FetchedCredentials
from airflow_cloudtasks.clouds.wire import Credentials, Endpoint, Location
from airflow_cloudtasks.errors import CloudTasksError, InvalidConnection
from airflow_cloudtasks.get_provider_info import connection_type
from airflow_cloudtasks.hooks.connection import ALIBABA_FIELDS as ALIBABA
from airflow_cloudtasks.hooks.connection import TENCENT_FIELDS as TENCENT
from airflow_cloudtasks.hooks.connection import ConnectionFields, ConnectionValues, read_connection

SECRET, TOKEN = "hidden-secret", "hidden-token"
OIDC = {"auth_type": "oidc_role_arn", "role_arn": "r", "oidc_token_file": "/nowhere/token"}


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for cloud_fields in (ALIBABA, TENCENT):
        for variable in cloud_fields.variables.values():
            monkeypatch.delenv(variable, raising=False)


def connection(cloud_fields: ConnectionFields = ALIBABA, extra: Any = MappingProxyType({}), **fields: Any) -> Account:
    values: dict[str, Any] = {
        "conn_id": "my_conn",
        "conn_type": cloud_fields.conn_types[0],
        "login": "my-id",
        "password": SECRET,
        "host": None,
        "port": None,
        **fields,
    }
    return read_connection(cloud_fields, ConnectionValues(**values, extra=extra), "tests")


def credentials(account: Account) -> Credentials:
    return account.credentials.get()


@pytest.mark.parametrize(
    ("cloud_fields", "fields", "text"),
    [
        (ALIBABA, {"conn_type": "http"}, "its type is 'http'; expected cloudtasks_alibaba or alibaba_cloud."),
        (ALIBABA, {"conn_type": ""}, "its type is ''; expected cloudtasks_alibaba or alibaba_cloud."),
        (TENCENT, {"conn_type": "alibaba_cloud"}, "its type is 'alibaba_cloud'; expected cloudtasks_tencent."),
        (
            ALIBABA,
            {"login": None},
            "it has no AccessKey ID, which auth_type access_key needs; put it into the field AccessKey ID (Login).",
        ),
        (
            ALIBABA,
            {"login": "  "},
            "it has no AccessKey ID, which auth_type access_key needs; put it into the field AccessKey ID (Login).",
        ),
        (
            ALIBABA,
            {"password": None},
            "it has no AccessKey secret, which auth_type access_key needs; put it into the field AccessKey secret "
            "(Password).",
        ),
        (
            TENCENT,
            {"login": ""},
            "it has no SecretId, which auth_type access_key needs; put it into the field SecretId (Login).",
        ),
        (
            TENCENT,
            {"password": "\n"},
            "it has no SecretKey, which auth_type access_key needs; put it into the field SecretKey (Password).",
        ),
        (ALIBABA, {"login": "a b"}, "its AccessKey ID has a blank, a control character or a non-ASCII character"),
        (ALIBABA, {"password": f"{SECRET}\u200b"}, "copy it once more into the field AccessKey secret (Password)."),
        (TENCENT, {"password": f"{SECRET}\r\nX: y"}, "copy it once more into the field SecretKey (Password)."),
        (
            ALIBABA,
            {"extra": {"auth_type": "sts"}},
            "auth_type sts needs security_token; put it into Extra as 'security_token'.",
        ),
        (TENCENT, {"extra": {"auth_type": "sts", "token": " "}}, "put it into Extra as 'token'"),
        (TENCENT, {"extra": {"token": f"{TOKEN}\n{TOKEN}"}}, "copy it once more into Extra as 'token'."),
        (
            ALIBABA,
            {"conn_type": ""},
            "If it is a URI, write it with a hyphen, as in cloudtasks-alibaba://LOGIN:PASSWORD@.",
        ),
        # JSON's types where a text is meant.
        *(
            (
                cloud_fields,
                {"extra": {name: value}},
                f"{name} is of JSON's type {kind}; expected text: write Extra as JSON",
            )
            for cloud_fields in (ALIBABA, TENCENT)
            for name in ("region", "auth_type", "network", "proxy", "ca_bundle", cloud_fields.token_extra)
            for value, kind in ((1.1, "number"), (["x"], "array"), ({"x": "y"}, "object"))
        ),
        (
            TENCENT,
            {"extra": {"auth_type": "role_arn", "role_arn": "r", "external_id": 1.1}},
            "external_id is of JSON's type number; expected text",
        ),
        # A misspelled field is named with every other fault.
        (
            ALIBABA,
            {"login": None, "extra": {"acces_key_id": "my-id"}},
            "(Login). Its Extra has fields that are not used: 'acces_key_id' (did you mean 'access_key_id'?).",
        ),
        # Extra that is no JSON object is read as None.
        (ALIBABA, {"extra": None}, 'its Extra is not a JSON object; write it as {"region": "…"}.'),
        (TENCENT, {"extra": None}, 'its Extra is not a JSON object; write it as {"region": "…"}.'),
        # The fields that each auth_type requires.
        *(
            (cloud_fields, {"login": "", "password": "", "extra": {"auth_type": role, "role_arn": arn}}, text)
            for cloud_fields, role, arn, text in (
                (ALIBABA, "ram_role_arn", "acs:ram::1:role/r", "it has no AccessKey ID, which auth_type ram_role_arn"),
                (TENCENT, "role_arn", "qcs::cam::uin/1:roleName/r", "it has no SecretId, which auth_type role_arn"),
            )
        ),
        (ALIBABA, {"extra": {"auth_type": "ram_role_arn"}}, "auth_type ram_role_arn needs role_arn; put it into Extra"),
        (ALIBABA, {"extra": {"auth_type": "ram_role_arn"}}, "or set ALIBABA_CLOUD_ROLE_ARN in the environment."),
        (TENCENT, {"extra": {"auth_type": "role_arn", "role_arn": " "}}, "auth_type role_arn needs role_arn; put it"),
        (
            ALIBABA,
            {"extra": {"auth_type": "oidc_role_arn", "role_arn": "r"}},
            "auth_type oidc_role_arn needs oidc_provider_arn; put it into Extra as 'oidc_provider_arn', "
            "or set ALIBABA_CLOUD_OIDC_PROVIDER_ARN in the environment.",
        ),
        (
            TENCENT,
            {"extra": {"auth_type": "oidc_role_arn", "role_arn": "r", "provider_id": "p"}},
            "auth_type oidc_role_arn needs oidc_token_file; put it into Extra as 'oidc_token_file', "
            "or set TKE_WEB_IDENTITY_TOKEN_FILE in the environment.",
        ),
        (
            ALIBABA,
            {"extra": OIDC | {"oidc_provider_arn": "p"}},
            "oidc_token_file names '/nowhere/token', and there is no such file on this machine.",
        ),
        (
            TENCENT,
            {"extra": OIDC | {"provider_id": "p"}},
            "oidc_token_file names '/nowhere/token', and there is no such file on this machine.",
        ),
        *(
            (
                cloud_fields,
                {"extra": {"auth_type": "access_key", cloud_fields.token_extra: TOKEN}},
                f"it has a '{cloud_fields.token_extra}', which auth_type access_key does not use; "
                "set auth_type to sts, or remove the token.",
            )
            for cloud_fields in (ALIBABA, TENCENT)
        ),
        # A session's settings.
        *(
            (cloud_fields, {"extra": {"auth_type": role, "role_arn": "r", **settings}}, text)
            for cloud_fields, role in ((ALIBABA, "ram_role_arn"), (TENCENT, "role_arn"))
            for settings, text in (
                (
                    {"policy": "{'no': 'json'}"},
                    "policy is not a JSON object; write it in the policy language of the cloud's",
                ),
                ({"policy": '"text"'}, "policy is not a JSON"),
                ({"policy": "7"}, "policy is not a JSON"),
                ({"policy": [1]}, "policy is not a JSON"),
                ({"duration_seconds": 899}, "duration_seconds is 899; expected at least 900."),
                ({"duration_seconds": "-1"}, "duration_seconds is '-1'; expected a whole number of at least 1."),
                ({"duration_seconds": "an hour"}, "duration_seconds is 'an hour'; expected a whole number"),
                ({"duration_seconds": 900.5}, "duration_seconds is '900.5'; expected a whole number"),
            )
        ),
        # Network and endpoints.
        (ALIBABA, {"extra": {"network": "internal"}}, "network is 'internal'; expected one of public, vpc."),
        (
            TENCENT,
            {"extra": {"network": "vpc"}},
            "network is 'vpc'; expected one of public, regional, internal, internal_regional.",
        ),
        *(
            (ALIBABA, {"extra": {"endpoints": endpoints}}, "endpoints is not a JSON object of addresses; write it as {")
            for endpoints in ("{", "ice.test", '["ice.test"]', ["ice.test"], {"ice": 7}, '{"ice": null}', "7")
        ),
        (
            ALIBABA,
            {"extra": {"endpoints": {"ice": "http://ice.test"}}},
            "The endpoint 'http://ice.test' uses plain http",
        ),
        (ALIBABA, {"extra": {"endpoints": {"ice": f"u:{SECRET}@h"}}}, "The endpoint 'h' is not an address"),
        (
            ALIBABA,
            {"extra": {"ca_bundle": "/nowhere/ca.pem"}},
            "ca_bundle names '/nowhere/ca.pem', and there is no such",
        ),
        *(
            (
                TENCENT,
                {"extra": {"proxy": proxy}},
                "proxy is not the address of a proxy; write it as http://[USER:PASSWORD@]",
            )
            for proxy in (
                f"me:{SECRET}@proxy.test/x",
                f"socks5://me:{SECRET}@p",
                f"http://{SECRET}/@p",
                "http://",
                "h/x",
            )
        ),
        (ALIBABA, {"extra": {"auth_type": "oauth"}}, "auth_type is 'oauth'; expected one of access_key, sts"),
        *(
            (ALIBABA, {"extra": {"notify_queue": queue}}, f"notify_queue: {text}")
            for queue, text in (
                ("a queue", "'a queue' is no queue of SMQ; expected its name, of up to 120 letters"),
                ("http://1.mns.cn-hangzhou.aliyuncs.com/queues/ice-callback-a", "The endpoint 'http://1.mns"),
                (f"https://u:{SECRET}@h/queues/ice-callback-a", "The endpoint 'h' is not an address"),
            )
        ),
        (ALIBABA, {"extra": {"notify_queue": "orders"}}, "whose names start with ice-callback-"),
        (TENCENT, {"extra": {"site": "us"}}, "site is 'us'; expected one of cn, intl."),
        (ALIBABA, {"host": "http://oss.test"}, "The endpoint 'http://oss.test' uses plain http"),
        (ALIBABA, {"host": f"https://u:{SECRET}@h"}, "The endpoint 'h' is not an address; write it as a host name"),
        *(
            (cloud_fields, {"extra": {"region": "x@evil.test/", "auth_type": auth_type, "role_arn": "r"}}, "The region")
            for cloud_fields, auth_type in ((ALIBABA, "ram_role_arn"), (TENCENT, "role_arn"))
        ),
        (ALIBABA, {"host": "https://[::1"}, "The endpoint 'https://[::1' is not an address"),
        (ALIBABA, {"host": "h", "port": 99999}, "The endpoint 'h:99999' is not an address"),
        *(
            (ALIBABA, {"extra": {name: value}}, f"{name} is '{value}'; expected a number of seconds above 0.")
            for name in ("connect_timeout", "read_timeout")
            for value in (0, "-1", "soon", "nan", True)
        ),
        *(
            (ALIBABA, {"extra": {"max_retry_seconds": value}}, "expected a number of seconds of at least 0.")
            for value in (-1, "soon", "nan")
        ),
        *(
            (ALIBABA, {"extra": {name: value}}, f"{least} and of at most 1,000,000.")
            for name, least in (("read_timeout", "above 0"), ("max_retry_seconds", "of at least 0"))
            for value in ("inf", 1e10, 10**400)
        ),
        *(
            (TENCENT, {"extra": {"max_tries": value}}, f"max_tries is '{value}'; expected a whole number of at least 1")
            for value in (0, "-1", "2.5", "many", True, "²")
        ),
    ],
)
def test_an_invalid_connection_names_the_fault_and_the_fix(
    cloud_fields: ConnectionFields, fields: dict[str, Any], text: str
) -> None:
    with pytest.raises(InvalidConnection) as caught:
        connection(cloud_fields, **fields)
    message = str(caught.value)
    assert message.startswith("The Airflow connection 'my_conn' cannot be used: ")
    assert text in message
    assert message.endswith(".")
    assert "\n" not in message
    assert SECRET not in message
    assert TOKEN not in message
    assert caught.value.__suppress_context__


def test_invalid_connection_is_a_value_error_and_a_cloud_tasks_error() -> None:
    assert issubclass(InvalidConnection, ValueError)
    assert issubclass(InvalidConnection, CloudTasksError)


@pytest.mark.parametrize("cloud_fields", [ALIBABA, TENCENT], ids=["alibaba", "tencent"])
def test_reads_the_key_from_login_and_password(cloud_fields: ConnectionFields) -> None:
    account = connection(cloud_fields, login=" my-id\n", password=f" {SECRET}\n")
    assert account.cloud == cloud_fields.cloud
    assert credentials(account) == Credentials("my-id", SECRET)
    assert asyncio.run(account.credentials.aget()) == credentials(account)


def test_reads_tencents_key_from_extra() -> None:
    account = connection(TENCENT, login="", password="", extra={"secret_id": "my-id", "secret_key": SECRET})
    assert credentials(account) == Credentials("my-id", SECRET)


def test_login_and_password_take_precedence_over_extra() -> None:
    account = connection(extra={"access_key_id": "other", "access_key_secret": "other"})
    assert credentials(account) == Credentials("my-id", SECRET)


@pytest.mark.parametrize(("cloud_fields", "field"), [(ALIBABA, "security_token"), (TENCENT, "token")])
@pytest.mark.parametrize("auth_type", [{}, {"auth_type": "sts"}, {"auth_type": None}, {"auth_type": ""}])
def test_uses_a_temporary_token_with_its_key(
    cloud_fields: ConnectionFields, field: str, auth_type: dict[str, Any]
) -> None:
    account = connection(cloud_fields, extra={field: f" {TOKEN} ", **auth_type})
    assert credentials(account) == Credentials("my-id", SECRET, TOKEN)


@pytest.mark.parametrize("cloud_fields", [ALIBABA, TENCENT], ids=["alibaba", "tencent"])
@pytest.mark.parametrize("empty", [None, "", " "])
def test_empty_form_fields_mean_the_defaults(cloud_fields: ConnectionFields, empty: str | None) -> None:
    names = connection_type(cloud_fields.conn_types[0])["conn-fields"]
    assert len(names) > 15
    account = connection(cloud_fields, extra=dict.fromkeys(names, empty))
    assert (account.location, account.endpoints) == (Location(None, "cn", "public"), {})
    assert credentials(account) == Credentials("my-id", SECRET)
    assert (account.network.timeouts.connect, account.network.timeouts.read) == (5, 30)
    assert (account.network.proxy, account.network.ca_bundle) == (None, None)
    assert (account.retries.tries, account.retries.seconds) == (5, 60)


@pytest.mark.parametrize("kind", [str, int, float])
def test_reads_numbers_that_are_text(kind: Any) -> None:
    account = connection(
        extra={"connect_timeout": kind(1), "read_timeout": kind(2), "max_tries": "3", "max_retry_seconds": kind(0)}
    )
    assert (account.network.timeouts.connect, account.network.timeouts.read) == (1, 2)
    assert (account.retries.tries, account.retries.seconds) == (3, 0)


@pytest.mark.parametrize(
    ("written", "rates"),
    [
        (5, {"*": 5}),
        ("2.5", {"*": 2.5}),
        ({"wedata.task": 10}, {"wedata.task": 10}),
        ('{"wedata.task": 10, "*": 20}', {"wedata.task": 10, "*": 20}),
        (None, {}),
        ("", {}),
    ],
)
def test_requests_per_second_is_a_number_or_a_number_per_api(written: Any, rates: dict[str, float]) -> None:
    assert connection(extra={"requests_per_second": written}).requests_per_second == rates


@pytest.mark.parametrize("written", [0, -1, "many", "[20]", {"wedata.task": "x"}, {"*": True}, {"*": 0}, "NaN"])
def test_refuses_an_invalid_requests_per_second(written: Any) -> None:
    with pytest.raises(InvalidConnection, match="expected a number above 0, or a JSON object of them by the name"):
        connection(extra={"requests_per_second": written})


@pytest.mark.parametrize(
    ("host", "port", "url"),
    [
        ("http://127.0.0.1:8787", None, "http://127.0.0.1:8787"),
        ("http://127.0.0.1", 8787, "http://127.0.0.1:8787"),
        ("proxy.test", None, "https://proxy.test"),
        ("proxy.test", 8443, "https://proxy.test:8443"),
    ],
)
def test_host_is_the_endpoint_of_every_service(host: str, port: int | None, url: str) -> None:
    account = connection(host=host, port=port)
    assert account.endpoints == {"*": Endpoint(url)}


def test_the_repr_of_an_account_holds_no_secret() -> None:
    account = connection(extra={"security_token": TOKEN})
    assert SECRET not in repr(account)
    assert TOKEN not in repr(account)


@pytest.mark.parametrize("write", [dict, json.dumps], ids=["object", "text"])
def test_reads_an_endpoint_per_service(write: Any) -> None:
    given = write({"ice": "https://ice.test", "sts": "127.0.0.1:8443"})
    account = connection(host="http://127.0.0.1:8787", extra={"endpoints": given, "region": "cn-shanghai"})
    assert account.endpoints == {
        "ice": Endpoint("https://ice.test"),
        "sts": Endpoint("https://127.0.0.1:8443"),
        "*": Endpoint("http://127.0.0.1:8787"),
    }


@pytest.mark.parametrize("write", [dict, json.dumps], ids=["object", "text"])
def test_accepts_a_policy_as_an_object_or_as_text(write: Any) -> None:
    policy = {"Version": "1", "Statement": []}
    extra = {"auth_type": "ram_role_arn", "role_arn": "r", "policy": write(policy)}
    assert settings(connection(extra=extra)).policy == '{"Version":"1","Statement":[]}'


def test_sends_a_policy_without_blanks() -> None:
    policy = {"Condition": {"StringEquals": {"x": ["a b", " "]}}}
    extra = {"auth_type": "ram_role_arn", "role_arn": "r", "policy": policy}
    sent = settings(connection(extra=extra)).policy
    assert sent is not None
    assert " " not in sent
    assert json.loads(sent) == policy


def settings(account: Account) -> CredentialSettings:
    assert isinstance(account.credentials, FetchedCredentials)
    return account.credentials._settings


@pytest.mark.parametrize("written", ["RAM_ROLE_ARN", "Ram_Role_Arn", " ram_role_arn "])
def test_reads_words_in_any_case(written: str) -> None:
    account = connection(extra={"auth_type": written, "role_arn": "r", "network": "VPC"})
    assert settings(account).role_arn == "r"
    assert account.location.network == "vpc"


@pytest.mark.parametrize("written", [3, "3", 3.0, "3.0"])
def test_reads_a_whole_number_that_json_wrote_as_another_type(written: Any) -> None:
    assert connection(extra={"max_tries": written}).retries.tries == 3


@pytest.mark.parametrize("cloud_fields", [ALIBABA, TENCENT], ids=["alibaba", "tencent"])
def test_no_key_and_no_auth_type_mean_the_vendors_default_chain(cloud_fields: ConnectionFields) -> None:
    account = connection(cloud_fields, login=None, password=None)
    explicit = connection(cloud_fields, login=None, password=None, extra={"auth_type": "default"})
    assert account.credentials is explicit.credentials
    assert isinstance(account.credentials, FetchedCredentials)
    assert account.credentials._fetch.func is first_of


@pytest.mark.parametrize("missing", ["login", "password"])
def test_refuses_half_a_key_instead_of_using_the_default_chain(missing: str) -> None:
    with pytest.raises(InvalidConnection, match="it has no AccessKey"):
        connection(**{missing: None})


@pytest.mark.parametrize(
    ("cloud_fields", "extra", "url"),
    [
        (ALIBABA, {}, "https://sts.aliyuncs.com"),
        (ALIBABA, {"region": "cn-shanghai"}, "https://sts.cn-shanghai.aliyuncs.com"),
        (ALIBABA, {"region": "cn-shanghai", "network": "vpc"}, "https://sts-vpc.cn-shanghai.aliyuncs.com"),
        (TENCENT, {}, "https://sts.tencentcloudapi.com"),
        (TENCENT, {"site": "intl", "region": "ap-jakarta"}, "https://sts.intl.tencentcloudapi.com"),
        (TENCENT, {"network": "internal", "region": "ap-jakarta"}, "https://sts.internal.tencentcloudapi.com"),
        (ALIBABA, {"network": "vpc"}, "https://sts.aliyuncs.com"),
        (ALIBABA, {"region": "cn-shanghai-finance-1"}, "https://sts.cn-shanghai-finance-1.aliyuncs.com"),
        (
            ALIBABA,
            {"region": "cn-north-2-gov-1", "network": "vpc"},
            "https://sts-vpc.cn-north-2-gov-1.aliyuncs.com",
        ),
        (TENCENT, {"region": "ap-shanghai-fsi"}, "https://sts.ap-shanghai-fsi.tencentcloudapi.com"),
        (
            TENCENT,
            {"region": "ap-shanghai-fsi", "network": "internal"},
            "https://sts.internal.ap-shanghai-fsi.tencentcloudapi.com",
        ),
        (ALIBABA, {"endpoints": {"*": "https://all.test"}}, "https://all.test"),
        (ALIBABA, {"endpoints": {"sts": "https://sts.test", "ice": "ice.test"}}, "https://sts.test"),
    ],
)
def test_calls_sts_in_the_network_and_site_of_the_other_services(
    cloud_fields: ConnectionFields, extra: dict[str, Any], url: str
) -> None:
    role = {"auth_type": "ram_role_arn" if cloud_fields is ALIBABA else "role_arn", "role_arn": "r"}
    assert settings(connection(cloud_fields, extra=role | extra)).sts.url == url


@pytest.mark.parametrize("written", [f"http://me:{SECRET}@proxy.test:3128", "proxy.test:3128", " https://proxy.test "])
def test_accepts_a_proxy_as_users_write_it(written: str) -> None:
    assert connection(extra={"proxy": written}).network.proxy == written.strip()


def test_accepts_a_folder_of_certificates(tmp_path: Path) -> None:
    assert connection(extra={"ca_bundle": str(tmp_path)}).network.ca_bundle == str(tmp_path)


def test_reprs_hold_no_proxy_password() -> None:
    proxy = f"http://me:{SECRET}@proxy.test:3128"
    account = connection(extra={"proxy": proxy, "auth_type": "ram_role_arn", "role_arn": "r"})
    assert account.network.proxy == proxy
    assert SECRET not in f"{account!r} {account.network!r} {settings(account)!r}"
