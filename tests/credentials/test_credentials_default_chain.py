"""The vendors' default chains: environment, profile file, the role of the machine; each in a process of its own.

Alibaba's library reads its environment when it is imported, and urllib keeps the proxies that it saw first.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from kinds import KEY, Kind, Machine, asked, assert_hides_secrets, signers

from airflow_cloudtasks.emulator import Emulator

TELL = """
import asyncio, json, sys
sys.path.insert(0, sys.argv[2])
from kinds import Kind, aread, read
kind = Kind(sys.argv[1], "default")
def attempt(function):
    try:
        return str(function().state)
    except Exception as error:  # whatever comes is what the test looks at
        return f"{type(error).__name__}: {error}"
print("TOLD", json.dumps([
    attempt(lambda: read(kind.hook())),
    attempt(lambda: asyncio.run(aread(kind.hook()))),
    kind.hook().test_connection(),
]))
"""

ALIBABA, TENCENT = Kind("alibaba", "default"), Kind("tencent", "default")
BOTH = pytest.mark.parametrize("kind", [ALIBABA, TENCENT], ids=str)


def in_a_process(machine: Machine, kind: Kind, home: Path, **variables: str) -> tuple[str, str, tuple[bool, str]]:
    """Read a task of the cloud in both ways, and test the connection."""
    connection = kind.connection(machine)
    if kind is TENCENT:
        # With no key and no auth_type, the default chain is meant.
        del connection["extra"]["auth_type"]
    ended = subprocess.run(
        [sys.executable, "-c", TELL, kind.cloud, str(Path(__file__).parent)],
        env={
            **{name: value for name, value in os.environ.items() if name.lower() != "http_proxy"},
            "HOME": str(home),
            "AIRFLOW_CONN_KIND": json.dumps(connection),
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            **variables,
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    lines = [line for line in ended.stdout.splitlines() if line.startswith("TOLD ")]
    assert lines, ended.stderr
    assert "emulator-secret" not in ended.stdout + ended.stderr
    results: Any = json.loads(lines[-1].removeprefix("TOLD "))
    return results


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


def assert_read_with(machine: Machine, kind: Kind, results: tuple[str, str, tuple[bool, str]]) -> None:
    sync, asynchronous, (worked, sentence) = results
    assert (sync, asynchronous, worked) == ("succeeded", "succeeded", True), results
    assert sentence.startswith("Connected to account ")
    assert len(signers(machine.emulator, kind)) == 2


@BOTH
def test_chain_begins_with_the_environment(machine: Machine, kind: Kind, tmp_path: Path) -> None:
    results = in_a_process(machine, kind, tmp_path, **dict(zip(VARIABLES[kind.cloud], KEY, strict=True)))
    assert_read_with(machine, kind, results)
    assert set(signers(machine.emulator, kind)) == {KEY[0]}


@BOTH
def test_chain_continues_with_a_profile_file(machine: Machine, kind: Kind, tmp_path: Path) -> None:
    name, content = PROFILES[kind.cloud]
    (tmp_path / name).parent.mkdir()
    (tmp_path / name).write_text(content.format(*KEY))
    results = in_a_process(machine, kind, tmp_path)
    assert_read_with(machine, kind, results)
    assert set(signers(machine.emulator, kind)) == {KEY[0]}


@BOTH
def test_chain_ends_with_the_role_of_the_machine(machine: Machine, kind: Kind, tmp_path: Path) -> None:
    results = in_a_process(machine, kind, tmp_path, http_proxy=machine.emulator.url)
    assert_read_with(machine, kind, results)
    assert "metadata.credentials" in asked(machine.emulator)
    assert KEY[0] not in signers(machine.emulator, kind)


@BOTH
def test_error_names_where_the_chain_looked(machine: Machine, kind: Kind, tmp_path: Path) -> None:
    with Emulator() as stopped:
        nobody = stopped.url
    for text in in_a_process(machine, kind, tmp_path, http_proxy=nobody)[:2]:
        assert text.startswith("CredentialsError: Fetching credentials failed: NoCredentials: ")
        assert VARIABLES[kind.cloud][0] in text
        assert "no profile file, no role of this machine" in text
        assert_hides_secrets(text)
    assert not machine.emulator.requests()
