"""Starts the processes that serve the APIs, and makes the environment through which triggers reach them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, Request, build_opener

from async_read_cpu import _certificates

BENCHMARKS = Path(__file__).parent.parent
KEY = ("emulator-id", "emulator-secret")


@dataclass(frozen=True)
class Server:
    """One server.

    Args:
        url: Base URL of its control plane.
        tls_url: Base URL of its APIs.
    """

    url: str
    tls_url: str

    def control(self, path: str, method: str = "GET", value: Any = None) -> Any:
        """Send a request to the control plane and return its answer."""
        body = None if value is None else json.dumps(value).encode()
        request = Request(f"{self.url}/_control/{path}", body, {"Content-Type": "application/json"}, method=method)
        with build_opener(ProxyHandler({})).open(request) as answer:
            return json.load(answer)


@dataclass(frozen=True)
class World:
    """The servers by name, and the environment for the processes that use them."""

    servers: dict[str, Server]
    environment: dict[str, str]


@contextmanager
def serving(directory: Path) -> Iterator[World]:
    """Start the emulator and the server of the other APIs, each in a process of its own.

    Args:
        directory: An empty folder for certificates, which is also Airflow's home.
    """
    certificate, bundle = _certificates(directory)
    emulator = ["airflow_cloudtasks.emulator", "--port", "0", "--tls-port", "0"]
    emulator += ["--tls-cert", str(certificate), "--tls-key", str(certificate)]
    with _server(emulator) as first, _server(["waiting.jobs_server", str(certificate)]) as second:
        yield World({"emulator": first, "jobs": second}, _environment(directory, bundle, first, second))


@contextmanager
def _server(module: list[str]) -> Iterator[Server]:
    command = [sys.executable, "-m", *module]
    with subprocess.Popen(command, cwd=BENCHMARKS, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Server(*re.findall(r"https?://[\d.:]+", process.stdout.readline() if process.stdout else ""))
        finally:
            process.terminate()


def _environment(directory: Path, bundle: Path, emulator: Server, jobs: Server) -> dict[str, str]:
    jobs_at = urlsplit(jobs.tls_url)
    ours = {"login": KEY[0], "password": KEY[1], "host": emulator.tls_url}
    connections: dict[str, dict[str, Any]] = {
        "alibaba_default": {"conn_type": "cloudtasks_alibaba", **ours, "extra": {"region": "cn-shanghai"}},
        "tencent_default": {"conn_type": "cloudtasks_tencent", **ours, "extra": {"region": "ap-guangzhou"}},
        "without_feed": {
            "conn_type": "cloudtasks_tencent",
            **ours,
            "extra": {"region": "ap-guangzhou", "feed_interval": 0},
        },
        "dbt_cloud_default": {"conn_type": "dbt_cloud", "login": "1", "password": "token", "host": jobs_at.netloc},
        "databricks_default": {
            "conn_type": "databricks",
            "password": "token",
            "host": "https://127.0.0.1",
            "port": jobs_at.port,
        },
    }
    return (
        os.environ
        | {f"AIRFLOW_CONN_{name.upper()}": json.dumps(value) for name, value in connections.items()}
        | {
            "AIRFLOW_HOME": str(directory),
            "BENCHMARK_TENCENT": urlsplit(emulator.tls_url).netloc,
            "BENCHMARK_JOBS": jobs_at.netloc,
            # The HTTP library of each side reads one of these two.
            "SSL_CERT_FILE": str(bundle),
            "REQUESTS_CA_BUNDLE": str(bundle),
            "NO_PROXY": "127.0.0.1",
        }
    )
