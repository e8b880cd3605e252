"""Generate the tables in README.md and docs/ that the catalog determines.

A table stands between ``<!-- generated:NAME -->`` and ``<!-- /generated -->``, in any page. ``make docs-tables`` writes
all of them. ``make lint`` runs this with ``--check``, which writes nothing and exits with 1 if a table is out of date.
"""

from __future__ import annotations

import argparse
import difflib
import inspect
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).parent.parent
# Describe this checkout, whichever copy of the package is installed.
sys.path.insert(0, str(ROOT))

from airflow_cloudtasks.catalog import APIS  # noqa: E402
from airflow_cloudtasks.clouds.registry import CLOUDS  # noqa: E402
from airflow_cloudtasks.clouds.wire import Location  # noqa: E402
from airflow_cloudtasks.doctor.options import naming_parameters, option  # noqa: E402
from airflow_cloudtasks.doctor.permissions import Use, all_permissions, as_json, policy  # noqa: E402
from airflow_cloudtasks.doctor.permissions import permissions as names_of  # noqa: E402
from airflow_cloudtasks.emulator.products.discovery import find_actions  # noqa: E402
from airflow_cloudtasks.model import Cloud, TaskState  # noqa: E402

if TYPE_CHECKING:
    from airflow_cloudtasks.operators.start_cloud_task import StartCloudTaskOperator
    from airflow_cloudtasks.spec import Service, Start, TaskApi

COMMAND = "make docs-tables"
HEADINGS: dict[Cloud, str] = {"alibaba": "Alibaba Cloud (RAM)", "tencent": "Tencent Cloud (CAM)"}
USES: tuple[tuple[Use, ...], ...] = (("read",), ("list",), ("start", "find", "cancel"), ("explain",))
OTHER_ENDS = (TaskState.EXPIRED, TaskState.SKIPPED, TaskState.CANCELED)


class DocsError(Exception):
    """A page has a marker that cannot be filled in."""


def apis() -> str:
    """Return the table of APIs: the action that reads a task, its parameters, and what each status means."""
    return table(
        ("`api`", "Action", "Task id", "`api_params`", "pending", "running", "succeeded", "failed, or another end"),
        (
            (
                code(api.name),
                f"{api.service.product} {api.read.name}",
                code(api.id_param),
                listed([*map(code, api.task_params), *(f"{code(name)} (optional)" for name in api.read.optional)]),
                *statuses(api),
            )
            for api in APIS.values()
        ),
    )


def statuses(api: TaskApi) -> Iterator[str]:
    """Yield the statuses that mean pending, running and succeeded, and those of the other ends."""

    def of(state: TaskState) -> str:
        return listed(status for status, meaning in api.states.items() if meaning is state)

    yield of(TaskState.PENDING)
    yield of(TaskState.RUNNING)
    if api.error_if is None:
        yield of(TaskState.SUCCEEDED)
        failures = of(TaskState.FAILED)
    else:
        yield f"{of(TaskState.SUCCEEDED)} without {api.error_if}"
        failures = f"{of(TaskState.SUCCEEDED)} with {api.error_if}"
    yield "; ".join(filter(None, (failures, *(f"{of(state)} ({state})" for state in OTHER_ENDS if of(state)))))


def faces() -> str:
    """Return the table of the classes with a product's own arguments, by cloud."""
    kinds = ("sensors", "operators", "hooks")
    return table(
        ("Module", *(f"`airflow_cloudtasks.{kind}`" for kind in kinds)),
        ((code(f".{cloud}"), *(listed(map(code, public_classes(kind, cloud))) for kind in kinds)) for cloud in CLOUDS),
    )


def public_classes(kind: str, cloud: str) -> Iterator[str]:
    """Yield the names of the classes that a module of the package defines."""
    with airflow_home():
        module = import_module(f"airflow_cloudtasks.{kind}.{cloud}")
    for name, found in vars(module).items():
        if inspect.isclass(found) and found.__module__ == module.__name__ and not name.startswith("_"):
            yield name


def operators() -> str:
    """Return the table of operators: the action that starts, the one that cancels, and what a lost answer leads to."""
    return table(
        ("Operator", "Starts with", "Cancels with", "A start without an answer"),
        (
            (
                code(type(operator).__name__),
                started_with(operator.start),
                canceled_with(operator.api),
                lost(operator.start),
            )
            for operator in typed_operators()
        ),
    )


@contextmanager
def airflow_home() -> Iterator[None]:
    """Import Airflow in the block without leaving behind the configuration file that it writes."""
    with tempfile.TemporaryDirectory() as home:
        os.environ.setdefault("AIRFLOW_HOME", home)
        yield


def typed_operators() -> Iterator[StartCloudTaskOperator]:
    """Yield one instance of each operator that has arguments of its own."""
    with airflow_home():
        from airflow_cloudtasks.operators import alibaba, tencent
        from airflow_cloudtasks.operators.start_cloud_task import StartCloudTaskOperator as Base

    for module in (alibaba, tencent):
        for found in vars(module).values():
            if isinstance(found, type) and issubclass(found, Base) and found is not Base:
                parameters = inspect.signature(found.__init__).parameters.values()
                own = [one for one in parameters if one.kind is one.KEYWORD_ONLY and one.default in (one.empty, None)]
                # A template is checked when it is rendered, so it is a valid value of any argument.
                templates: dict[str, Any] = {one.name: "{{ any }}" for one in own}
                yield found(task_id="documented", **templates)


def started_with(start: Start) -> str:
    """Return the action that starts a task, with the one that follows it."""
    return start.action.name if start.then is None else f"{start.action.name}, then {start.then.name}"


def canceled_with(api: TaskApi) -> str:
    """Return the action that cancels a task."""
    if api.cancel is None:
        return "none"
    return f"{api.cancel.action.name}, which deletes the task" if api.cancel.removes else api.cancel.action.name


def lost(start: Start) -> str:
    """Return what a retry does about a start request without an answer."""
    if start.client_token is not None:
        return f"is sent again with the same {start.client_token}"
    if start.find is None:
        return "is not sent again; the task fails"
    found = f"is looked up in {start.find.tasks.action.name}"
    if start.mark is not None:
        found += f" by a mark in {start.mark}"
    needed = [name for name in start.find.tasks.action.params if name not in start.action.params]
    return f"{found}, if {listed(needed)} is set" if needed else found


def permissions() -> str:
    """Return, for each cloud, the table of the actions that each API needs, and the policy that allows all of them."""
    return "\n\n".join(
        f"## {heading}\n\n{permissions_of(cloud)}\n\n```json\n{as_json(policy(cloud, all_permissions(of(cloud))))}\n```"
        for cloud, heading in HEADINGS.items()
    )


def permissions_of(cloud: Cloud) -> str:
    """Return the table of the actions that each API of a cloud needs."""
    return table(
        ("`api`", "Reads", "Lists (optional)", "Starts and cancels", "Explains a failure (optional)"),
        ((code(api.name), *(listed(map(code, names_of(api, *uses))) for uses in USES)) for api in of(cloud)),
    )


def of(cloud: Cloud) -> list[TaskApi]:
    """Return the APIs of a cloud."""
    return [api for api in APIS.values() if api.cloud == cloud]


def lists() -> str:
    """Return the table of APIs that are read by lists."""
    return table(
        ("`api`", "List", "Tasks per request", "When a listed task has ended"),
        (
            (
                code(api.name),
                f"{api.service.product} {api.list_tasks.action.name}",
                str(api.list_tasks.page_size or "all"),
                "" if api.list_tasks.complete else "one more request reads the task by its id",
            )
            for api in APIS.values()
            if api.list_tasks
        ),
    )


def failed_parts() -> str:
    """Return the table of APIs whose failed tasks say which part of them failed."""
    return table(
        ("`api`", "Failed parts are in", "Log"),
        (
            (
                code(api.name),
                parts.listed.action.name
                if parts.listed
                else f"the task's {parts.at}"
                if parts.at
                else "the task itself",
                parts.log.action.name if parts.log else "",
            )
            for api in APIS.values()
            if (parts := api.parts)
        ),
    )


def emulated() -> str:
    """Return the table of APIs that the emulator serves, with the statuses of a task that a request starts."""
    shapes = {action.api: action.task for action in find_actions() if action.task}
    return table(
        ("`api`", "Read by", "Started by", "Statuses", "Canceled by"),
        (
            (
                code(api.name),
                api.read.name,
                listed(map(started_with, api.starts)),
                listed(str(step.status) for step in shape.script) if shape.started else "",
                api.cancel.action.name if api.cancel else "",
            )
            for api in APIS.values()
            if (shape := shapes.get(api.name))
        ),
    )


def hosts() -> str:
    """Return the table of the products' hosts."""
    services = {api.service.name: api.service for api in APIS.values()}.values()
    return table(
        ("Product", "Host", "With another `network` or `site`"),
        ((service.product, public_hosts(service), other_hosts(service)) for service in services),
    )


def public_hosts(service: Service) -> str:
    """Return a product's hosts on the public network."""
    usual = host(service)
    others: dict[str, list[str]] = {}
    for region, name in service.region_hosts.items():
        if name != usual.replace("REGION", region):
            others.setdefault(name, []).append(region)
    return "; ".join([code(usual), *(f"{code(name)} in {regions(of)}" for name, of in others.items())])


def regions(names: list[str]) -> str:
    """Return the names of a few regions, or the number of many."""
    return listed(names) if len(names) <= 5 else f"{len(names)} regions"


def other_hosts(service: Service) -> str:
    """Return a product's hosts on other networks and sites, each with the connection's field that selects it."""
    others = {f"`{network}`": host(service, network=network) for network in CLOUDS[service.cloud].NETWORKS[1:]}
    others["`intl`"] = host(service, site="intl")
    own = f" (not in {regions(list(service.region_hosts))})" if service.region_hosts else ""
    return listed(f"{name}: {code(found)}{own}" for name, found in others.items() if found != host(service))


def host(service: Service, **location: str) -> str:
    """Return the host of a product in a region without a rule of its own."""
    return CLOUDS[service.cloud].endpoint(service, Location("REGION", **location)).url.removeprefix("https://")


def check_options() -> str:
    """Return the table of the options of `check` that name tasks."""
    return table(
        ("Option", "Parameter", "`api`"),
        (
            (code(option(name)), code(name), listed(map(code, apis)))
            for name, apis in naming_parameters(APIS.values()).items()
        ),
    )


TABLES: dict[str, Callable[[], str]] = {
    "apis": apis,
    "check_options": check_options,
    "emulated": emulated,
    "faces": faces,
    "failed_parts": failed_parts,
    "hosts": hosts,
    "lists": lists,
    "operators": operators,
    "permissions": permissions,
}
_MARKER = re.compile(r"<!-- generated:(?P<name>\S*) -->.*?<!-- /generated -->", re.DOTALL)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |".replace("|  |", "| |").replace("|  |", "| |") for line in lines)


def code(text: str) -> str:
    """Return a text in Markdown's code format."""
    return f"`{text}`"


def listed(items: Iterable[str]) -> str:
    """Return items with commas between them."""
    return ", ".join(items)


def filled(page: str) -> str:
    """Return a page with every table that it marks.

    Raises:
        DocsError: A marker names no table, or is not closed.
    """
    if page.count("<!-- generated:") != len(_MARKER.findall(page)):
        raise DocsError("a <!-- generated:NAME --> has no <!-- /generated -->.")
    return _MARKER.sub(_section, page)


def _section(found: re.Match[str]) -> str:
    name = found["name"]
    if name not in TABLES:
        raise DocsError(f"there is no table {name!r}; expected one of {listed(TABLES)}.")
    return f"<!-- generated:{name} -->\n\n{TABLES[name]()}\n\n<!-- /generated -->"


def pages() -> Iterator[Path]:
    """Yield the pages that may have tables."""
    yield ROOT / "README.md"
    yield from (path for path in sorted((ROOT / "docs").rglob("*.md")) if "_build" not in path.parts)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write all tables, or check them. Return 0 if all are current, otherwise 1."""
    parser = argparse.ArgumentParser(description="Generate the tables of README and docs from the catalog.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a table is out of date")
    check: bool = parser.parse_args(arguments).check
    stale = False
    for path in pages():
        name, before = str(path.relative_to(ROOT)), path.read_text("utf-8")
        try:
            after = filled(before)
        except DocsError as error:
            print(f"{name}: {error}", file=sys.stderr)
            return 1
        if before == after:
            continue
        if check:
            stale = True
            sys.stdout.writelines(difflib.unified_diff(before.splitlines(True), after.splitlines(True), name, name))
        else:
            path.write_text(after, "utf-8")
            print(f"{name}: written")
    if stale:
        print(f"Generated tables are out of date. Run: {COMMAND}", file=sys.stderr)
    return int(stale)


if __name__ == "__main__":
    sys.exit(main())
