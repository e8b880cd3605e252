"""The vendors' own default chains, each asked in a new process, with the emulator in place of their services.

Alibaba's library reads its environment when it is imported, and starts threads. A process that has imported what both
libraries need, which takes a second, forks for each question. The services are replaced where the libraries name their
hosts: no proxy and no environment variable leads there.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_PROCESS = """
import json, os, sys
import aiofiles, apscheduler.schedulers.background, requests, Tea.core, aiohttp

def alibaba(url):
    host, port = url.removeprefix("http://").split(":")
    do_action = Tea.core.TeaCore.do_action

    def to_the_emulator(request, options=None):
        request.headers["host"], request.port, request.protocol = host, int(port), "http"
        return do_action(request, options)

    Tea.core.TeaCore.do_action = to_the_emulator
    from alibabacloud_credentials.provider import DefaultCredentialsProvider
    key = DefaultCredentialsProvider().get_credentials()
    return key.get_access_key_id(), key.get_access_key_secret(), key.get_security_token()

def tencent(url):
    from tencentcloud.common import credential as module
    module.CVMRoleCredential._role_endpoint = url + "/latest/meta-data/cam/security-credentials/"
    module.OIDCRoleArnCredential._endpoint = url
    return module.DefaultCredentialProvider().get_credentials().get_credential_info()

for line in sys.stdin:
    cloud, url, environment = json.loads(line)
    if pid := os.fork():
        os.waitpid(pid, 0)
        print("END", flush=True)
    else:
        os.environ.clear()
        os.environ.update(environment)
        try:
            result = {"alibaba": alibaba, "tencent": tencent}[cloud](url)
        except BaseException as error:
            result = [type(error).__name__, str(error), None]
        print("RESULT", json.dumps(result), flush=True)
        os._exit(0)
"""


class VendorChains:
    """Asks the vendors' own chains.

    Args:
        process: The process that forks.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def key(self, cloud: str, url: str, home: Path, environment: dict[str, str]) -> list[Any]:
        """Return id, secret and token of the key that the vendor's chain finds, or the name and text of its error.

        Args:
            cloud: The cloud.
            url: The emulator's URL.
            home: The home directory.
            environment: Further variables.
        """
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        variables = {"PATH": os.environ["PATH"], "HOME": str(home), **environment}
        print(json.dumps([cloud, url, variables]), file=stdin, flush=True)
        lines: list[str] = []
        while not lines or lines[-1] not in ("END\n", ""):
            lines.append(stdout.readline())
        found = [line for line in lines if line.startswith("RESULT ")]
        assert found, "".join(lines)
        result: list[Any] = json.loads(found[-1].removeprefix("RESULT "))
        return result


@contextmanager
def vendor_chains() -> Iterator[VendorChains]:
    """Yield the vendors' chains, and end their process afterwards."""
    with subprocess.Popen(
        [sys.executable, "-c", _PROCESS],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        yield VendorChains(process)
        process.kill()
