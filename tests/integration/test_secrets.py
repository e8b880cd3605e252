"""No secret gets out: logs of every level, errors, reprs, triggers and Airflow's database are searched for them."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import pickle
import secrets
import subprocess
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from running import run_dag
from secure_cloud import ROLES, SecureCloud, secure_cloud

from airflow_cloudtasks.catalog import find_api
from airflow_cloudtasks.hooks.any_cloud import hook_for
from airflow_cloudtasks.triggers.cloud_task import CloudTaskTrigger

SECRET, WRONG, STS_SECRET, TOKEN, STALE_TOKEN, OIDC, EXTERNAL_ID, PROXY = (
    f"distinct{secrets.token_hex(16)}" for _ in range(8)
)
LASTING = (SECRET, WRONG, STS_SECRET, TOKEN, STALE_TOKEN, OIDC, EXTERNAL_ID, PROXY)
APIS: dict[str, tuple[str, dict[str, str]]] = {
    "alibaba": ("ice.workflow_task", {}),
    "tencent": ("wedata.task", {"ProjectId": "1"}),
}
TOKEN_FIELDS = {"alibaba": "security_token", "tencent": "token"}
FAULTS = (None, "http_500", "reset", "hang", "bad_json", "throttle", "expired_token")
# Which connections also call a failing cloud. The others call a working one.
FAULTS_OF = {"key": FAULTS, "role": FAULTS, "machine": (None, "expired_token"), "default": (None, "expired_token")}
MACHINE = {"alibaba": "ecs_ram_role", "tencent": "cvm_role"}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureCloud]:
    with secure_cloud(tmp_path_factory.mktemp("certificates")) as running:
        yield running


@pytest.fixture(autouse=True)
def fresh(cloud: SecureCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    emulator = cloud.emulator
    # The user's own profile files must not be found.
    monkeypatch.setenv("HOME", str(tmp_path))
    emulator.reset()
    emulator.add_key("key-id", SECRET)
    emulator.add_key("sts-id", STS_SECRET, TOKEN)
    emulator.sts(oidc_token=OIDC, external_id=EXTERNAL_ID)
    for api, params in APIS.values():
        for task in ("task-False", "task-True"):
            emulator.add_running(api, task, 0.5, fields=params)


@pytest.fixture
def heard() -> Iterator[io.StringIO]:
    """Everything that any logger says, before anybody masks it."""
    said = io.StringIO()

    class Raw(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.write(f"{record.name} {record.msg!r} {record.args!r} {record.exc_text or ''}\n")
            if record.exc_info and record.exc_info[1]:
                said.write("".join(traceback.format_exception(record.exc_info[1])))

    handler, root = Raw(logging.DEBUG), logging.getLogger()
    level, loud = root.level, {}
    for name in ("urllib3", "aiohttp", "asyncio", "tenacity", "airflow_cloudtasks"):
        logger = logging.getLogger(name)
        loud[logger] = logger.level
        logger.setLevel(logging.DEBUG)
    root.setLevel(logging.DEBUG)
    root.addHandler(handler)
    yield said
    root.removeHandler(handler)
    root.setLevel(level)
    for logger, before in loud.items():
        logger.setLevel(before)


def _connections(cloud: SecureCloud, folder: Path) -> dict[str, str]:
    token_file, wrong_token_file = folder / "oidc-token", folder / "wrong-oidc-token"
    token_file.write_text(OIDC)
    wrong_token_file.write_text(WRONG)
    # Nobody listens there.
    nowhere = {"endpoints": {"*": cloud.emulator.url, "sts": "https://127.0.0.1:9"}}
    quick = {"max_tries": 2, "max_retry_seconds": 0.3, "read_timeout": 1, "connect_timeout": 1}
    made = {}
    for name in APIS:
        role = {**ROLES[name], "external_id": EXTERNAL_ID}
        provider = {"alibaba": "oidc_provider_arn", "tencent": "provider_id"}[name]
        oidc = {"auth_type": "oidc_role_arn", "role_arn": role["role_arn"], "oidc_token_file": str(token_file)}
        oidc[provider] = "acs:ram::1:oidc-provider/p" if name == "alibaba" else "provider"
        proxy = {"proxy": f"http://user:{PROXY}@127.0.0.1:9"}
        for case, (key_id, secret, extra) in {
            "key": ("key-id", SECRET, {}),
            "wrong_key": ("key-id", WRONG, {}),
            "sts": ("sts-id", STS_SECRET, {TOKEN_FIELDS[name]: TOKEN}),
            "stale_sts": ("sts-id", STS_SECRET, {TOKEN_FIELDS[name]: STALE_TOKEN}),
            "role": ("key-id", SECRET, role),
            "refused_role": ("key-id", SECRET, {**role, "external_id": WRONG}),
            "wrong_role": ("key-id", WRONG, role),
            "lost_role": ("key-id", SECRET, {**role, **nowhere}),
            "oidc": (None, None, oidc),
            "wrong_oidc": (None, None, {**oidc, "oidc_token_file": str(wrong_token_file)}),
            "lost_oidc": (None, None, {**oidc, **nowhere}),
            "machine": (None, None, {"auth_type": MACHINE[name]}),
            "wrong_machine": (None, None, {"auth_type": MACHINE[name], "role_name": "nobody"}),
            "default": (None, None, {"auth_type": "default"}),
            "proxy": ("key-id", SECRET, proxy),
            "proxy_role": ("key-id", SECRET, {**role, **proxy}),
        }.items():
            made[f"{name}_{case}"] = cloud.connection(name, key_id, secret, **quick, **extra)
    return made


def _set(connections: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for conn_id, written in connections.items():
        monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", written)
    monkeypatch.setenv("SECRET_CONNECTIONS", json.dumps(list(connections)))


def _issued(cloud: SecureCloud) -> list[str]:
    """The secrets and the tokens of the sessions that the emulator has issued."""
    keys = [key for _, key in cloud.emulator.state.keys if key.session is not None]
    return [text for key in keys for text in (key.secret, key.token) if text]


def _found(cloud: SecureCloud, text: str | bytes) -> list[str]:
    data = text.encode() if isinstance(text, str) else text
    return [secret for secret in (*LASTING, *_issued(cloud)) if secret.encode() in data]


def _tell(error: BaseException) -> str:
    parts = [*traceback.format_exception(error), str(error), repr(error), repr(vars(error))]
    return "".join(parts) + repr(pickle.dumps(error))


def test_no_secret_in_logs_errors_reprs_and_triggers(
    cloud: SecureCloud,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    heard: io.StringIO,
    capfd: pytest.CaptureFixture[str],
) -> None:
    connections = _connections(cloud, tmp_path)
    _set(connections, monkeypatch)
    ended: dict[str, set[str]] = {}

    async def fire(trigger: CloudTaskTrigger) -> Any:
        async for event in trigger.run():
            return event.payload
        raise AssertionError("the trigger fired no event")

    for conn_id in connections:
        name = conn_id.partition("_")[0]
        name_of_api, params = APIS[name]
        api = find_api(name_of_api)
        for fault in FAULTS_OF.get(conn_id.partition("_")[2], (None,)):
            if fault:
                cloud.emulator.fault(fault, count=3, seconds=0.5 if fault == "hang" else None)
            hook = hook_for(api, conn_id)
            trigger = CloudTaskTrigger(
                api=api,
                cloud_task_id="task-True",
                api_params=params,
                conn_id=conn_id,
                poke_interval=0.1,
                deadline=time.time() + 0.3,
            )
            try:
                ended.setdefault(conn_id, set()).add(str(hook.read_task(api, "task-True", params).state))
            except Exception as error:  # whatever comes is searched for secrets
                ended.setdefault(conn_id, set()).add(type(error).__name__)
                heard.write(_tell(error))
            client = hook.get_conn()
            seen = [hook, client, client.account, client.account.credentials, trigger, vars(trigger)]
            seen += [getattr(client.account.credentials, "_settings", None), trigger.serialize()]
            seen += [asyncio.run(fire(trigger)), hook.test_connection()]
            heard.write("\n".join(map(repr, seen)))
            cloud.emulator.clear_faults()

    for case in ("key", "sts", "role", "oidc", "machine", "default"):
        assert all(ended[f"{name}_{case}"] & {"running", "succeeded"} for name in APIS), case
    assert all("succeeded" not in how for conn_id, how in ended.items() if "wrong" in conn_id or "lost" in conn_id)
    assert len(_issued(cloud)) >= 8, "sessions were issued, or there would be less to find"
    out, err = capfd.readouterr()
    assert len(heard.getvalue()) > 10_000
    assert _found(cloud, heard.getvalue() + out + err) == []
    # What the cloud was sent may hold the external id, as a parameter of AssumeRole; nothing else.
    sent = json.dumps(cloud.emulator.requests(), default=str)
    assert _found(cloud, sent.replace(EXTERNAL_ID, "").replace(WRONG, "")) == []


def test_no_secret_in_what_airflow_stores(
    cloud: SecureCloud,
    airflow_home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    heard: io.StringIO,
    capfd: pytest.CaptureFixture[str],
) -> None:
    _set(_connections(cloud, tmp_path), monkeypatch)
    states = run_dag("secrets_found")

    for case in ("key", "sts", "role", "oidc", "machine", "default"):
        assert {states[f"{name}_{case}-{mode}"] for name in APIS for mode in ("poke", "deferrable")} == {"success"}
    assert states["alibaba_wrong_key-poke"] == states["tencent_refused_role-deferrable"] == "failed"
    out, err = capfd.readouterr()
    assert _found(cloud, heard.getvalue() + out + err) == []
    # Copy in another process: a process that closes a file of SQLite loses its locks on the database, and continues
    # with an old state of it.
    copy = tmp_path / "home"
    subprocess.run(["cp", "-r", str(airflow_home), str(copy)], check=True)
    searched = [path for path in copy.rglob("*") if path.is_file()]
    assert any(path.name.startswith("airflow.db") for path in searched)
    assert (copy / "secrets-failures.txt").stat().st_size > 1000
    assert {str(path): found for path in searched if (found := _found(cloud, path.read_bytes()))} == {}


def test_finds_a_planted_secret(cloud: SecureCloud, heard: io.StringIO) -> None:
    logging.getLogger("urllib3").debug("GET /?token=%s", TOKEN)
    assert _found(cloud, heard.getvalue()) == [TOKEN]
