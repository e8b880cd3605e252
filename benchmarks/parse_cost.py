"""Measures how long importing a sensor, or an operator of this package, prolongs the parsing of a DAG file.

Airflow imports every DAG file again and again, each time in a new process, so every parse pays for the imports of a
sensor. Each sample here is a fresh interpreter. It imports a baseline, which every DAG file needs anyway, and then one
sensor module. The time of the second import is the sensor's own cost. The samples of all cases are interleaved, so that
a busy moment of the machine affects all of them alike. The table shows medians.

There are two baselines:

- ``sensor file``: DAG, BaseSensorOperator and the base class of triggers, imported as any provider imports them. Every
  deferrable sensor of every provider loads these.
- ``strict``: ``import airflow``, and DAG and BaseSensorOperator from Airflow's SDK, and nothing more. What a provider
  loads of Airflow beyond that (triggers, the compat layer) counts as the provider's cost.

Exits with 1 if importing this package's sensors adds more than ``--limit`` seconds to the first baseline, or importing
its operators adds more than twice as much, or if either loads a vendor's SDK or an HTTP library that Airflow itself has
not loaded. Skips a sensor that is not installed.

Set-up (in a separate virtual environment; Python 3.11 or newer)::

    pip install -e . -r benchmarks/requirements.txt
    python benchmarks/parse_cost.py
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from importlib.util import find_spec
from statistics import median
from typing import Any

BASELINES = {
    "sensor file": (
        "from airflow.providers.common.compat.sdk import DAG, BaseSensorOperator",
        "import airflow.triggers.base",
    ),
    "strict": ("import airflow", "from airflow.sdk import DAG, BaseSensorOperator"),
}
OURS, OPERATORS = "cloudtasks", "cloudtasks operators"
CASES = {
    OURS: (
        "airflow_cloudtasks.sensors.cloud_task",
        "airflow_cloudtasks.sensors.alibaba",
        "airflow_cloudtasks.sensors.tencent",
    ),
    OPERATORS: (
        "airflow_cloudtasks.operators.cloud_task",
        "airflow_cloudtasks.operators.alibaba",
        "airflow_cloudtasks.operators.tencent",
    ),
    "dbt Cloud": ("airflow.providers.dbt.cloud.sensors.dbt",),
    "Databricks": ("airflow.providers.databricks.sensors.databricks",),
    "Alibaba (ADB Spark)": ("airflow.providers.alibaba.cloud.sensors.analyticdb_spark",),
    "Alibaba (OSS)": ("airflow.providers.alibaba.cloud.sensors.oss_key",),
}
# The top-level modules of HTTP libraries and vendors' SDKs, which parsing a DAG file does not need.
HEAVY = (
    "Tea", "aiohttp", "alibabacloud", "aliyunsdkcore", "azure", "botocore", "cryptography", "darabonba", "databricks",
    "httpx", "oss2", "requests", "tencentcloud", "urllib3",
)  # fmt: skip

_SAMPLE = """
import sys, time
wall, cpu = time.perf_counter(), time.process_time()
{baseline}
between = set(sys.modules)
wall_between, cpu_between = time.perf_counter(), time.process_time()
{case}
wall_end, cpu_end = time.perf_counter(), time.process_time()
import json
print("SAMPLE " + json.dumps({{
    "baseline": [wall_between - wall, cpu_between - cpu],
    "added": [wall_end - wall_between, cpu_end - cpu_between],
    "in_baseline": sorted(between),
    "new": sorted(set(sys.modules) - between),
}}))
"""


def main() -> int:
    options = _options()
    cases = {name: modules for name, modules in CASES.items() if _installed(modules[0])}
    for name in CASES.keys() - cases.keys():
        print(f"{name} is not installed and is skipped.", file=sys.stderr)
    failures: list[str] = []
    with tempfile.TemporaryDirectory() as airflow_home:
        environment = {**os.environ, "AIRFLOW_HOME": airflow_home, "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
        for number, (name, baseline) in enumerate(BASELINES.items()):
            samples = _measure(baseline, cases, options.samples, environment)
            _print_table(name, baseline, samples)
            if number == 0:
                failures = [
                    *_failures(OURS, samples[OURS], options.limit),
                    *_failures(OPERATORS, samples[OPERATORS], 2 * options.limit),
                ]
    for failure in failures:
        print(f"FAILED: {failure}")
    return 1 if failures else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=5, help="fresh interpreters per case and baseline (default: 5)")
    parser.add_argument("--limit", type=float, default=0.05, help="seconds that sensors may add (default: 0.05)")
    return parser.parse_args()


def _installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def _measure(
    baseline: tuple[str, ...], cases: dict[str, tuple[str, ...]], samples: int, environment: dict[str, str]
) -> dict[str, list[dict[str, Any]]]:
    taken: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for number in range(samples + 1):
        for name, modules in cases.items():
            sample = _sample(baseline, modules, environment)
            # Discard the first round: it compiles modules and fills the disk cache.
            if number:
                taken[name].append(sample)
    return taken


def _sample(baseline: tuple[str, ...], modules: tuple[str, ...], environment: dict[str, str]) -> dict[str, Any]:
    code = _SAMPLE.format(baseline="\n".join(baseline), case="\n".join(f"import {module}" for module in modules))
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    for line in done.stdout.splitlines():
        if line.startswith("SAMPLE "):
            return dict(json.loads(line.removeprefix("SAMPLE ")))
    raise SystemExit(f"A sample of {modules[0]} failed:\n{done.stderr}")


def _print_table(name: str, baseline: tuple[str, ...], samples: dict[str, list[dict[str, Any]]]) -> None:
    every = [sample for of_case in samples.values() for sample in of_case]
    wall, cpu = (median(sample["baseline"][index] for sample in every) for index in (0, 1))
    print(f"\nBaseline {name!r}: {'; '.join(baseline)}")
    print(f"  takes {wall:.2f} s ({cpu:.2f} s CPU), and itself loads: {_words(_roots(every[0]['in_baseline']))}")
    print(f"  {'added by importing':22}{'wall s':>9}{'CPU s':>9}{'of ours':>9}{'modules':>9}  libraries newly loaded")
    ours = _added(samples[OURS], 0)
    for case, taken in samples.items():
        added, added_cpu = _added(taken, 0), _added(taken, 1)
        new = taken[0]["new"]
        print(
            f"  {case:22}{added:9.3f}{added_cpu:9.3f}{added / ours:8.1f}x{len(new):9}  {_words(_roots(new))}",
            flush=True,
        )


def _failures(case: str, ours: list[dict[str, Any]], limit: float) -> list[str]:
    failures = []
    if (added := _added(ours, 0)) > limit:
        failures.append(f"importing {case} adds {added:.3f} s; at most {limit} s are allowed.")
    if heavy := _roots(ours[0]["new"]):
        failures.append(f"importing {case} loads {_words(heavy)}.")
    return failures


def _added(samples: list[dict[str, Any]], index: int) -> float:
    return median(sample["added"][index] for sample in samples)


def _roots(modules: list[str]) -> dict[str, int]:
    """Return how many modules of each heavy library there are."""
    counts: dict[str, int] = defaultdict(int)
    for module in modules:
        root = module.partition(".")[0]
        root = "alibabacloud" if root.startswith("alibabacloud_") else root
        if root in HEAVY:
            counts[root] += 1
    return dict(sorted(counts.items()))


def _words(counts: dict[str, int]) -> str:
    return ", ".join(f"{root} ({count})" for root, count in counts.items()) or "none"


if __name__ == "__main__":
    sys.exit(main())
