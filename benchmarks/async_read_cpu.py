"""Measures the CPU time of one asynchronous read of a task over TLS, and how long it blocks the event loop.

A local HTTPS server, in its own process, answers every request with the same JSON and checks no signature. Its
certificate comes from an authority made for the run, which is appended to a copy of certifi's bundle. So a client that
loads the trusted certificates loads the real ones, as in production.

The readers:

- ``bare``: a POST over one pooled aiohttp session, with a body of the same size. It reads the answer's bytes and does
  nothing with them. This is the least that a read can cost, and the 1.0 of the table.
- ``bare, signed request's headers``: the same, with the headers and the URL of a request that this package signed.
  This is the cost of sending and receiving alone.
- ``cloudtasks``: ``await hook.aget_task(…)`` in ``async with hook``: sign, send, read, normalise.
- The vendors' own asynchronous clients, one client for all reads. Tencent's client is measured twice: with its
  defaults, which open a connection for every request, and with ``keepAlive``.

Each round measures every reader, each with ``--reads`` reads one after the other on a warm connection. The table shows
medians over the rounds, and the median of each round's ratio to the bare call, so that a change in the machine's speed
affects both sides. CPU time is that of the client process, with all its threads. The stall is the longest delay of a
task that wakes up every millisecond, while ten reads run at once.

Exits with 1 if a read by this package costs more than ``--limit`` times the bare call. Skips a vendor's client that is
not installed.

Set-up (in a separate virtual environment; Python 3.11 or newer)::

    pip install -e . -r benchmarks/requirements.txt
    python benchmarks/async_read_cpu.py
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import json
import multiprocessing
import os
import pstats
import ssl
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from ipaddress import ip_address
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import Any

Read = Callable[[], Awaitable[Any]]

EXAMPLES = Path(__file__).parent.parent / "tests" / "examples"
ICE_TASK_ID = "8f3c1d5e7a9b4c20b6d4e8f1a2c3b5d7"
LKE_TASK = {"TaskId": "1903847561028374528", "TaskType": "ExportAttributeLabel", "BotBizId": "1846203758192640000"}
WEDATA_TASK = {"ProjectId": "1460947878944567296", "TaskId": "20230830105932549"}
ICE_ANSWER = {
    "RequestId": "2B5E7A10-4C8D-5F36-9E1B-7A0C3D5F8E24",
    "WorkflowTask": {
        "TaskId": ICE_TASK_ID,
        "Status": "Processing",
        "CreateTime": "2026-03-04T08:15:30Z",
        "TaskInput": json.dumps({"Type": "OSS", "Media": "oss://bucket.oss-cn-shanghai.aliyuncs.com/in/clip.mp4"}),
        "UserData": json.dumps({"dag": "media", "run": "scheduled__2026-03-04"}),
        "ActivityResults": json.dumps(
            {
                name: {"Id": name, "Status": "Succeed", "Result": {"JobId": "c0ffee" * 5, "Output": ["a.mp4", "b.mp4"]}}
                for name in ("Start", "Transcode-1", "Snapshot-1", "Analysis-1")
            }
        ),
        "Workflow": {
            "WorkflowId": "5d2e9b8c7f6a4013b1c0d9e8f7a6b5c4",
            "Name": "transcode and analyse",
            "Type": "Customize",
            "Status": "Active",
            "CreateTime": "2026-01-10T03:00:00Z",
            "ModifiedTime": "2026-02-11T03:00:00Z",
        },
    },
}
LKE_ANSWER = {
    "Response": {
        "TaskId": LKE_TASK["TaskId"],
        "TaskType": LKE_TASK["TaskType"],
        "Status": "RUNNING",
        "Message": "",
        "Params": {"CosPath": ""},
        "RequestId": "7d1f0c52-93ab-4e6f-8c24-5b6a7e8f9a01",
    }
}


@dataclass(frozen=True)
class Product:
    """A product whose answer the server sends: to requests for its version, and to bare calls of ``/NAME``."""

    name: str
    version: str
    api: str
    answer: Mapping[str, Any] | None = None

    @property
    def body(self) -> bytes:
        """The answer; the vendor's example unless this script has a longer one."""
        return json.dumps(
            self.answer or json.loads((EXAMPLES / self.api / "answer.json").read_text(encoding="utf-8"))
        ).encode()


PRODUCTS = (
    Product("BPStudio", "2021-09-31", "bpstudio.task"),
    Product("BDRC", "2023-08-08", "bdrc.task"),
    Product("ICE", "2020-11-09", "ice.workflow_task", ICE_ANSWER),
    Product("WeData", "2025-08-06", "wedata.task"),
    Product("LKE", "2023-11-30", "lke.task", LKE_ANSWER),
)


@dataclass
class Reader:
    """One way to read a task; ``bare`` names the reader that it is compared with."""

    name: str
    bare: str
    read: Read
    cpu: list[float] = field(default_factory=list)
    stall: list[float] = field(default_factory=list)


def main() -> int:
    options = _options()
    with tempfile.TemporaryDirectory() as directory:
        certificate, bundle = _certificates(Path(directory))
        parent, child = multiprocessing.Pipe()
        # Spawn the server, so that neither process has modules that only the other one loads.
        server = multiprocessing.get_context("spawn").Process(target=_serve, args=(certificate, child), daemon=True)
        server.start()
        port = parent.recv()
        try:
            _set_environment(directory, bundle, port)
            readers = asyncio.run(_measure(options, port))
        finally:
            server.terminate()
            server.join()
    return _report(readers, options.limit)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15, help="rounds over all readers (default: 15)")
    parser.add_argument("--reads", type=int, default=200, help="reads of each reader in a round (default: 200)")
    parser.add_argument("--slow-reads", type=int, default=10, help="the same for the vendors' clients (default: 10)")
    parser.add_argument(
        "--limit", type=float, default=2.0, help="largest allowed multiple of the bare call (default: 2)"
    )
    parser.add_argument(
        "--profile", metavar="NAME", help="profile 2000 reads of this reader, e.g. 'ICE: cloudtasks', and stop"
    )
    return parser.parse_args()


# The server.


def _serve(certificate: Path, ready: Connection) -> None:
    asyncio.run(_serve_forever(certificate, ready))


async def _serve_forever(certificate: Path, ready: Connection) -> None:
    from aiohttp import web

    answers = {key: product.body for product in PRODUCTS for key in (product.version, f"/{product.name}")}

    async def answer(request: web.Request) -> web.Response:
        await request.read()
        version = request.headers.get("x-acs-version") or request.headers.get("x-tc-version")
        return web.Response(body=answers[version or request.path], content_type="application/json")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate)
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    ready.send(runner.addresses[0][1])
    await asyncio.Event().wait()


def _certificates(directory: Path) -> tuple[Path, Path]:
    """Return the paths of the server's certificate with its key, and of a bundle of trusted authorities."""
    import certifi
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    now = datetime.now(UTC)

    def certify(
        name: str, key: ec.EllipticCurvePrivateKey, issuer: str, issuer_key: ec.EllipticCurvePrivateKey, is_ca: bool
    ) -> bytes:
        def named(common_name: str) -> x509.Name:
            return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])

        made = (
            x509.CertificateBuilder()
            .subject_name(named(name))
            .issuer_name(named(issuer))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
            .sign(issuer_key, hashes.SHA256())
        )
        return made.public_bytes(serialization.Encoding.PEM)

    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    certificate, bundle = directory / "server.pem", directory / "ca-bundle.pem"
    certificate.write_bytes(private + certify("127.0.0.1", key, "benchmark", ca_key, is_ca=False))
    bundle.write_bytes(
        Path(certifi.where()).read_bytes() + certify("benchmark", ca_key, "benchmark", ca_key, is_ca=True)
    )
    return certificate, bundle


# The clients.


def _set_environment(directory: str, bundle: Path, port: int) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        os.environ[name] = str(bundle)
    os.environ["NO_PROXY"] = "127.0.0.1"
    os.environ["AIRFLOW_HOME"] = directory
    for conn_id, conn_type, region in (
        ("alibaba_default", "cloudtasks_alibaba", "cn-shanghai"),
        ("tencent_default", "cloudtasks_tencent", "ap-guangzhou"),
    ):
        os.environ[f"AIRFLOW_CONN_{conn_id.upper()}"] = json.dumps(
            {
                "conn_type": conn_type,
                "login": "key-id-of-a-benchmark",
                "password": "secret-of-a-benchmark",
                "host": f"https://127.0.0.1:{port}",
                "extra": {"region": region},
            }
        )


@asynccontextmanager
async def _readers(port: int) -> AsyncIterator[list[Reader]]:
    async with AsyncExitStack() as opened:
        readers = await _own_readers(port, opened)
        for module, vendor in (
            ("alibabacloud_ice20201109.client", _alibaba_sdk),
            ("tencentcloud.common.common_client_async", _tencent_sdk),
        ):
            if _installed(module):
                readers += await vendor(port, opened)
            else:
                print(f"{module} is not installed and is skipped.", file=sys.stderr)
        yield readers


def _installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


async def _own_readers(port: int, opened: AsyncExitStack) -> list[Reader]:
    import aiohttp

    from airflow_cloudtasks.catalog import find_api
    from airflow_cloudtasks.clouds.registry import CLOUDS
    from airflow_cloudtasks.clouds.wire import ApiCall, Credentials, Endpoint
    from airflow_cloudtasks.hooks.alibaba import BdrcHook, BpStudioHook, IceHook
    from airflow_cloudtasks.hooks.tencent import LkeHook, WeDataHook

    url = f"https://127.0.0.1:{port}"
    tls = ssl.create_default_context(cafile=os.environ["SSL_CERT_FILE"])
    session = await opened.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=tls)))

    def bare(to: str, body: bytes, headers: Mapping[str, str] | None = None) -> Read:
        async def read() -> bytes:
            async with session.post(to, data=body or None, headers=headers) as response:
                return await response.read()

        return read

    bpstudio, bdrc, ice, wedata, lke = [
        await opened.enter_async_context(hook()) for hook in (BpStudioHook, BdrcHook, IceHook, WeDataHook, LkeHook)
    ]
    reads: tuple[tuple[dict[str, str], Read], ...] = (
        ({"TaskId": "1"}, lambda: bpstudio.aget_task("1")),
        ({"TaskId": "t-0004d9ctt1ii"}, lambda: bdrc.aget_task("t-0004d9ctt1ii")),
        ({"TaskId": ICE_TASK_ID}, lambda: ice.aget_task(ICE_TASK_ID)),
        (WEDATA_TASK, lambda: wedata.aget_task(WEDATA_TASK["TaskId"], WEDATA_TASK["ProjectId"])),
        (LKE_TASK, lambda: lke.aget_task(LKE_TASK["TaskId"], LKE_TASK["TaskType"], LKE_TASK["BotBizId"])),
    )
    readers = []
    for product, (params, ours) in zip(PRODUCTS, reads, strict=True):
        name, api = product.name, find_api(product.api)
        signed = CLOUDS[api.cloud].sign(
            ApiCall(api.service, api.read, Endpoint(url)),
            params,
            region="cn-shanghai",
            credentials=Credentials("key-id-of-a-benchmark", "secret-of-a-benchmark"),
            user_agent="airflow_cloudtasks/benchmark airflow/3.3.2",
            now=datetime.now(UTC),
        )
        mark = f"{name}: bare"
        readers += [
            Reader(mark, mark, bare(f"{url}/{name}", signed.body)),
            Reader(f"{name}: bare, signed request's headers", mark, bare(signed.url, signed.body, signed.headers)),
            Reader(f"{name}: cloudtasks", mark, ours),
        ]
    return readers


async def _alibaba_sdk(port: int, opened: AsyncExitStack) -> list[Reader]:
    from alibabacloud_ice20201109.client import Client
    from alibabacloud_ice20201109.models import GetWorkflowTaskRequest
    from alibabacloud_tea_openapi.models import Config

    client = Client(
        Config(
            access_key_id="key-id-of-a-benchmark",
            access_key_secret="secret-of-a-benchmark",
            region_id="cn-shanghai",
            endpoint=f"127.0.0.1:{port}",
        )
    )
    return [
        Reader(
            "ICE: Alibaba SDK, async",
            "ICE: bare",
            lambda: client.get_workflow_task_async(GetWorkflowTaskRequest(task_id=ICE_TASK_ID)),
        )
    ]


async def _tencent_sdk(port: int, opened: AsyncExitStack) -> list[Reader]:
    from tencentcloud.common.common_client_async import CommonClient
    from tencentcloud.common.credential import Credential
    from tencentcloud.common.profile.client_profile import ClientProfile
    from tencentcloud.common.profile.http_profile import HttpProfile

    async def reader(name: str, keep_alive: bool) -> Reader:
        profile = ClientProfile(httpProfile=HttpProfile(endpoint=f"127.0.0.1:{port}", keepAlive=keep_alive))
        credential = Credential("key-id-of-a-benchmark", "secret-of-a-benchmark")
        client = await opened.enter_async_context(
            CommonClient("lke", "2023-11-30", credential, "ap-guangzhou", profile)
        )
        return Reader(name, "LKE: bare", lambda: client.call_and_deserialize("GetTaskStatus", dict(LKE_TASK)))

    return [
        await reader("LKE: Tencent SDK, async", keep_alive=False),
        await reader("LKE: Tencent SDK, async, keepAlive", keep_alive=True),
    ]


# The measuring.


async def _measure(options: argparse.Namespace, port: int) -> list[Reader]:
    async with _readers(port) as readers:
        if options.profile:
            await _profile(next(reader for reader in readers if reader.name == options.profile))
        for reader in readers:
            # Open the connections for ten reads at once, and run the late imports.
            await asyncio.gather(*(reader.read() for _ in range(10)))
        for number in range(options.rounds):
            # Each reader is the first in one of the rounds.
            turn = number % len(readers)
            for reader in readers[turn:] + readers[:turn]:
                reads = options.slow_reads if "SDK" in reader.name else options.reads
                reader.cpu.append(await _cpu(reader.read, reads))
                reader.stall.append(await _stall(reader.read))
        return readers


async def _cpu(read: Read, reads: int) -> float:
    """Return the CPU seconds of one read."""
    start = time.process_time()
    for _ in range(reads):
        await read()
    return (time.process_time() - start) / reads


async def _stall(read: Read, tick: float = 0.001) -> float:
    """Return the longest time, in seconds, that ten reads at once block the event loop."""
    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        last = time.perf_counter()
        while True:
            await asyncio.sleep(tick)
            now = time.perf_counter()
            longest, last = max(longest, now - last - tick), now

    watching = asyncio.create_task(watch())
    await asyncio.sleep(2 * tick)
    await asyncio.gather(*(read() for _ in range(10)))
    await asyncio.sleep(2 * tick)
    watching.cancel()
    return longest


async def _profile(reader: Reader) -> None:
    await reader.read()
    profiler = cProfile.Profile(time.process_time)
    profiler.enable()
    for _ in range(2000):
        await reader.read()
    profiler.disable()
    pstats.Stats(profiler).sort_stats("tottime").print_stats(45).sort_stats("cumtime").print_stats(60)
    raise SystemExit(0)


def _report(readers: list[Reader], limit: float) -> int:
    by_name = {reader.name: reader for reader in readers}
    rows: dict[str, list[Reader]] = defaultdict(list)
    for reader in readers:
        rows[reader.bare].append(reader)
    failures = []
    print(f"{'one read':40}{'CPU ms':>9}{'of bare':>9}{'stall ms with 10 at once':>27}")
    for bare, group in rows.items():
        for reader in group:
            ratio = median(own / of_bare for own, of_bare in zip(reader.cpu, by_name[bare].cpu, strict=True))
            cpu, stall = median(reader.cpu) * 1000, median(reader.stall) * 1000
            print(f"{reader.name:40}{cpu:9.3f}{ratio:8.2f}x{stall:27.1f}")
            if reader.name.endswith(": cloudtasks") and ratio > limit:
                failures.append(
                    f"{reader.name} costs {ratio:.2f} times the bare call; at most {limit} times are allowed."
                )
    for failure in failures:
        print(f"FAILED: {failure}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
