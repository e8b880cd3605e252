"""Message queues: what the control plane sets, and which events products send."""

from __future__ import annotations

import json
from typing import Any

import pytest
from conftest import Client

from airflow_cloudtasks.emulator.control.operations import ControlPlane
from airflow_cloudtasks.emulator.engine.state import State
from airflow_cloudtasks.emulator.vendor.smq import announce_ends

QUEUE, API = "ice-callback-a", "ice.workflow_task"


@pytest.fixture
def plane() -> ControlPlane:
    draws = iter([0.05, 0.5, 0.95] * 100)
    plane = ControlPlane(State(random_number=lambda: next(draws)))
    plane.queue(QUEUE)
    plane.event_callback(QUEUE)
    return plane


def texts(plane: ControlPlane) -> list[str]:
    announce_ends(plane.state, plane.registry)
    queue = plane.state.queues.find(QUEUE)
    assert queue is not None
    return [message.text for message in queue.receive(100, plane.state.task_now())]


def test_tells_of_an_end_once_it_has_come(plane: ControlPlane) -> None:
    plane.add_task(API, "t1", ("Processing", 10), "Failed")
    assert texts(plane) == []
    plane.advance(10)
    (text,) = texts(plane)
    event = json.loads(text)
    assert event["EventType"] == "WorkflowTaskComplete"
    assert (event["MessageBody"]["TaskId"], event["MessageBody"]["Status"]) == ("t1", "Failed")
    plane.advance(100)
    assert plane.queues()[0]["sent"] == 1


def test_tells_of_an_end_that_a_test_has_set_and_not_of_the_one_before(plane: ControlPlane) -> None:
    plane.add_running(API, "t1", 10)
    plane.finish("t1", "failed")
    assert json.loads(texts(plane)[0])["MessageBody"]["Status"] == "Failed"
    plane.advance(10)
    assert plane.queues()[0]["sent"] == 1


def test_tells_the_queue_that_a_task_names_instead_of_the_account_s(plane: ControlPlane) -> None:
    plane.queue("ice-callback-b")
    for number, address in enumerate(["ice-callback-b", "ice-callback-missing", "https://callback.invalid"]):
        data = json.dumps({"NotifyAddress": address})
        plane.add_finished(API, f"t{number}", fields={"UserData": data})
    assert {queue["name"]: queue["sent"] for queue in plane.queues()} == {QUEUE: 1, "ice-callback-b": 1}


def test_other_products_send_nothing(plane: ControlPlane) -> None:
    plane.add_finished("bdrc.task", "t1")
    plane.add_finished("ice.ai_workflow_task", "t2")
    assert texts(plane) == []


@pytest.mark.parametrize(
    ("settings", "sent"), [({"lost": 0.1}, 2), ({"doubled": 0.1}, 4), ({"garbled": 0.1}, 3), ({"frozen": True}, 0)]
)
def test_events_are_lost_doubled_or_garbled_by_shares(plane: ControlPlane, settings: Any, sent: int) -> None:
    plane.queue(QUEUE, **settings)
    for number in range(3):
        plane.add_finished(API, f"t{number}")
    found = texts(plane)
    assert len(found) == sent
    assert sum("TaskId" in text and "WorkflowTaskComplete" in text for text in found) == sent - ("garbled" in settings)


def test_late_events_are_hidden_until_then(plane: ControlPlane) -> None:
    plane.queue(QUEUE, delay=5)
    plane.add_finished(API, "t1")
    assert texts(plane) == []
    plane.advance(5)
    assert len(texts(plane)) == 1


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"lost": 2}, "lost: expected a number from 0 to 1"),
        ({"long_polls": -1}, "long_polls: expected a whole number from 0"),
        ({"visibility": "x"}, "visibility: expected a number"),
        ({"frozen": 1}, "frozen: expected true or false"),
        ({"colour": 1}, "unknown 'colour'"),
    ],
)
def test_refuses_settings_that_make_no_sense(plane: ControlPlane, settings: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        plane.queue(QUEUE, **settings)


def test_the_control_plane_serves_queues_over_http(client: Client) -> None:
    assert client.control("POST", "queues", {"name": QUEUE, "long_polls": 2}).json["queues"][0]["long_polls"] == 2
    client.control("POST", "queues/messages", {"queue": QUEUE, "text": "hello"})
    assert client.control("GET", "queues").json["queues"][0]["visible"] == 1
    assert client.control("POST", "event_callback", {"queue": QUEUE}).json == {"queue": QUEUE}
    assert client.control("GET", "event_callback").json == {"queue": QUEUE}
    client.control("DELETE", "queues")
    assert client.control("GET", "queues").json == {"queues": []}
