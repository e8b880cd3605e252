"""Prints the coverage of each package, and fails if too few branches of the deciding ones are tested.

Usage: ``python tools/coverage_gate.py``, where `coverage combine` has left its data.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections import Counter
from pathlib import Path

from coverage import Coverage

ROOT = Path(__file__).parent.parent / "airflow_cloudtasks"
# The packages that decide: what a spec means, what is sent and read, when a wait ends, and what is started.
DECIDING = ("spec", "protocol", "waiting", "starting")
LEAST_BRANCHES = 95.0


def main() -> int:
    """Print a line for each package and each of the deciding files with branches that no test takes."""
    packages: dict[str, Counter[str]] = {}
    gaps: list[str] = []
    for name, file in _files().items():
        package = Path(name).parts[1] if len(Path(name).parts) > 2 else "."
        packages.setdefault(package, Counter()).update(
            {key: value for key, value in file["summary"].items() if key in _COUNTED}
        )
        if package in DECIDING and (missing := file["missing_branches"]):
            gaps.append(f"{name}: " + ", ".join(f"{line} to {to if to > 0 else 'exit'}" for line, to in missing))
    print(f"{'package':12}{'lines':>8}{'branches':>10}{'of':>7}")
    failed = []
    for package, counted in sorted(packages.items()):
        branches = _percent(counted["covered_branches"], counted["num_branches"])
        lines = _percent(counted["covered_lines"], counted["num_statements"])
        print(f"{package:12}{lines:7.1f}%{branches:9.1f}%{counted['num_branches']:7}")
        if package in DECIDING and branches < LEAST_BRANCHES:
            failed.append(f"{package}: {branches:.1f}% of the branches are tested, expected {LEAST_BRANCHES:.0f}%")
    print("\nBranches that no test takes:", *(gaps or ["none"]), sep="\n  ")
    print(*failed, sep="\n", file=sys.stderr)
    return 1 if failed else 0


_COUNTED = ("covered_branches", "num_branches", "covered_lines", "num_statements")


def _percent(part: int, whole: int) -> float:
    return 100 * part / whole if whole else 100.0


def _files() -> dict[str, dict]:
    measured = Coverage()
    measured.load()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "coverage.json"
        measured.json_report(outfile=str(report))
        return json.loads(report.read_text())["files"]


if __name__ == "__main__":
    sys.exit(main())
