"""Draw docs/images/dashboard.png: the Grafana dashboard over the metrics of a real run.

`make docs-dashboard` runs this; an argument is how many seconds the run lasts. The run sends its metrics over StatsD.
Prometheus, which has to be installed (``apt-get install prometheus``), stores them and answers the dashboard's own
queries. Grafana is not among the packages of Debian, PyPI or npm, so panels.py draws the panels.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

ROOT = Path(__file__).parents[1]
sys.path += [str(ROOT / folder) for folder in ("docs", "tests", "tests/ui", "tools")]

from browser import running_browser  # noqa: E402 - a module of the tests
from panels import Line, legend, page  # noqa: E402 - its folder is no package
from pictures import keep  # noqa: E402
from postgresql import free_ports  # noqa: E402
from statsd_listener import StatsdListener, statsd_listener  # noqa: E402
from statsd_to_prometheus import Exporter  # noqa: E402

SECONDS = int(sys.argv[1]) if len(sys.argv) > 1 else 45
SCRAPE = 1
# What Grafana fills in. A rate needs some scrapes.
FILLED_IN = {"$__rate_interval": "6s", "$__range": f"{SECONDS}s", "$conn_id": ".*", "$region": ".*", "$api": ".*"}
POINTS = 100


def main() -> int:
    """Run, query, and draw; return the exit status."""
    dashboard = json.loads((ROOT / "docs/reference/grafana.json").read_text("utf-8"))
    with (
        tempfile.TemporaryDirectory(prefix="cloudtasks-docs-") as directory,
        statsd_listener() as statsd,
        shown(statsd) as exporter,
        prometheus(Path(directory), exporter) as address,
    ):
        began = time.time()
        environment = os.environ | statsd.environment | {"AIRFLOW_HOME": directory}
        command = [sys.executable, str(ROOT / "docs/dashboard_run.py"), str(SECONDS)]
        with subprocess.Popen(command, env=environment) as run:
            with suppress(subprocess.TimeoutExpired):
                run.wait(SECONDS)
            found = [
                [line for target in panel["targets"] for line in asked(address, target, began)]
                for panel in dashboard["panels"]
            ]
            run.terminate()
    with running_browser() as browser:
        tab = browser.new_page(viewport={"width": 1500, "height": 900})
        tab.set_content(page(dashboard, found, SECONDS))
        keep(tab.locator("body").screenshot(), "dashboard")
    return 0


@contextmanager
def shown(statsd: StatsdListener) -> Iterator[int]:
    """Show what StatsD has received to Prometheus, for the length of the block; yield the port."""
    exporter = Exporter((ROOT / "docs/reference/statsd_exporter.yml").read_text("utf-8"))
    taken = 0

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            nonlocal taken
            lines = statsd.lines[taken:]
            taken += len(lines)
            for line in lines:
                if "cloudtasks" in line:
                    exporter.take(line)
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(exporter.page().encode())

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its base class's name
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@contextmanager
def prometheus(home: Path, exporter: int) -> Iterator[str]:
    """Run Prometheus for the length of the block; yield its address."""
    [port] = free_ports(1)
    config = home / "prometheus.yml"
    config.write_text(
        f"global: {{scrape_interval: {SCRAPE}s}}\n"
        f"scrape_configs: [{{job_name: airflow, static_configs: [{{targets: ['127.0.0.1:{exporter}']}}]}}]\n"
    )
    command = ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={home / 'data'}"]
    with subprocess.Popen(
        [*command, f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"], stdout=subprocess.DEVNULL
    ) as process:
        address = f"http://127.0.0.1:{port}"
        try:
            while not answers(f"{address}/-/ready"):
                time.sleep(0.2)
            yield address
        finally:
            process.terminate()


def answers(address: str) -> bool:
    """Return whether a page can be read."""
    with suppress(OSError), urlopen(address, timeout=5):
        return True
    return False


def asked(address: str, target: dict[str, Any], began: float) -> Iterator[Line]:
    """Yield the lines that Prometheus answers to a query of the dashboard."""
    query = target["expr"]
    for name, value in FILLED_IN.items():
        query = query.replace(name, value)
    asking = {"query": query, "start": began, "end": began + SECONDS, "step": SECONDS / POINTS}
    with urlopen(f"{address}/api/v1/query_range?{urlencode(asking)}", timeout=60) as answer:
        found = json.load(answer)["data"]["result"]
    for series in found:
        points = [(at - began, float(value)) for at, value in series["values"] if value != "NaN"]
        if points:
            yield legend(target["legendFormat"], series["metric"]), points


if __name__ == "__main__":
    sys.exit(main())
