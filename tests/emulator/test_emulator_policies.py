"""Keys whose policies allow some actions only, a clock of the clouds that is wrong, and regions that do not exist."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection
from typing import TYPE_CHECKING

import pytest

from airflow_cloudtasks.emulator.engine.keys import Key

if TYPE_CHECKING:
    from conftest import Client


@pytest.mark.parametrize(
    ("actions", "permission", "allowed"),
    [
        (None, "ice:GetWorkflowTask", True),
        ((), "ice:GetWorkflowTask", False),
        ((), "sts:GetCallerIdentity", True),
        (("ice:Get*",), "ice:GetWorkflowTask", True),
        (("ice:Get*",), "ice:ListWorkflowTasks", False),
        (("wedata:*", "ice:ListWorkflowTasks"), "ice:ListWorkflowTasks", True),
        (("*",), "bdrc:DescribeTask", True),
    ],
)
def test_a_key_may_call_what_its_policies_allow(
    actions: tuple[str, ...] | None, permission: str, *, allowed: bool
) -> None:
    assert Key("k", "s", actions=actions).may_call(permission) is allowed


@pytest.mark.parametrize("over_http", [False, True])
def test_an_action_that_no_policy_allows_is_refused_in_each_clouds_words(client: Client, over_http: bool) -> None:
    actions = ["ice:List*", "wedata:List*"]
    if over_http:
        added = client.control("POST", "keys", {"id": "emulator-id", "secret": "emulator-secret", "actions": actions})
        assert [key["actions"] for key in added.json["keys"]] == [actions] * 2
    else:
        client.emulator.add_key("emulator-id", "emulator-secret", actions=actions)
    refused = client.ice()
    assert (refused.status, refused.code) == (403, "NoPermission")
    assert "ice:GetWorkflowTask" in refused.message
    refused = client.wedata()
    assert (refused.status, refused.code) == (200, "UnauthorizedOperation")
    assert "wedata:GetTask" in refused.message
    assert client.send(client.prepare_alibaba("ListWorkflowTasks")).status == 200
    assert client.tencent_sts("GetCallerIdentity").code is None


def test_a_key_without_the_permission_may_not_assume_a_role(client: Client) -> None:
    client.emulator.add_key("emulator-id", "emulator-secret", actions=["wedata:*"])
    role = {"RoleArn": "qcs::cam::uin/100015158414:roleName/r", "RoleSessionName": "session"}
    assert client.tencent_sts("AssumeRole", role).code == "UnauthorizedOperation"


@pytest.mark.parametrize("actions", ["ice:*", [1], ["GetTask"], [""]])
def test_actions_that_are_no_patterns_are_refused(client: Client, actions: object) -> None:
    refused = client.control("POST", "keys", {"id": "k", "secret": "s", "actions": actions})
    assert refused.status == 400
    assert refused.json["error"].startswith("actions")


@pytest.mark.parametrize(("seconds", "code"), [(1200, "AuthFailure.SignatureExpire"), (-240, None)])
def test_the_clouds_clock_decides_on_signatures_and_dates_answers(
    client: Client, seconds: float, code: str | None
) -> None:
    assert client.control("POST", "clock", {"seconds": seconds}).json == {"seconds": seconds}
    assert client.control("GET", "clock").json == {"seconds": seconds}
    assert client.tencent_sts("GetCallerIdentity").code == code
    connection = HTTPConnection("127.0.0.1", client.emulator.port, timeout=10)
    connection.request("GET", "/")
    date = parsedate_to_datetime(connection.getresponse().headers["Date"]).timestamp()
    connection.close()
    assert abs(date - time.time() - seconds) < 60
    client.emulator.reset()
    assert client.emulator.current_clock() == 0


def test_alibabas_window_is_wider(client: Client) -> None:
    client.emulator.clock(600)
    assert client.rpc("GetCallerIdentity").status == 200
    client.emulator.clock(1200)
    assert client.rpc("GetCallerIdentity").code == "InvalidTimeStamp.Expired"


def test_a_clock_that_is_no_number_is_refused(client: Client) -> None:
    assert "seconds: expected a number" in client.control("POST", "clock", {"seconds": "soon"}).json["error"]


@pytest.mark.parametrize(
    ("region", "code"), [("ap-nowhere", "UnsupportedRegion"), ("ap-guangzhou", None), (None, "MissingParameter")]
)
def test_tencent_refuses_a_region_that_it_does_not_have(client: Client, region: str | None, code: str | None) -> None:
    client.emulator.add_finished("wedata.task", "t1")
    assert client.wedata(region="ap-nowhere").code is None
    assert client.control("POST", "regions", {"regions": ["ap-guangzhou"]}).json == {"regions": ["ap-guangzhou"]}
    assert client.control("GET", "regions").json == {"regions": ["ap-guangzhou"]}
    assert client.wedata(region=region).code == code
    client.emulator.reset()
    assert client.emulator.current_regions() is None
