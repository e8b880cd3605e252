"""An Airflow connection either works or says, in one sentence, what is wrong with it and how to mend it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from airflow_cloudtasks.client import Account
from airflow_cloudtasks.clouds.wire import Credentials, Endpoint, Place
from airflow_cloudtasks.errors import CloudTasksError, InvalidConnection
from airflow_cloudtasks.hooks.connection import ALIBABA, TENCENT, ConnectionValues, Words, read_connection

SECRET, TOKEN = "hidden-secret", "hidden-token"


def connection(words: Words = ALIBABA, extra: dict[str, Any] | None = None, **fields: Any) -> Account:
    values: dict[str, Any] = {
        "conn_id": "my_conn",
        "conn_type": words.conn_types[0],
        "login": "my-id",
        "password": SECRET,
        "host": None,
        "port": None,
        **fields,
    }
    return read_connection(words, ConnectionValues(**values, extra=extra or {}), "tests")


def credentials(account: Account) -> Credentials:
    return account.credentials.get()


@pytest.mark.parametrize(
    ("words", "fields", "text"),
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
        (ALIBABA, {"login": "a b"}, "its AccessKey ID holds a blank, a control character or one beyond ASCII"),
        (ALIBABA, {"password": f"{SECRET}\u200b"}, "copy it once more into the field AccessKey secret (Password)."),
        (TENCENT, {"password": f"{SECRET}\r\nX: y"}, "copy it once more into the field SecretKey (Password)."),
        (
            ALIBABA,
            {"extra": {"auth_type": "sts"}},
            "auth_type sts needs security_token; put it into Extra as 'security_token'.",
        ),
        (TENCENT, {"extra": {"auth_type": "sts", "token": " "}}, "put it into Extra as 'token'"),
        (TENCENT, {"extra": {"token": f"{TOKEN}\n{TOKEN}"}}, "copy it once more into Extra as 'token'."),
        (ALIBABA, {"extra": {"auth_type": "oauth"}}, "auth_type is 'oauth'; expected one of access_key, sts"),
        (TENCENT, {"extra": {"site": "us"}}, "site is 'us'; expected one of cn, intl."),
        (ALIBABA, {"host": "http://oss.test"}, "The endpoint 'http://oss.test' uses plain http"),
        (ALIBABA, {"host": f"https://u:{SECRET}@h"}, "The endpoint 'h' is not an address; write it as a host name"),
        (ALIBABA, {"host": "https://[::1"}, "The endpoint 'https://[::1' is not an address"),
        (ALIBABA, {"host": "h", "port": 99999}, "The endpoint 'h:99999' is not an address"),
        *(
            (ALIBABA, {"extra": {name: value}}, f"{name} is '{value}'; expected a number of seconds above 0.")
            for name in ("connect_timeout", "read_timeout")
            for value in (0, "-1", "soon", "nan", "inf", True)
        ),
        *(
            (ALIBABA, {"extra": {"max_retry_seconds": value}}, "expected a number of seconds of at least 0.")
            for value in (-1, "soon", "nan", "inf")
        ),
        *(
            (TENCENT, {"extra": {"max_tries": value}}, f"max_tries is '{value}'; expected a whole number of at least 1")
            for value in (0, "-1", "2.5", "many", True, "²")
        ),
    ],
)
def test_a_connection_that_cannot_be_used_says_what_to_do(words: Words, fields: dict[str, Any], text: str) -> None:
    with pytest.raises(InvalidConnection) as caught:
        connection(words, **fields)
    told = str(caught.value)
    assert told.startswith("The Airflow connection 'my_conn' cannot be used: ")
    assert text in told
    assert told.endswith(".")
    assert "\n" not in told
    assert SECRET not in told
    assert TOKEN not in told
    assert caught.value.__suppress_context__


def test_a_bad_connection_is_a_value_error_and_one_of_this_package() -> None:
    assert issubclass(InvalidConnection, ValueError)
    assert issubclass(InvalidConnection, CloudTasksError)


@pytest.mark.parametrize("words", [ALIBABA, TENCENT], ids=["alibaba", "tencent"])
def test_login_and_password_are_the_key(words: Words) -> None:
    account = connection(words, login=" my-id\n", password=f" {SECRET}\n")
    assert account.cloud == words.cloud
    assert credentials(account) == Credentials("my-id", SECRET)
    assert asyncio.run(account.credentials.aget()) == credentials(account)


def test_a_connection_of_the_official_alibaba_provider_works_as_it_is() -> None:
    account = connection(
        conn_type="alibaba_cloud",
        login=None,
        password=None,
        extra={
            "access_key_id": "my-id",
            "access_key_secret": SECRET,
            "region": "cn-hangzhou",
        },
    )
    assert credentials(account) == Credentials("my-id", SECRET)
    assert account.place.region == "cn-hangzhou"


def test_tencents_key_may_stand_in_extra() -> None:
    account = connection(TENCENT, login="", password="", extra={"secret_id": "my-id", "secret_key": SECRET})
    assert credentials(account) == Credentials("my-id", SECRET)


def test_login_and_password_come_before_extra() -> None:
    account = connection(extra={"access_key_id": "other", "access_key_secret": "other"})
    assert credentials(account) == Credentials("my-id", SECRET)


@pytest.mark.parametrize(("words", "field"), [(ALIBABA, "security_token"), (TENCENT, "token")])
@pytest.mark.parametrize("told", [{}, {"auth_type": "sts"}, {"auth_type": None}, {"auth_type": ""}])
def test_a_temporary_token_is_used_with_its_key(words: Words, field: str, told: dict[str, Any]) -> None:
    account = connection(words, extra={field: f" {TOKEN} ", **told})
    assert credentials(account) == Credentials("my-id", SECRET, TOKEN)


def test_an_empty_connection_form_means_the_defaults() -> None:
    names = (
        "region",
        "auth_type",
        "security_token",
        "connect_timeout",
        "read_timeout",
        "max_tries",
        "max_retry_seconds",
    )
    for empty in (None, ""):
        account = connection(extra=dict.fromkeys(names, empty))
        assert (account.place, account.endpoints) == (Place(None, "cn", "public"), {})
        assert (account.network.timeouts.connect, account.network.timeouts.read) == (5, 30)
        assert (account.retries.tries, account.retries.seconds) == (5, 60)


@pytest.mark.parametrize("kind", [str, int, float])
def test_numbers_may_be_written_as_text(kind: Any) -> None:
    account = connection(
        extra={"connect_timeout": kind(1), "read_timeout": kind(2), "max_tries": "3", "max_retry_seconds": kind(0)}
    )
    assert (account.network.timeouts.connect, account.network.timeouts.read) == (1, 2)
    assert (account.retries.tries, account.retries.seconds) == (3, 0)


@pytest.mark.parametrize(
    ("host", "port", "url"),
    [
        ("http://127.0.0.1:8787", None, "http://127.0.0.1:8787"),
        ("http://127.0.0.1", 8787, "http://127.0.0.1:8787"),
        ("proxy.test", None, "https://proxy.test"),
        ("proxy.test", 8443, "https://proxy.test:8443"),
    ],
)
def test_a_host_is_the_endpoint_of_every_service(host: str, port: int | None, url: str) -> None:
    account = connection(host=host, port=port)
    assert account.endpoints == {"*": Endpoint(url)}


def test_an_account_shows_no_secret() -> None:
    account = connection(extra={"security_token": TOKEN})
    assert SECRET not in repr(account)
    assert TOKEN not in repr(account)
