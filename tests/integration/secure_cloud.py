"""An emulator that serves http and https, and connections to it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from certificates import make_certificates

from airflow_cloudtasks.emulator import Emulator

CONN_TYPES = {"alibaba": "cloudtasks_alibaba", "tencent": "cloudtasks_tencent"}
REGIONS = {"alibaba": "cn-shanghai", "tencent": "ap-guangzhou"}
ROLES = {
    "alibaba": {"auth_type": "ram_role_arn", "role_arn": "acs:ram::1234567890123456:role/adminrole"},
    "tencent": {"auth_type": "role_arn", "role_arn": "qcs::cam::uin/100015158414:roleName/readOnlyRole"},
}


@dataclass(frozen=True)
class SecureCloud:
    """A running emulator, and the file of the authority that issued its certificate."""

    emulator: Emulator
    ca: str

    def connection(self, cloud: str, key_id: str | None, secret: str | None, **extra: Any) -> str:
        """Return an Airflow connection for an environment variable; it calls STS over https."""
        endpoints = {"*": self.emulator.url, "sts": self.emulator.tls_url, "metadata": self.emulator.url}
        extra = {"region": REGIONS[cloud], "endpoints": endpoints, "ca_bundle": self.ca, **extra}
        return json.dumps({"conn_type": CONN_TYPES[cloud], "login": key_id, "password": secret, "extra": extra})


@contextmanager
def secure_cloud(folder: Path) -> Iterator[SecureCloud]:
    """Run an emulator with https.

    Args:
        folder: The folder for its certificates.
    """
    made = make_certificates(folder)
    with Emulator(tls_cert=made.cert, tls_key=made.key, tls_port=0) as emulator:
        yield SecureCloud(emulator, made.ca)
