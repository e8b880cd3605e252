"""The vendor's client of SMQ and this package's, at one emulated queue: both pass the same tests."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import pytest
from mns.account import Account as VendorAccount
from mns.mns_exception import MNSServerException
from mns.queue import Message as VendorMessage

from airflow_cloudtasks.clouds.client import Account, CloudClient
from airflow_cloudtasks.clouds.credentials.source import StaticCredentials
from airflow_cloudtasks.clouds.smq import Message, SmqQueue
from airflow_cloudtasks.clouds.smq_wire import QueueAddress
from airflow_cloudtasks.clouds.wire import Credentials, Endpoint
from airflow_cloudtasks.emulator import Emulator
from airflow_cloudtasks.errors import CloudApiError, CredentialsError, NotFound, PermissionDenied, Throttled

QUEUE = "ice-callback-airflow"
TEXT = '{"TaskId": "1", "Name": "工作流 <&>"}'


@dataclass(frozen=True)
class Received:
    text: str
    receipt: str
    times: int


class Receiver(Protocol):
    def receive(self, most: int = 16, wait: int = 0) -> list[Received]: ...
    def delete(self, *messages: Received) -> bool: ...
    def give_back(self, message: Received, seconds: int) -> bool: ...


class Vendor:
    """The vendor's client, which encodes the text of messages in Base64 unless told not to."""

    def __init__(self, emulator: Emulator, key: Credentials, queue: str = QUEUE) -> None:
        account = VendorAccount(emulator.url, key.key_id, key.secret, key.token or "")
        self._queue = account.get_queue(queue)
        self._queue.set_encoding(False)

    def send(self, *texts: str) -> None:
        messages = [VendorMessage(text) for text in texts]
        if len(messages) == 1:
            assert self._queue.send_message(messages[0]).message_id
        else:
            assert len(self._queue.batch_send_message(messages)) == len(texts)

    def receive(self, most: int = 16, wait: int = 0) -> list[Received]:
        try:
            found = self._queue.batch_receive_message(most, wait)
        except MNSServerException as error:
            if error.type != "MessageNotExist":
                raise
            return []
        return [Received(each.message_body, each.receipt_handle, each.dequeue_count) for each in found]

    def delete(self, *messages: Received) -> bool:
        return self._done(lambda: self._queue.batch_delete_message([each.receipt for each in messages]))

    def give_back(self, message: Received, seconds: int) -> bool:
        return self._done(lambda: self._queue.change_message_visibility(message.receipt, seconds))

    def _done(self, call: Callable[[], Any]) -> bool:
        try:
            call()
        except MNSServerException as error:
            if error.type != "MessageNotExist":
                raise
            return False
        return True


class Ours:
    """This package's client."""

    def __init__(self, emulator: Emulator, key: Credentials, queue: str = QUEUE) -> None:
        account = Account(
            cloud="alibaba", credentials=StaticCredentials(key), endpoints={"mns": Endpoint(emulator.url)}
        )
        self._make = lambda: SmqQueue(CloudClient(account), QueueAddress(queue))

    def receive(self, most: int = 16, wait: int = 0) -> list[Received]:
        found = self._run(lambda queue: queue.receive(wait, most))
        return [Received(each.text, each.receipt, each.times_received) for each in found]

    def delete(self, *messages: Received) -> bool:
        done: bool = self._run(lambda queue: queue.delete(Message(each.text, each.receipt) for each in messages))
        return done

    def give_back(self, message: Received, seconds: int) -> bool:
        done: bool = self._run(lambda queue: queue.give_back(Message(message.text, message.receipt), seconds))
        return done

    def _run(self, use: Callable[[SmqQueue], Any]) -> Any:
        async def run() -> Any:
            async with self._make() as queue:
                return await use(queue)

        return asyncio.run(run())


KEY = Credentials("emulator-id", "emulator-secret")
TEMPORARY = Credentials("temporary-id", "temporary-secret", "a+token/of=sts")


@pytest.fixture(scope="module")
def running() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def emulator(running: Emulator) -> Emulator:
    running.reset()
    running.queue(QUEUE)
    running.add_key(TEMPORARY.key_id, TEMPORARY.secret, TEMPORARY.token)
    return running


@pytest.fixture(params=[KEY, TEMPORARY], ids=["permanent", "sts"])
def key(request: pytest.FixtureRequest) -> Credentials:
    found: Credentials = request.param
    return found


@pytest.fixture(params=[Vendor, Ours])
def client(request: pytest.FixtureRequest, emulator: Emulator, key: Credentials) -> Receiver:
    made: Receiver = request.param(emulator, key)
    return made


@pytest.fixture(params=[Vendor, Ours])
def other(request: pytest.FixtureRequest, emulator: Emulator) -> Receiver:
    made: Receiver = request.param(emulator, KEY)
    return made


@pytest.fixture
def sender(emulator: Emulator) -> Vendor:
    return Vendor(emulator, KEY)


def test_a_client_of_a_queue_receives_gives_back_and_deletes(
    client: Receiver, other: Receiver, sender: Vendor, emulator: Emulator
) -> None:
    assert client.receive() == []
    sender.send(TEXT)
    sender.send("second", "third")

    first, second, third = client.receive()
    assert ([first.text, second.text, third.text], first.times) == ([TEXT, "second", "third"], 1)
    assert other.receive() == []

    assert client.give_back(first, 1)
    emulator.advance(1)
    (again,) = other.receive()
    assert (again.text, again.times) == (TEXT, 2)
    # Its first handle is of no use to the first client any more.
    assert not client.delete(first)
    assert not client.give_back(first, 1)
    assert other.delete(again)

    assert client.delete(second, third)
    emulator.advance(100)
    assert client.receive() == other.receive() == []
    assert [(queue["sent"], queue["deleted"], queue["visible"]) for queue in emulator.queues()] == [(3, 3, 0)]


def test_a_message_that_is_not_deleted_comes_again(client: Receiver, sender: Vendor, emulator: Emulator) -> None:
    sender.send(TEXT)
    client.receive()
    emulator.advance(29)
    assert client.receive() == []
    emulator.advance(1)
    assert [(each.text, each.times) for each in client.receive()] == [(TEXT, 2)]


def test_receives_at_most_as_many_as_asked_for(client: Receiver, sender: Vendor) -> None:
    sender.send(*"abcd")
    assert [each.text for each in client.receive(most=3)] == ["a", "b", "c"]


def test_a_long_poll_is_answered_at_once_when_too_many_wait(client: Receiver, emulator: Emulator) -> None:
    emulator.queue(QUEUE, long_polls=0)
    began = time.monotonic()
    assert client.receive(wait=30) == []
    assert time.monotonic() - began < 15


def test_a_long_poll_returns_a_message_that_is_sent_meanwhile(client: Receiver, emulator: Emulator) -> None:
    emulator.send_message(QUEUE, TEXT, delay=0.2)
    assert [each.text for each in client.receive(wait=30)] == [TEXT]


@pytest.mark.parametrize(
    ("key", "queue", "fault", "kind", "code"),
    [
        (Credentials("emulator-id", "wrong"), QUEUE, None, CredentialsError, "SignatureDoesNotMatch"),
        (Credentials("nobody", "wrong"), QUEUE, None, CredentialsError, "InvalidAccessKeyId"),
        (Credentials("temporary-id", "temporary-secret", "old"), QUEUE, None, CredentialsError, "InvalidSecurityToken"),
        (Credentials("temporary-id", "temporary-secret"), QUEUE, None, CredentialsError, "InvalidSecurityToken"),
        (Credentials("reader", "secret"), QUEUE, None, PermissionDenied, "AccessDenied"),
        (KEY, "ice-callback-other", None, NotFound, "QueueNotExist"),
        (KEY, QUEUE, "throttle", Throttled, "QpsLimitExceeded"),
        (KEY, QUEUE, "http_500", CloudApiError, "InternalError"),
    ],
)
def test_both_clients_are_refused_alike(
    emulator: Emulator, key: Credentials, queue: str, fault: str | None, kind: type[CloudApiError], code: str
) -> None:
    emulator.add_key("reader", "secret", actions=["ice:*"])
    if fault:
        emulator.fault(fault, api="smq.receive")
    with pytest.raises(MNSServerException) as theirs:
        Vendor(emulator, key, queue).receive()
    with pytest.raises(kind) as ours:
        Ours(emulator, key, queue).receive()
    assert theirs.value.type == ours.value.code == code
    assert key.secret not in str(ours.value)


def test_a_wrong_clock_is_refused_as_such(emulator: Emulator) -> None:
    emulator.clock(1000)
    with pytest.raises(CredentialsError, match=r"TimeExpired.*clock"):
        Ours(emulator, KEY).receive()


@pytest.mark.parametrize(
    "actions",
    [["mns:ReceiveMessage", "mns:BatchReceiveMessage", "mns:DeleteMessage", "mns:ChangeMessageVisibility"]],
)
def test_the_documented_permissions_suffice(emulator: Emulator, actions: list[str]) -> None:
    emulator.add_key("reader", "secret", actions=actions)
    client = Ours(emulator, Credentials("reader", "secret"))
    emulator.send_message(QUEUE, "1")
    emulator.send_message(QUEUE, "2")
    first, second = client.receive()
    assert client.give_back(first, 1)
    assert client.delete(second)
