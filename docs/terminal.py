"""Take the screenshot of `python -m airflow_cloudtasks check`, from its real output in a terminal of 100 columns.

`make docs-screenshots` runs this. The emulator plays the cloud, with a key whose policy lacks one action.
"""

from __future__ import annotations

import html
import json
import os
import pty
import re
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path += [str(ROOT / "tests" / "ui"), str(ROOT / "docs")]

from browser import running_browser  # noqa: E402 - a module of the tests
from pictures import keep  # noqa: E402 - its folder is no package

from airflow_cloudtasks.emulator import Emulator  # noqa: E402

COLUMNS = 100
PORT = 8787
COMMAND = "python -m airflow_cloudtasks check --conn-id tencent_default --api wedata.workflow_run --project-id 24173"
COLORS = {
    "1": "font-weight:bold",
    "2": "color:#8a8a8a",
    "31": "color:#ff6b68",
    "32": "color:#5fd787",
    "33": "color:#ffd75f",
}
PAGE = """<body style="margin:0;background:#1e1e1e"><pre style="display:inline-block;margin:0;padding:16px 20px;
color:#d4d4d4;font:13px/1.35 'DejaVu Sans Mono',monospace">{}</pre></body>"""


def main() -> int:
    """Take the picture; return the exit status."""
    with Emulator(port=PORT) as emulator, tempfile.TemporaryDirectory(prefix="cloudtasks-docs-") as home:
        emulator.add_key("emulator-id", "emulator-secret", actions=["wedata:Get*"])
        connection = json.loads(emulator.connections()["AIRFLOW_CONN_TENCENT_DEFAULT"])
        os.environ |= {
            "AIRFLOW_HOME": home,
            "AIRFLOW_CONN_TENCENT_DEFAULT": json.dumps(connection),
            "COLUMNS": str(COLUMNS),
            "TERM": "xterm",
        }
        os.environ.pop("NO_COLOR", None)
        printed = output_of([sys.executable, *COMMAND.split()[1:]])
    with running_browser() as browser:
        page = browser.new_page(viewport={"width": 1100, "height": 800}, device_scale_factor=1.5)
        page.set_content(PAGE.format(f"$ {html.escape(COMMAND)}\n{colored(printed)}"))
        keep(page.locator("pre").screenshot(), "check")
    return 0


def output_of(command: list[str]) -> str:
    """Return what a command writes to a terminal."""
    written: list[bytes] = []

    def read(descriptor: int) -> bytes:
        written.append(os.read(descriptor, 4096))
        return written[-1]

    with open(os.devnull, "wb") as nowhere:
        kept = os.dup(1)
        os.dup2(nowhere.fileno(), 1)
        try:
            pty.spawn(command, read)
        finally:
            os.dup2(kept, 1)
    return b"".join(written).decode().replace("\r\n", "\n")


def colored(printed: str) -> str:
    """Return text with a terminal's colors as HTML."""
    parts = re.split(r"\x1b\[([\d;]*)m", printed)
    shown = html.escape(parts[0])
    for codes, text in zip(parts[1::2], parts[2::2], strict=True):
        style = ";".join(COLORS[code] for code in codes.split(";") if code in COLORS)
        shown += f'<span style="{style}">{html.escape(text)}</span>' if style else html.escape(text)
    return shown.rstrip()


if __name__ == "__main__":
    sys.exit(main())
