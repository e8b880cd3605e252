"""What fetches credentials ignores ~/.netrc, and asks metadata services directly, whatever the environment says."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest
from key_server import KEY_ANSWER, key_server
from kinds import (
    ALIBABA_MACHINE,
    ASKING,
    ASSUMING,
    EITHER_WAY,
    MACHINES,
    TENCENT_MACHINE,
    Hook,
    Kind,
    Machine,
    asked,
    read,
)

from airflow_cloudtasks.clouds import retries
from airflow_cloudtasks.clouds.credentials.kinds import KINDS
from airflow_cloudtasks.clouds.credentials.machine import SERVICES
from airflow_cloudtasks.clouds.credentials.source import CredentialSettings
from airflow_cloudtasks.clouds.network import Network
from airflow_cloudtasks.clouds.retries import Retries
from airflow_cloudtasks.clouds.wire import Endpoint
from airflow_cloudtasks.errors import CloudTasksError, CredentialsError, TransientError


@EITHER_WAY
@pytest.mark.parametrize("kind", ASKING, ids=str)
def test_never_sends_a_login_of_netrc(machine: Machine, kind: Kind, get: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = Path(os.environ["HOME"]) / ".netrc"
    netrc.write_text("default login somebody password guessed\n")
    netrc.chmod(stat.S_IRUSR)
    machine.emulator.sts(oidc_token="the-oidc-token")
    assert get(kind.connect(machine)).state == "succeeded"
    assert {entry["outcome"] for entry in machine.emulator.requests()} == {"ok"}


@pytest.mark.parametrize("proxy", ["of the environment", "of the connection"])
@pytest.mark.parametrize("auth_type", ["machine", "default"])
@pytest.mark.parametrize("kind", MACHINES, ids=str)
def test_never_asks_a_metadata_service_through_a_proxy(
    machine: Machine, kind: Kind, auth_type: str, proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody, own = "http://127.0.0.1:9", None
    if proxy == "of the connection":
        own = nobody
    else:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, nobody)
    settings = CredentialSettings(
        cloud=kind.cloud,  # type: ignore[arg-type]
        sts=Endpoint("https://sts.invalid"),
        metadata=Endpoint(machine.emulator.url),
        network=Network(proxy=own),
        retries=Retries(tries=1),
    )
    KINDS[settings.cloud][kind.auth_type if auth_type == "machine" else "default"](settings)()
    assert asked(machine.emulator) == list(kind.asks)


def test_asks_the_addresses_that_the_vendors_document() -> None:
    assert {cloud: service.endpoint.url for cloud, service in SERVICES.items()} == {
        "alibaba": "http://100.100.100.200",
        "tencent": "http://metadata.tencentyun.com",
    }


@pytest.mark.parametrize("kind", MACHINES, ids=str)
def test_a_missing_metadata_service_is_transient_for_a_connection_that_names_it(machine: Machine, kind: Kind) -> None:
    """The connection says that this machine has a role, so the service cannot be asked now; a chain only tries it."""
    unreachable = {"metadata": "http://127.0.0.1:9"}
    with pytest.raises(TransientError) as caught:
        read(kind.connect(machine, endpoints=unreachable))
    words = {"alibaba": "an ECS instance with a RAM role", "tencent": "a CVM instance with a CAM role"}[kind.cloud]
    assert f"; is this machine {words}?" in str(caught.value)
    with pytest.raises(CredentialsError, match="no role of this machine"):
        read(Kind(kind.cloud, "default").connect(machine, endpoints=unreachable))


@pytest.mark.parametrize("kind", MACHINES, ids=str)
def test_a_machine_without_a_role_is_told_in_words_of_the_machine(machine: Machine, kind: Kind) -> None:
    machine.emulator.sts(role="another")
    with pytest.raises(CredentialsError) as caught:
        read(kind.connect(machine, role_name="mine"))
    text = str(caught.value)
    assert "NoCredentials: this machine has no role named 'mine'; is it a" in text
    assert "404" not in text


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ((200, b'{"Code": "InternalError", "Message": "say it again"}'), TransientError),
        ((403, b'{"Code": "Forbidden", "Message": "say no more"}'), CredentialsError),
    ],
)
def test_an_error_of_a_metadata_service_has_its_text_and_is_sorted_by_its_code(
    machine: Machine, answer: tuple[int, bytes], kind: type[CloudTasksError]
) -> None:
    with key_server() as server:
        server.answers = [answer]
        connection = {"endpoints": {"metadata": server.url}, "role_name": "mine", "max_tries": 1}
        with pytest.raises(kind, match=r": the service refuses: say "):
            read(TENCENT_MACHINE.connect(machine, **connection))


def test_asks_for_the_role_with_one_token(machine: Machine) -> None:
    read(ALIBABA_MACHINE.connect(machine))
    assert asked(machine.emulator).count("metadata.token") == 1
    read(TENCENT_MACHINE.connect(machine))
    assert asked(machine.emulator).count("metadata.token") == 1


PAGE = b"<html><title>Log in</title></html>"
PAGES = [(302, b""), (400, PAGE), (401, b""), (403, PAGE), (403, b""), (407, b""), (418, PAGE)]


@pytest.mark.parametrize("kind", MACHINES, ids=str)
def test_a_page_in_place_of_the_metadata_service_is_no_refusal(machine: Machine, kind: Kind) -> None:
    """A refusal of the service has a code. A page has none, whatever its status, and the next try may find the key."""
    with key_server() as server:
        for auth_type in (kind.auth_type, "default"):
            hook = Kind(kind.cloud, auth_type).connect(machine, endpoints={"metadata": server.url}, max_tries=1)
            for page, why in (*((page, "neither a key nor a refusal") for page in PAGES), ((200, b""), "no name")):
                server.answers = [page]
                with pytest.raises(TransientError, match=why):
                    fetch(hook)


ANSWERS_WITHOUT_A_KEY = [
    *((200, b"{}"), (200, b"[]"), (200, b"null"), (200, b""), (200, b'{"Response": []}')),
    *((200, b'{"Response": {}}'), (200, b'{"Credentials": {}}'), (302, b""), (400, PAGE), (403, b""), (404, PAGE)),
]


@pytest.mark.parametrize("kind", ASSUMING, ids=str)
def test_an_answer_of_sts_without_a_key_is_asked_for_again(
    machine: Machine, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retries.Retries.__init__, "__defaults__", (5, 60.0, 0.0, 0.0))
    session = {
        "alibaba": {"Credentials": KEY_ANSWER},
        "tencent": {"Response": {"Credentials": {"TmpSecretId": "a", "TmpSecretKey": "b", "Token": "c"}}},
    }[kind.cloud]
    with key_server() as server:
        server.key = session
        server.answers = list(ANSWERS_WITHOUT_A_KEY)
        fetch(kind.connect(machine, endpoints={"sts": server.url}, max_tries=len(ANSWERS_WITHOUT_A_KEY) + 1))
        assert len(server.requests) == len(ANSWERS_WITHOUT_A_KEY) + 1


def fetch(hook: Hook) -> None:
    """Fetch credentials anew."""
    hook.get_conn().account.credentials._fetch()  # type: ignore[attr-defined]
