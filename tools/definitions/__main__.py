"""Write, or compare with ``--check``, the definitions of every action that the catalog uses.

Each service has two files. The emulator reads the first: parameters, answers and hosts. Tests alone read the second:
the vendor's examples, and what the vendor says of each API's statuses and of the parameters in templates.

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
from airflow_cloudtasks.spec import Service, TaskApi
from tools.definitions import alibaba, tencent

_ROOT = Path(__file__).parents[2]
DEFINITIONS = _ROOT / "airflow_cloudtasks" / "emulator" / "definitions"
DOCUMENTED = _ROOT / "tests" / "contract" / "documented"


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
    """Yield the two files of each service of the catalog, and their content."""
    for service, apis in _services().items():
        file = f"{service.cloud}-{service.name}-{service.version}.json"
        names = sorted({each.action.name for api in apis for each in needed(api)})
        package = _package(service)
        distribution = _distribution(service)
        note = {"package": f"{distribution} {version(distribution)}"}
        yield DEFINITIONS / file, note | package.definition(names)
        statuses = {
            api.name: package.document(api.read.name, f"{api.task_path}.{api.status}".strip("."))
            for api in apis
            if isinstance(api.status, str)
        }
        examples = {}
        if isinstance(package, tencent.Package):
            examples = {"examples": {name: package.examples(name) for name in names}}
        parameters = {
            f"{each.action.name} {name}": package.document(each.action.name, name, "input")
            for api in apis
            for each in needed(api)
            for name in each.action.template
        }
        yield (
            DOCUMENTED / file,
            note | {"statuses": statuses, "parameters": dict(sorted(parameters.items())), **examples},
        )


def _services() -> dict[Service, list[TaskApi]]:
    """Return the APIs of the catalog, by service."""
    found: dict[Service, list[TaskApi]] = {}
    for api in APIS.values():
        found.setdefault(api.service, []).append(api)
    return found


def _distribution(service: Service) -> str:
    if service.cloud == "tencent":
        return "tccli"
    return f"alibabacloud-{service.name.replace('-', '_')}{service.version.replace('-', '')}"


def _package(service: Service) -> alibaba.Package | tencent.Package:
    if service.cloud == "tencent":
        return tencent.Package(_folder("tccli").parent, service.name, service.version)
    return alibaba.Package(_folder(_distribution(service).replace("-", "_")))


def _folder(module: str) -> Path:
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise SystemExit(f"The vendor's package {module} is not installed: install the group vendor-clients.")
    return Path(spec.origin).parent


if __name__ == "__main__":
    sys.exit(main())
