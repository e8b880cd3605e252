"""A connection of the official Alibaba provider works as that provider documents it, in all of its releases.

Source: apache-airflow-providers-alibaba 1.0.0 to 3.5.2, its page "Alibaba Cloud Connection" and what its hooks read.
"""

from __future__ import annotations

from typing import Any

import pytest

from airflow_cloudtasks.clouds.client import Account
from airflow_cloudtasks.clouds.wire import Credentials
from airflow_cloudtasks.errors import InvalidConnection
from airflow_cloudtasks.hooks.connection import ALIBABA_FIELDS, ConnectionValues, read_connection, unread_fields

SECRET = "hidden-secret"
# The example of its page; the page has empty strings in place of the key.
DOCUMENTED = {"auth_type": "AK", "access_key_id": "my-id", "access_key_secret": SECRET}
TYPES = ["alibaba_cloud", "oss", "adb_spark", "maxcompute"]


def values(conn_type: str, extra: dict[str, Any], **fields: Any) -> ConnectionValues:
    standard = {"login": None, "password": None, "host": None, "port": None}
    return ConnectionValues(conn_id="official", conn_type=conn_type, extra=extra, **standard | fields)


def read(conn_type: str, extra: dict[str, Any], **fields: Any) -> Account:
    return read_connection(ALIBABA_FIELDS, values(conn_type, extra, **fields), "tests")


@pytest.mark.parametrize("conn_type", TYPES)
@pytest.mark.parametrize(
    "more",
    [
        {},
        # What its hooks read of Extra, and its page does not name.
        {"region": "cn-hangzhou"},
        {"region": "cn-hangzhou", "endpoint": "oss-cn-hangzhou-internal.aliyuncs.com"},
        {"project": "p", "endpoint": "https://service.cn-hangzhou.maxcompute.aliyun.com/api"},
    ],
)
def test_reads_the_documented_extra_and_ignores_the_rest_in_silence(conn_type: str, more: dict[str, Any]) -> None:
    account = read(conn_type, DOCUMENTED | more)
    assert account.credentials.get() == Credentials("my-id", SECRET)
    assert account.location.region == more.get("region")
    assert account.endpoints == {}
    assert unread_fields(ALIBABA_FIELDS, values(conn_type, DOCUMENTED | more)) is None


@pytest.mark.parametrize("conn_type", TYPES)
def test_reads_the_form_without_an_auth_type(conn_type: str) -> None:
    # The forms of alibaba_cloud and maxcompute have no auth_type.
    extra = {name: value for name, value in DOCUMENTED.items() if name != "auth_type"}
    assert read(conn_type, extra).credentials.get() == Credentials("my-id", SECRET)


@pytest.mark.parametrize("written", ["AK", "ak", " Ak "])
@pytest.mark.parametrize("conn_type", ["alibaba_cloud", "cloudtasks_alibaba"])
def test_ak_is_an_access_key(conn_type: str, written: str) -> None:
    account = read(conn_type, DOCUMENTED | {"auth_type": written})
    assert account.credentials.get() == Credentials("my-id", SECRET)


@pytest.mark.parametrize("conn_type", TYPES)
def test_the_empty_example_names_the_field_of_extra_to_fill(conn_type: str) -> None:
    with pytest.raises(InvalidConnection) as caught:
        read(conn_type, DOCUMENTED | {"access_key_secret": ""})
    assert "it has no AccessKey secret" in str(caught.value)
    assert "put it into Extra as 'access_key_secret'." in str(caught.value)


@pytest.mark.parametrize("conn_type", ["oss", "adb_spark", "maxcompute"])
def test_the_host_of_its_other_types_is_no_endpoint(conn_type: str) -> None:
    assert read(conn_type, DOCUMENTED, host="oss-cn-shanghai.aliyuncs.com", port=80).endpoints == {}


def test_a_misspelled_field_is_named_even_there() -> None:
    named = unread_fields(ALIBABA_FIELDS, values("alibaba_cloud", DOCUMENTED | {"regoin": "cn-shanghai"}))
    assert named == "Its Extra has fields that are not used: 'regoin' (did you mean 'region'?)."


@pytest.mark.parametrize("auth_type", ["STS", "ram", "signed_url"])
def test_an_unknown_auth_type_is_named_or_asks_for_what_it_needs(auth_type: str) -> None:
    with pytest.raises(InvalidConnection, match="auth_type") as caught:
        read("alibaba_cloud", DOCUMENTED | {"auth_type": auth_type})
    assert SECRET not in str(caught.value)


def test_takes_every_other_field_as_well() -> None:
    extra = DOCUMENTED | {"max_tries": 3, "endpoints": {"ice": "https://ice.test"}, "network": "vpc"}
    account = read("oss", extra)
    assert (account.retries.tries, account.location.network) == (3, "vpc")
    assert account.endpoints["ice"].url == "https://ice.test"


def test_the_host_of_alibaba_cloud_is_an_endpoint() -> None:
    assert read("alibaba_cloud", DOCUMENTED, host="gateway.test").endpoints["*"].url == "https://gateway.test"
