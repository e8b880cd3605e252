"""The environment variables in the guide to connections are connections that the hooks can use, on every Airflow."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest

from airflow_cloudtasks.catalog import BDRC_TASK, WEDATA_TASK
from airflow_cloudtasks.errors import CredentialsError, InvalidConnection
from airflow_cloudtasks.hooks.alibaba import AlibabaCloudHook
from airflow_cloudtasks.hooks.tencent import TencentCloudHook

GUIDES = Path(__file__).parents[2] / "docs" / "how-to"
PAGES = ["connect.md", "regions.md"]
VARIABLES = [
    found
    for page in PAGES
    for found in re.findall(r"^export (AIRFLOW_CONN_\w+)='([^']*)'$", (GUIDES / page).read_text("utf-8"), re.M)
]
HOOKS: dict[str, Any] = {"alibaba": AlibabaCloudHook, "tencent": TencentCloudHook}
REGIONS = {"alibaba": ("cn-shanghai", "cn-shanghai-finance-1"), "tencent": ("ap-guangzhou", "ap-shanghai-fsi")}


def use(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> Any:
    """Return the hook of a connection in the environment."""
    monkeypatch.setenv(variable, value)
    conn_id = variable.removeprefix("AIRFLOW_CONN_").lower()
    return HOOKS[conn_id.split("_")[0]](conn_id)


def test_the_guide_has_connections_as_json_and_as_uris() -> None:
    assert {value[0] for _, value in VARIABLES} == {"{", "c"}
    assert len(VARIABLES) >= 13
    assert len({name for name, _ in VARIABLES}) >= 11


@pytest.mark.parametrize(("variable", "value"), VARIABLES)
def test_the_connection_can_be_used(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, variable: str, value: str
) -> None:
    hook = use(monkeypatch, variable, value)
    monkeypatch.setattr(type(hook), "log", logging.getLogger("hook"), raising=False)
    with caplog.at_level(logging.WARNING):
        account = hook.get_conn().account
    assert account.location.region in REGIONS[account.cloud]
    assert "not used" not in caplog.text
    if "@" in value or '"login"' in value:
        keys = account.credentials.get() if "role_arn" not in value else account.credentials._settings
        assert keys.secret == "a/b+c=d"
    for product, endpoint in re.findall(r'"(\w+)": "(https://\S+?)"', unquote(value)):
        assert account.endpoints[product].url == endpoint
    if "example.com" in value:
        assert {endpoint.url.split(":")[0] for endpoint in account.endpoints.values()} == {"https"}


def test_a_scheme_with_an_underscore_is_corrected(monkeypatch: pytest.MonkeyPatch) -> None:
    hook = use(monkeypatch, "AIRFLOW_CONN_ALIBABA_X", "cloudtasks_alibaba://id:secret@/?region=cn-shanghai")
    works, text = hook.test_connection()
    assert not works
    assert "write it with a hyphen, as in cloudtasks-alibaba://LOGIN:PASSWORD@." in text


SECRET = "SeCrEt/x+y="


@pytest.mark.usefixtures("airflow_home")
@pytest.mark.parametrize(
    ("value", "why"),
    [
        (f"cloudtasks-alibaba://id:{SECRET}@/?region=cn-shanghai", "/ as %2F, + as %2B, = as %3D"),
        (f'{{"conn_type": "cloudtasks_alibaba", "password": "{SECRET}"', "it is not valid JSON"),
        (f'{{"conn_type": "cloudtasks_alibaba", "password": "{SECRET}", "region": "r"}}', "its JSON has 'region'"),
        ('{"conn_type": "cloudtasks_alibaba", "password": 12345678}', "its password is not a text"),
    ],
)
def test_a_variable_that_airflow_cannot_read_is_explained_without_the_secret(
    monkeypatch: pytest.MonkeyPatch, value: str, why: str
) -> None:
    hook = use(monkeypatch, "AIRFLOW_CONN_ALIBABA_X", value)
    with pytest.raises(InvalidConnection, match=r"^The environment variable AIRFLOW_CONN_ALIBABA_X holds no") as caught:
        hook.get_conn()
    with pytest.raises(InvalidConnection) as also_caught:
        asyncio.run(hook.aget_conn())
    works, text = hook.test_connection()
    assert works is False
    assert text == str(caught.value) == str(also_caught.value)
    assert why in text
    assert SECRET[:6] not in text
    assert "12345678" not in text


@pytest.mark.parametrize("secret", [SECRET, "a%b", "a b", "a&b", "a@b:c", "密"])
@pytest.mark.parametrize("form", ["URI", "JSON"])
def test_a_secret_arrives_as_it_was_written(monkeypatch: pytest.MonkeyPatch, form: str, secret: str) -> None:
    if form == "URI":
        extra = quote(json.dumps({"ice": "https://ice.example.com"}), safe="")
        value = f"cloudtasks-alibaba://id:{quote(secret, safe='')}@/?region=cn-shanghai&max_tries=3&endpoints={extra}"
    else:
        fields = {"region": "cn-shanghai", "max_tries": 3, "endpoints": {"ice": "https://ice.example.com"}}
        value = json.dumps({"conn_type": "cloudtasks_alibaba", "login": "id", "password": secret, "extra": fields})
    hook = use(monkeypatch, "AIRFLOW_CONN_ALIBABA_X", value)
    if not secret.isascii() or " " in secret:
        works, text = hook.test_connection()
        assert not works
        assert "which no key has" in text
        return
    account = hook.get_conn().account
    assert account.credentials.get().secret == secret
    assert account.endpoints["ice"].url == "https://ice.example.com"
    assert account.retries.tries == 3


@pytest.mark.parametrize(
    "query",
    [
        "external_id=true&auth_type=ram_role_arn&role_arn=r",
        f"__extra__={quote(json.dumps({'external_id': True, 'auth_type': 'ram_role_arn', 'role_arn': 'r'}))}",
    ],
    ids=["query", "JSON"],
)
def test_a_boolean_is_the_text_that_was_written(monkeypatch: pytest.MonkeyPatch, query: str) -> None:
    hook = use(monkeypatch, "AIRFLOW_CONN_ALIBABA_X", f"cloudtasks-alibaba://id:secret@/?{query}")
    assert hook.get_conn().account.credentials._settings.external_id == "true"


def test_a_number_in_place_of_a_text_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    extra = quote(json.dumps({"auth_type": "ram_role_arn", "role_arn": "r", "external_id": 1.10}))
    hook = use(monkeypatch, "AIRFLOW_CONN_ALIBABA_X", f"cloudtasks-alibaba://id:secret@/?__extra__={extra}")
    works, text = hook.test_connection()
    assert not works
    assert "external_id is of JSON's type number; expected text" in text


@pytest.mark.parametrize("field", ["region_id", "extra__cloudtasks_alibaba__region", "Region"])
def test_the_log_and_the_test_button_name_a_field_that_is_not_used(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, field: str
) -> None:
    hook = use(monkeypatch, "AIRFLOW_CONN_ALIBABA_X", f"cloudtasks-alibaba://id:secret@/?{field}=cn-shanghai")
    # Airflow 3 logs by structlog, which caplog does not see.
    monkeypatch.setattr(type(hook), "log", logging.getLogger("hook"), raising=False)
    with caplog.at_level(logging.WARNING):
        monkeypatch.setattr(type(hook.get_conn()), "who_am_i", lambda self: {"AccountId": "1", "Arn": "a"})
    named = f"Its Extra has fields that are not used: '{field}' (did you mean 'region'?)."
    assert caplog.text.count(named) == 1
    works, text = hook.test_connection()
    assert works
    assert text == f"Connected to account 1 as a, no region set. {named}"


def test_a_failed_test_names_the_field_that_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(client: Any) -> Any:
        raise CredentialsError("no such key,\ntry another", code="InvalidAccessKeyId", action="STS GetCallerIdentity")

    hook = use(monkeypatch, "AIRFLOW_CONN_ALIBABA_X", "cloudtasks-alibaba://id:secret@/?securityToken=hidden")
    monkeypatch.setattr(type(hook.get_conn()), "who_am_i", refuse)
    works, text = hook.test_connection()
    assert not works
    assert text.startswith("STS GetCallerIdentity failed: InvalidAccessKeyId: no such key, try another ")
    assert text.endswith("Its Extra has fields that are not used: 'securityToken' (did you mean 'security_token'?).")
    assert "hidden" not in text


def test_an_invalid_connection_names_the_field_that_is_not_used_once(monkeypatch: pytest.MonkeyPatch) -> None:
    hook = use(monkeypatch, "AIRFLOW_CONN_ALIBABA_X", "cloudtasks-alibaba://id@/?acces_key_secret=hidden")
    works, text = hook.test_connection()
    assert not works
    assert text.count("did you mean 'access_key_secret'?") == 1
    assert "hidden" not in text


def test_the_documented_connections_reach_the_documented_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    hosts = {}
    for variable, value in VARIABLES:
        client = use(monkeypatch, variable, value).get_conn()
        service = WEDATA_TASK.service if client.account.cloud == "tencent" else BDRC_TASK.service
        hosts[variable.removeprefix("AIRFLOW_CONN_")] = client.endpoint(service).host
    assert hosts["TENCENT_FINANCE"] == "wedata.ap-shanghai-fsi.tencentcloudapi.com"
    assert hosts["TENCENT_INTERNAL"] == "wedata.internal.tencentcloudapi.com"
    assert hosts["ALIBABA_FINANCE"] == "bdrc.cn-shanghai-finance-1.aliyuncs.com"
    assert hosts["ALIBABA_VPC"] == "bdrc-vpc.cn-shanghai.aliyuncs.com"
