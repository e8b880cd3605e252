"""Injected faults and limits, as a client sees them on the wire."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Client

    from airflow_cloudtasks.emulator import Emulator


@pytest.fixture
def emulator(cloudtasks_emulator: Emulator) -> Emulator:
    cloudtasks_emulator.add_task("ice.workflow_task", "t1", "Succeed")
    cloudtasks_emulator.add_task("wedata.task", "t1", "Y")
    return cloudtasks_emulator


def outcomes(emulator: Emulator) -> list[tuple[str, int | None]]:
    return [(entry["outcome"], entry["status"]) for entry in emulator.requests()]


def test_throttle_answers_with_each_vendors_own_refusal(client: Client, emulator: Emulator) -> None:
    emulator.fault("throttle")
    alibaba, tencent = client.ice(), client.wedata()
    assert (alibaba.status, alibaba.code) == (400, "Throttling.User")
    assert (tencent.status, tencent.code) == (200, "RequestLimitExceeded")
    assert emulator.totals()["wedata.task"]["refused"] == 1


def test_http_500_answers_with_an_envelope_or_a_page(client: Client, emulator: Emulator) -> None:
    emulator.fault("http_500")
    alibaba, tencent = client.ice(), client.wedata()
    assert (alibaba.status, alibaba.code) == (500, "InternalError")
    assert (tencent.status, tencent.content_type) == (500, "text/html")


def test_expired_token_answers_with_each_vendors_own_refusal(client: Client, emulator: Emulator) -> None:
    emulator.fault("expired_token")
    assert (client.ice().code, client.wedata().code) == ("InvalidSecurityToken.Expired", "AuthFailure.TokenFailure")


def test_bad_json_alternates_a_truncated_answer_and_a_page(client: Client, emulator: Emulator) -> None:
    emulator.fault("bad_json")
    cut, page = client.ice(), client.ice()
    assert (cut.status, page.status, page.content_type) == (200, 200, "text/html")
    for answer in (cut, page):
        with pytest.raises(json.JSONDecodeError):
            _ = answer.json


def test_answers_as_a_load_balancer_does(client: Client, emulator: Emulator) -> None:
    emulator.fault(["http_502", "http_503", "http_429", "html"], retry_after=7)
    found = [client.ice() for _ in range(4)]
    assert [(answer.status, answer.body[:6]) for answer in found] == [
        (502, b"<html>"),
        (503, b""),
        (429, b""),
        (200, b"<html>"),
    ]
    assert [answer.retry_after for answer in found] == ["7", "7", "7", None]


def test_bad_utf8_damages_every_text_of_an_answer_and_no_name(client: Client, emulator: Emulator) -> None:
    emulator.fault("bad_utf8")
    body = client.ice().body
    with pytest.raises(UnicodeDecodeError):
        body.decode()
    decoded = json.loads(body.decode("utf-8", "replace"))
    assert decoded["WorkflowTask"]["Status"] == "Succeed\ufffd"
    assert decoded["WorkflowTask"]["TaskId"] == "t1\ufffd"


def test_reset_cuts_the_connection_without_an_answer(
    client: Client, emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    emulator.fault("reset", count=1)
    with pytest.raises(ConnectionResetError):
        client.ice()
    assert client.ice().status == 200
    assert outcomes(emulator) == [("reset", None), ("ok", 200)]
    assert not caplog.records, "the server took a cut connection for a mistake of its own"


def test_hang_lasts_until_the_client_gives_up(client: Client, emulator: Emulator) -> None:
    emulator.fault("hang", count=1, seconds=60)
    client.timeout = 0.2
    with pytest.raises(TimeoutError):
        client.ice()
    client.timeout = 10
    assert client.ice().status == 200


def test_hang_ends_with_a_cut_connection(client: Client, emulator: Emulator) -> None:
    emulator.fault("hang", seconds=0.05)
    with pytest.raises(ConnectionResetError):
        client.ice()
    assert outcomes(emulator) == [("hang", None)]


def test_faults_alternate_and_end_after_their_count(client: Client, emulator: Emulator) -> None:
    emulator.fault(["throttle", "http_500"], count=2)
    assert [client.ice().status for _ in range(3)] == [400, 500, 200]


def test_cleared_faults_strike_no_request(client: Client, emulator: Emulator) -> None:
    emulator.fault("throttle")
    emulator.clear_faults()
    assert client.ice().status == 200


def test_faults_never_hit_the_control_plane(client: Client, emulator: Emulator) -> None:
    emulator.fault("reset")
    assert client.control("GET", "health").json["ok"] is True


def test_a_fault_does_not_hide_a_wrong_signature(client: Client, emulator: Emulator) -> None:
    emulator.fault("http_500")
    client.secret = "wrong"
    assert client.ice().code == "SignatureDoesNotMatch"


def test_a_limit_refuses_excess_requests_of_each_action(client: Client, emulator: Emulator) -> None:
    # One request in 50 seconds, so that the speed of the test machine does not matter.
    emulator.limit(0.02)
    assert [client.ice().code for _ in range(3)] == [None, "Throttling.User", "Throttling.User"]
    assert [client.wedata().code for _ in range(2)] == [None, "RequestLimitExceeded"]
    totals = emulator.totals()["ice.workflow_task"]
    assert (totals["total"], totals["refused"]) == (3, 2)
    emulator.limit(None)
    assert client.ice().code is None


def test_a_refused_request_counts_where_the_limit_says_so(client: Client, emulator: Emulator) -> None:
    client.control("POST", "limits", {"requests_per_second": 0.02, "window": "bucket", "counts_refused": True})
    assert [client.ice().code for _ in range(3)] == [None, "Throttling.User", "Throttling.User"]
    emulator.limit(20, window="fixed")
    assert client.ice().code is None


@pytest.mark.parametrize(("ask", "refusal"), [("ice", "Throttling.User"), ("wedata", "RequestLimitExceeded")])
def test_a_refusal_has_a_retry_after_where_the_limit_says_so(
    client: Client, emulator: Emulator, ask: str, refusal: str
) -> None:
    emulator.limit(0.02, retry_after=7)
    first, second = getattr(client, ask)(), getattr(client, ask)()
    assert (first.code, first.retry_after) == (None, None)
    assert (second.code, second.retry_after) == (refusal, "7")
    emulator.limit(0.02)
    assert [getattr(client, ask)().retry_after for _ in range(2)] == [None, None]


@pytest.mark.parametrize("kind", ["throttle", "http_500"])
def test_a_fault_has_a_retry_after_where_it_says_so(client: Client, emulator: Emulator, kind: str) -> None:
    faults = client.control("POST", "faults", {"kind": kind, "count": 1, "retry_after": 60}).json["faults"]
    assert faults[0]["retry_after"] == 60
    assert client.ice().retry_after == "60"
    emulator.fault(kind)
    assert client.ice().retry_after is None


def test_each_account_has_its_own_limit(client: Client, emulator: Emulator) -> None:
    emulator.add_key("colleague", "s")
    emulator.add_key("stranger", "s", account="other")
    emulator.limit(0.02)
    codes = []
    for client.key_id, client.secret in (("emulator-id", "emulator-secret"), ("colleague", "s"), ("stranger", "s")):
        codes.append(client.ice().code)
    assert codes == [None, "Throttling.User", None]


def test_tencent_states_the_limit_in_its_refusal(client: Client, emulator: Emulator) -> None:
    emulator.limit(20)
    emulator.fault("throttle")
    assert "equals to `21` in a second, which exceeds the frequency limit `20`" in client.wedata().message


def test_counts_requests_that_wait_as_concurrent(client: Client, emulator: Emulator) -> None:
    emulator.fault("hang", seconds=60)
    client.timeout = 0.5
    threads = [threading.Thread(target=give_up_on, args=(client,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert emulator.totals()["ice.workflow_task"]["peak_concurrency"] == 3


def give_up_on(client: Client) -> None:
    with pytest.raises(TimeoutError):
        client.ice()
