"""A small HTTP service on loopback that answers with a key, or with what a test says."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

KEY_ANSWER = {
    "AccessKeyId": "STS.served",
    "AccessKeySecret": "served-secret",
    "SecurityToken": "served-token",
    "Expiration": "2100-01-01T00:00:00Z",
}


@dataclass
class KeyServer:
    """The service.

    Args:
        url: Its address.
        answers: Status and body of the next answers; afterwards, it answers with a key.
        requests: Method, path, Authorization and body of what was asked.
    """

    url: str = ""
    answers: list[tuple[int, bytes]] = field(default_factory=list)
    requests: list[tuple[str, str, str | None, bytes]] = field(default_factory=list)
    key: dict[str, Any] = field(default_factory=lambda: {"Code": "Success", **KEY_ANSWER})


@contextmanager
def key_server() -> Iterator[KeyServer]:
    """Yield the service, and end it afterwards."""
    state = KeyServer()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            state.requests.append((self.command, self.path, self.headers.get("Authorization"), body))
            status, answer = state.answers.pop(0) if state.answers else (200, json.dumps(state.key).encode())
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST = do_PUT = _answer  # noqa: N815 - the names of the standard library

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        state.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield state
        finally:
            server.shutdown()
            thread.join()
