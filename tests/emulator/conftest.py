"""A client for the emulator's tests that can also send bad requests: without a header, unsigned, or outdated."""

from __future__ import annotations

import http.client
import json
import time
import uuid
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from certificates import Certificates

from airflow_cloudtasks.emulator import Emulator
from airflow_cloudtasks.emulator.vendor import signatures

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Answer:
    """An HTTP answer, with the values that tests check."""

    status: int
    body: bytes
    content_type: str
    retry_after: str | None = None

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str | None:
        """The error code of either vendor."""
        body = self.json
        error = body["Response"].get("Error") if "Response" in body else body
        return error.get("Code") if error else None

    @property
    def message(self) -> str:
        body = self.json
        text: str = (body["Response"]["Error"] if "Response" in body else body)["Message"]
        return text


@dataclass(frozen=True)
class Prepared:
    """A signed request, which a test may spoil before it is sent, or send twice."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""

    def without(self, *names: str) -> Prepared:
        headers = {name: value for name, value in self.headers.items() if name.lower() not in names}
        return Prepared(self.method, self.target, headers, self.body)

    def carrying(self, body: bytes | None = None, **headers: str) -> Prepared:
        changed = {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return Prepared(self.method, self.target, changed, self.body if body is None else body)


@dataclass
class Client:
    """Signs requests and sends them, by default with the emulator's own key."""

    emulator: Emulator
    key_id: str = "emulator-id"
    secret: str = "emulator-secret"
    token: str | None = None
    timeout: float = 10.0
    unsigned: set[str] = field(default_factory=set)

    def send(self, prepared: Prepared) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.emulator.port, timeout=self.timeout)
        try:
            connection.putrequest(prepared.method, prepared.target, skip_host=True, skip_accept_encoding=True)
            for name, value in prepared.headers.items():
                connection.putheader(name, value)
            if prepared.body:
                connection.putheader("content-length", str(len(prepared.body)))
            connection.endheaders(prepared.body or None)
            response = connection.getresponse()
            headers = response.headers
            return Answer(response.status, response.read(), headers.get("content-type", ""), headers.get("retry-after"))
        finally:
            connection.close()

    def plain(self, method: str, target: str, body: bytes = b"") -> Answer:
        return self.send(Prepared(method, target, {"host": "127.0.0.1"}, body))

    def control(self, method: str, path: str, value: Any = None) -> Answer:
        return self.plain(method, f"/_control/{path}", b"" if value is None else json.dumps(value).encode())

    def prepare_alibaba(
        self,
        action: str | None = "GetWorkflowTask",
        version: str | None = "2020-11-09",
        *,
        method: str = "POST",
        path: str = "/",
        query: str = "",
        form: str = "",
        ago: float = 0.0,
        **more: str,
    ) -> Prepared:
        body = form.encode()
        date = datetime.fromtimestamp(time.time() - ago, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        headers = {
            "host": f"127.0.0.1:{self.emulator.port}",
            "x-acs-action": action,
            "x-acs-version": version,
            "x-acs-date": date,
            "x-acs-signature-nonce": uuid.uuid4().hex,
            "x-acs-content-sha256": signatures.sha256_hex(body),
            "x-acs-security-token": self.token,
            "content-type": "application/x-www-form-urlencoded" if form else None,
            **{name.replace("_", "-"): value for name, value in more.items()},
        }
        present = {name: value for name, value in headers.items() if value is not None}
        signed = tuple(sorted(set(present) - self.unsigned))
        canonical = signatures.acs3_canonical_request(
            method, path, query, present, signed, present["x-acs-content-sha256"]
        )
        present["authorization"] = (
            f"ACS3-HMAC-SHA256 Credential={self.key_id},SignedHeaders={';'.join(signed)},"
            f"Signature={signatures.acs3_signature(self.secret, canonical)}"
        )
        return Prepared(method, f"{path}?{query}" if query else path, present, body)

    def prepare_rpc(
        self, parameters: Mapping[str, str | None], *, method: str = "GET", ago: float = 0.0, secret: str | None = None
    ) -> Prepared:
        """Sign in Alibaba's older form; a parameter that is None is left out."""
        date = datetime.fromtimestamp(time.time() - ago, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        every = {
            "Version": "2015-04-01",
            "Format": "JSON",
            "AccessKeyId": self.key_id,
            "SecurityToken": self.token,
            "SignatureMethod": "HMAC-SHA1",
            "SignatureVersion": "1.0",
            "SignatureNonce": uuid.uuid4().hex,
            "Timestamp": date,
            **parameters,
        }
        present = {name: value for name, value in every.items() if value is not None}
        text = signatures.rpc_string_to_sign(method, present)
        if "Signature" not in every:
            present["Signature"] = signatures.rpc_signature(secret or self.secret, text)
        encoded = urlencode(present)
        host = {"host": f"127.0.0.1:{self.emulator.port}"}
        if method == "GET":
            return Prepared("GET", f"/?{encoded}", host)
        return Prepared("POST", "/", {**host, "content-type": "application/x-www-form-urlencoded"}, encoded.encode())

    def rpc(self, action: str, **parameters: str | None) -> Answer:
        return self.send(self.prepare_rpc({"Action": action, **parameters}))

    def tencent_sts(self, action: str, parameters: Any = None, *, unsigned: bool = False) -> Answer:
        prepared = self.prepare_tencent(parameters, action, "2018-08-13", service="sts", region=None)
        return self.send(prepared.carrying(Authorization="SKIP") if unsigned else prepared)

    def holding(self, key_id: str, secret: str, token: str | None) -> Client:
        return replace(self, key_id=key_id, secret=secret, token=token)

    def ice(self, task_id: str = "t1", **more: Any) -> Answer:
        return self.send(self.prepare_alibaba(query=f"TaskId={task_id}", **more))

    def prepare_tencent(
        self,
        parameters: Any = None,
        action: str | None = "GetTask",
        version: str | None = "2025-08-06",
        *,
        service: str = "wedata",
        region: str | None = "ap-guangzhou",
        ago: float = 0.0,
        date: str | None = None,
        body: bytes | None = None,
        method: str = "POST",
        query: str = "",
    ) -> Prepared:
        if body is None:
            body = b"" if method == "GET" else json.dumps({} if parameters is None else parameters).encode()
        timestamp = int(time.time() - ago)
        date = date or signatures.tc3_date(timestamp)
        headers = {
            "Host": f"127.0.0.1:{self.emulator.port}",
            "Content-Type": "application/x-www-form-urlencoded" if method == "GET" else "application/json",
            "X-TC-Action": action,
            "X-TC-Version": version,
            "X-TC-Region": region,
            "X-TC-Timestamp": str(timestamp),
            "X-TC-Token": self.token,
        }
        present = {name: value for name, value in headers.items() if value is not None}
        signed = tuple(sorted({"content-type", "host"} - self.unsigned))
        lower = {name.lower(): value for name, value in present.items()}
        canonical = signatures.tc3_canonical_request(method, query, lower, signed, body)
        signature = signatures.tc3_signature(self.secret, canonical, str(timestamp), date, service)
        present["Authorization"] = (
            f"TC3-HMAC-SHA256 Credential={self.key_id}/{date}/{service}/tc3_request, "
            f"SignedHeaders={';'.join(signed)}, Signature={signature}"
        )
        return Prepared(method, f"/?{query}" if query else "/", present, body)

    def wedata(self, task_id: str = "t1", project_id: str = "p1", **more: Any) -> Answer:
        return self.send(self.prepare_tencent({"ProjectId": project_id, "TaskId": task_id}, **more))

    def lke(self, task_id: str = "8", task_type: str = "ExportAttributeLabel", bot: str = "b1") -> Answer:
        parameters = {"TaskId": task_id, "TaskType": task_type, "BotBizId": bot}
        return self.send(self.prepare_tencent(parameters, "GetTaskStatus", "2023-11-30", service="lke"))

    def bdrc(self, path_id: str = "t1") -> Answer:
        path = f"/api/v1/tasks/{path_id}"
        return self.send(self.prepare_alibaba("DescribeTask", "2023-08-08", method="GET", path=path))

    def bpstudio(self, task_id: str = "2615") -> Answer:
        return self.send(self.prepare_alibaba("GetTask", "2021-09-31", form=f"TaskId={task_id}"))


@pytest.fixture
def client(cloudtasks_emulator: Emulator) -> Client:
    return Client(cloudtasks_emulator)


@pytest.fixture
def two_port_emulator(tls_emulator: Emulator, certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """An emulator on http and https at once, whose certificate this process trusts."""
    # The only variable that Alibaba's library respects, sync and async: it loads Python's default certificates. It
    # sends prepared requests, for which `requests` ignores REQUESTS_CA_BUNDLE.
    monkeypatch.setenv("SSL_CERT_FILE", certificates.ca)
    return tls_emulator
