"""The vendors' default chains: environment, profile file, the role of the machine; each in a process of its own.

Alibaba's library reads its environment when it is imported, and urllib keeps the proxies that it saw first. Each test
forks a process that has imported Airflow, which takes seconds, and neither of these.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kinds import KEY, Kind, Machine, asked, assert_hides_secrets, signers

from airflow_cloudtasks.emulator import Emulator

FORKING = """
import asyncio, json, os, signal, sys
sys.path.insert(0, sys.argv[1])
from kinds import Kind, aread, read

def attempt(function):
    try:
        return str(function().state)
    except Exception as error:  # the test looks at any error
        return f"{type(error).__name__}: {error}"

def results(kind):
    return [
        attempt(lambda: read(kind.hook())),
        attempt(lambda: asyncio.run(aread(kind.hook()))),
        kind.hook().test_connection(),
    ]

assert not [name for name in sys.modules if name.startswith("alibabacloud_credentials")]
for line in sys.stdin:
    cloud, environment = json.loads(line)
    if pid := os.fork():
        os.waitpid(pid, 0)
        print("END", flush=True)
    else:
        signal.alarm(120)
        os.environ.clear()
        os.environ.update(environment)
        print("RESULTS", json.dumps(results(Kind(cloud, "default"))), flush=True)
        os._exit(0)
"""

ALIBABA, TENCENT = Kind("alibaba", "default"), Kind("tencent", "default")
BOTH = pytest.mark.parametrize("kind", [ALIBABA, TENCENT], ids=str)


Results = tuple[str, str, tuple[bool, str]]
InAProcess = Callable[..., Results]


@pytest.fixture(scope="module")
def in_a_process() -> Iterator[InAProcess]:
    """A function that reads a task of the cloud in both ways, and tests the connection, in a new process."""
    with subprocess.Popen(
        [sys.executable, "-c", FORKING, str(Path(__file__).parent)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        stdin, stdout = process.stdin, process.stdout
        assert stdin is not None
        assert stdout is not None

        def run(machine: Machine, kind: Kind, home: Path, **variables: str) -> Results:
            connection = kind.connection(machine)
            if kind is TENCENT:
                # With no key and no auth_type, the default chain is meant.
                del connection["extra"]["auth_type"]
            environment = {
                **{name: value for name, value in os.environ.items() if name.lower() != "http_proxy"},
                "HOME": str(home),
                "AIRFLOW_CONN_KIND": json.dumps(connection),
                **variables,
            }
            print(json.dumps([kind.cloud, environment]), file=stdin, flush=True)
            lines: list[str] = []
            while not lines or lines[-1] not in ("END\n", ""):
                lines.append(stdout.readline())
            printed = "".join(lines)
            assert "emulator-secret" not in printed
            found = [line for line in lines if line.startswith("RESULTS ")]
            assert found, printed
            results: Any = json.loads(found[-1].removeprefix("RESULTS "))
            return results

        yield run
        process.kill()


VARIABLES = {
    ALIBABA.cloud: ("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET"),
    TENCENT.cloud: ("TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRET_KEY"),
}
PROFILES = {
    ALIBABA.cloud: (
        ".alibabacloud/credentials.ini",
        "[default]\nenable = true\ntype = access_key\naccess_key_id = {}\naccess_key_secret = {}\n",
    ),
    TENCENT.cloud: (".tencentcloud/credentials", "[default]\nsecret_id = {}\nsecret_key = {}\n"),
}


def assert_read_with(machine: Machine, kind: Kind, results: Results) -> None:
    sync, asynchronous, (worked, sentence) = results
    assert (sync, asynchronous, worked) == ("succeeded", "succeeded", True), results
    assert sentence.startswith("Connected to account ")
    assert len(signers(machine.emulator, kind)) == 2


@BOTH
def test_chain_begins_with_the_environment(
    in_a_process: InAProcess, machine: Machine, kind: Kind, tmp_path: Path
) -> None:
    results = in_a_process(machine, kind, tmp_path, **dict(zip(VARIABLES[kind.cloud], KEY, strict=True)))
    assert_read_with(machine, kind, results)
    assert set(signers(machine.emulator, kind)) == {KEY[0]}


@BOTH
def test_chain_continues_with_a_profile_file(
    in_a_process: InAProcess, machine: Machine, kind: Kind, tmp_path: Path
) -> None:
    name, content = PROFILES[kind.cloud]
    (tmp_path / name).parent.mkdir()
    (tmp_path / name).write_text(content.format(*KEY))
    results = in_a_process(machine, kind, tmp_path)
    assert_read_with(machine, kind, results)
    assert set(signers(machine.emulator, kind)) == {KEY[0]}


@BOTH
def test_chain_ends_with_the_role_of_the_machine(
    in_a_process: InAProcess, machine: Machine, kind: Kind, tmp_path: Path
) -> None:
    results = in_a_process(machine, kind, tmp_path, http_proxy=machine.emulator.url)
    assert_read_with(machine, kind, results)
    assert "metadata.credentials" in asked(machine.emulator)
    assert KEY[0] not in signers(machine.emulator, kind)


@BOTH
def test_error_names_where_the_chain_looked(
    in_a_process: InAProcess, machine: Machine, kind: Kind, tmp_path: Path
) -> None:
    with Emulator() as stopped:
        nobody = stopped.url
    for text in in_a_process(machine, kind, tmp_path, http_proxy=nobody)[:2]:
        assert text.startswith("CredentialsError: Fetching credentials failed: NoCredentials: ")
        assert VARIABLES[kind.cloud][0] in text
        assert "no profile file, no role of this machine" in text
        assert_hides_secrets(text)
    assert not machine.emulator.requests()
