"""The emulator from outside: its command line, its pytest plugin, and its imports."""

from __future__ import annotations

import http.client
import json
import os
import signal
import ssl
import subprocess
import sys
import urllib.request
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from airflow_cloudtasks.emulator import Emulator

if TYPE_CHECKING:
    from pathlib import Path

    from certificates import Certificates

COMMAND = [sys.executable, "-m", "airflow_cloudtasks.emulator"]
EMULATOR = "airflow_cloudtasks.emulator"
NOT_ITS_OWN = ("airflow", "alibabacloud", "Tea", "darabonba", "tencentcloud", "tccli", "requests", "aiohttp")

ONE_LINE_TEST = """
import json, os, urllib.request

def test_a_dag_author_needs_one_line(cloudtasks_emulator):
    cloudtasks_emulator.add_task("ice.workflow_task", "t1", ("Processing", 60), "Succeed")
    for variable in ("AIRFLOW_CONN_ALIBABA_DEFAULT", "AIRFLOW_CONN_TENCENT_DEFAULT"):
        host = json.loads(os.environ[variable])["host"]
        assert host == cloudtasks_emulator.url
        with urllib.request.urlopen(host + "/_control/tasks") as answer:
            assert json.load(answer)["tasks"][0]["status"] == "Processing"

def test_the_next_test_begins_anew(cloudtasks_emulator):
    assert cloudtasks_emulator.tasks() == []
"""
NO_STARLETTE = """
import sys
sys.modules["starlette"] = None
"""


def run(*arguments: str, **more: object) -> subprocess.CompletedProcess[str]:
    options = {"capture_output": True, "text": True, "timeout": 60, "check": False, **more}
    return subprocess.run([sys.executable, *arguments], **options)


def modules_after(statement: str) -> set[str]:
    ended = run("-c", f"import json, sys\n{statement}\nprint(json.dumps(sorted(sys.modules)))")
    assert ended.returncode == 0, ended.stderr
    return set(json.loads(ended.stdout.splitlines()[-1]))


def test_the_pytest_plugin_imports_no_server() -> None:
    loaded = modules_after("import airflow_cloudtasks.emulator.pytest_plugin")
    assert not {name for name in loaded if name.partition(".")[0] in ("starlette", "uvicorn", "anyio")}
    assert {name for name in loaded if name.startswith("airflow_cloudtasks")} == {
        "airflow_cloudtasks",
        "airflow_cloudtasks.emulator",
        "airflow_cloudtasks.emulator.extra",
        "airflow_cloudtasks.emulator.pytest_plugin",
    }


def test_the_emulator_imports_no_airflow_no_sdk_and_nothing_of_the_rest_of_the_package() -> None:
    loaded = modules_after(
        "from airflow_cloudtasks.emulator import Emulator\n"
        "import airflow_cloudtasks.emulator.__main__\n"
        "with Emulator() as emulator: emulator.add_task('lke.task', '8', None)"
    )
    assert not {
        name for name in loaded if name.partition(".")[0].startswith(NOT_ITS_OWN) and name[:18] != "airflow_cloudtasks"
    }
    outside = {
        name
        for name in loaded
        if name.startswith("airflow_cloudtasks.") and not name.startswith("airflow_cloudtasks.emulator")
    }
    assert not outside


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_serves_until_a_signal_and_ends_cleanly(number: signal.Signals) -> None:
    process = subprocess.Popen([*COMMAND, "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        url = urlsplit(next(word for word in line.split() if word.startswith("http://")))
        assert "emulator-id" in line
        connection = http.client.HTTPConnection(str(url.hostname), url.port, timeout=10)
        connection.request("GET", "/_control/health")
        assert json.load(connection.getresponse())["ok"] is True
        process.send_signal(number)
        rest, errors = process.communicate(timeout=20)
    finally:
        process.kill()
        process.communicate()
    assert (process.returncode, rest, errors) == (0, "", "")


def test_the_command_serves_http_and_https_at_once(certificates: Certificates) -> None:
    tls = ["--tls-cert", certificates.cert, "--tls-key", certificates.key, "--tls-port", "0"]
    process = subprocess.Popen(
        [*COMMAND, "--port", "0", *tls], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        plain, secure = (word for word in process.stdout.readline().split() if word.startswith("http"))
        assert (urlsplit(plain).scheme, urlsplit(secure).scheme) == ("http", "https")
        context = ssl.create_default_context(cafile=certificates.ca)
        add = urllib.request.Request(f"{secure}/_control/sts", b'{"seconds": 7}', method="POST")
        urllib.request.urlopen(add, timeout=10, context=context).close()
        with urllib.request.urlopen(f"{plain}/_control/sts", timeout=10) as answer:
            assert json.load(answer)["seconds"] == 7
        process.send_signal(signal.SIGTERM)
        rest, errors = process.communicate(timeout=20)
    finally:
        process.kill()
        process.communicate()
    assert (process.returncode, rest, errors) == (0, "", "")


def test_a_latency_of_the_command_outlives_a_reset() -> None:
    command = [*COMMAND, "--port", "0", "--latency", "0.25"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        url = next(word for word in process.stdout.readline().split() if word.startswith("http://"))
        urllib.request.urlopen(urllib.request.Request(f"{url}/_control/reset", b"", method="POST"), timeout=10).close()
        with urllib.request.urlopen(f"{url}/_control/latency", timeout=10) as answer:
            assert json.load(answer) == {"seconds": [0.25, 0.25]}
    finally:
        process.kill()
        process.communicate()


def test_serves_only_https_with_a_certificate_and_no_second_port(certificates: Certificates) -> None:
    with Emulator(tls_cert=certificates.cert, tls_key=certificates.key) as emulator:
        assert emulator.url == emulator.tls_url == f"https://127.0.0.1:{emulator.port}"
        context = ssl.create_default_context(cafile=certificates.ca)
        with urllib.request.urlopen(f"{emulator.url}/_control/health", timeout=10, context=context) as answer:
            assert json.load(answer)["ok"] is True


def test_https_needs_a_certificate() -> None:
    with pytest.raises(ValueError, match="expected tls_cert and tls_key with it"):
        Emulator(tls_port=0)
    with Emulator() as emulator, pytest.raises(RuntimeError, match="does not serve over TLS"):
        _ = emulator.tls_url


def test_leaves_nothing_running_if_a_port_is_taken(certificates: Certificates) -> None:
    with Emulator() as first:
        second = Emulator(tls_cert=certificates.cert, tls_key=certificates.key, tls_port=first.port)
        with pytest.raises(OSError, match="in use"):
            second.start()
        with pytest.raises(RuntimeError, match="not running"):
            _ = second.url


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--host", "0.0.0.0"], "expected a loopback address"),
        (["--tls-cert", "cert.pem"], "go together"),
        (["--tls-port", "0"], "needs --tls-cert"),
        (["--latency", "2", "1"], "--latency: seconds: expected the least before the most"),
    ],
)
def test_the_command_says_why_it_cannot_start(arguments: list[str], expected: str) -> None:
    ended = run("-m", "airflow_cloudtasks.emulator", *arguments)
    assert ended.returncode == 1
    assert expected in ended.stderr


@pytest.mark.parametrize("missing", ["starlette", "uvicorn"])
def test_the_command_without_its_extra_says_what_to_install(missing: str) -> None:
    ended = run(
        "-c",
        f"import sys; sys.modules[{missing!r}] = None\n"
        "from airflow_cloudtasks.emulator.__main__ import main; sys.exit(main(['--port', '0']))",
    )
    assert ended.returncode == 1
    assert "pip install 'airflow-provider-cloudtasks[emulator]'" in ended.stderr
    assert "Traceback" not in ended.stderr


def run_pytest(folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    return run("-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder), cwd=folder, env=environment)


def test_the_fixture_provides_a_running_emulator_for_each_test(tmp_path: Path) -> None:
    (tmp_path / "test_dag.py").write_text(ONE_LINE_TEST)
    ended = run_pytest(tmp_path)
    assert "2 passed" in ended.stdout, ended.stdout


def test_the_fixture_without_its_extra_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(NO_STARLETTE)
    (tmp_path / "test_dag.py").write_text("def test_it(cloudtasks_emulator): pass\n")
    ended = run_pytest(tmp_path)
    assert ended.returncode == 1
    assert "pip install 'airflow-provider-cloudtasks[emulator]'" in ended.stdout
