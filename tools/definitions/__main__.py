"""Write, or compare with ``--check``, the definitions of every action that the catalog uses.

The vendors' packages must be installed beside the package: the dependency group ``vendor-clients``.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.doctor.permissions import needed
from airflow_cloudtasks.spec import Service
from tools.definitions import tencent
from tools.definitions.alibaba import Package

FOLDER = Path(__file__).parents[2] / "airflow_cloudtasks" / "emulator" / "definitions"


def main(arguments: list[str] | None = None) -> int:
    """Write the definitions, or compare them; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.definitions", description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare with the files instead of writing them")
    check = parser.parse_args(arguments).check
    stale = []
    for path, definition in definitions():
        text = json.dumps(definition, ensure_ascii=False, indent=1) + "\n"
        if check and (not path.is_file() or path.read_text() != text):
            stale.append(path)
        elif not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    for path in stale:
        print(f"{path} is not what the vendor's package says; run python -m tools.definitions.", file=sys.stderr)
    return 1 if stale else 0


def definitions() -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield the file of each service of the catalog, and its content."""
    for service, names in _actions().items():
        path = FOLDER / f"{service.cloud}-{service.name}-{service.version}.json"
        if service.cloud == "tencent":
            distribution = "tccli"
            found = tencent.service(_folder("tccli").parent, service.name, service.version, names)
        else:
            distribution = f"alibabacloud-{service.name.replace('-', '_')}{service.version.replace('-', '')}"
            found = Package(_folder(distribution.replace("-", "_"))).definition(names)
        yield path, {"package": f"{distribution} {version(distribution)}", **found}


def _actions() -> dict[Service, set[str]]:
    """Return the names of all actions in the catalog, by service."""
    found: dict[Service, set[str]] = {}
    for api in APIS.values():
        found.setdefault(api.service, set()).update(each.action.name for each in needed(api))
    return found


def _folder(module: str) -> Path:
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise SystemExit(f"The vendor's package {module} is not installed: install the group vendor-clients.")
    return Path(spec.origin).parent


if __name__ == "__main__":
    sys.exit(main())
