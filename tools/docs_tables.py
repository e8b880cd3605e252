"""Generate the tables in README.md and docs/ that the catalog determines.

A table stands between ``<!-- generated:NAME -->`` and ``<!-- /generated -->``, in any page. The page of each product in
docs/products begins with such a part, and may have more after it. ``make docs-tables`` writes all of them, the pages of
new products, and the files of ``FILES``. ``make lint`` runs this with ``--check``, which writes nothing and exits with
1 if a page or a file is out of date.
"""

from __future__ import annotations

import argparse
import difflib
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from contract.comparing import compare
from contract.exceptions import EXCEPTIONS
from contract.findings import KINDS, counts
from dashboard import ALARMS, alerts, dashboard, mapping
from describing import (
    ROOT,
    canceled_with,
    code,
    face_modules,
    listed,
    lost,
    of,
    parts_of,
    permissions_of,
    product_files,
    public_classes,
    started_with,
    table,
    typed_operators,
)
from product_pages import product_page, product_title

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.catalog import products as catalog_files
from airflow_cloudtasks.clouds.registry import CLOUDS
from airflow_cloudtasks.clouds.wire import Location
from airflow_cloudtasks.commands.listing import CLOUDS as CLOUD_NAMES
from airflow_cloudtasks.doctor.options import naming_parameters, option
from airflow_cloudtasks.emulator.products.discovery import find_actions
from airflow_cloudtasks.metrics.known import METRICS
from airflow_cloudtasks.model import Cloud
from airflow_cloudtasks.spec import TaskApi

if TYPE_CHECKING:
    from airflow_cloudtasks.spec import Service

COMMAND = "make docs-tables"
HEADINGS: dict[Cloud, str] = {"alibaba": "Alibaba Cloud (RAM)", "tencent": "Tencent Cloud (CAM)"}
PRODUCTS = Path("docs/products")


class DocsError(Exception):
    """A page has a marker that cannot be filled in."""


def apis() -> str:
    """Return, for each cloud, the table of its APIs by product: the actions that their tasks are used with."""
    return "\n\n".join(f"## {name}\n\n{apis_of_cloud(cloud)}" for cloud, name in CLOUD_NAMES.items())


def apis_of_cloud(cloud: Cloud) -> str:
    """Return the table of a cloud's APIs."""
    return table(
        ("`api`", "Product", "Read by", "Started by", "Canceled by", "Listed by", "Failed parts"),
        (
            (
                code(api.name),
                f"[{api.service.product}](../products/{product}.md)",
                api.read.name,
                listed(map(started_with, api.starts)),
                api.cancel.action.name if api.cancel else "",
                api.list_tasks.action.name if api.list_tasks else "",
                parts_of(api),
            )
            for product, of_product in product_files(cloud).items()
            for api in of_product
        ),
    )


def catalog_summary() -> str:
    """Return the table of what the catalog has of each cloud, in numbers."""
    return table(
        ("Cloud", "APIs", "that can be started", "that can be canceled", "Products"),
        (
            (
                name,
                f"{len(of(cloud))} of {len(files)} products",
                str(sum(bool(api.starts) for api in of(cloud))),
                str(sum(api.cancel is not None for api in of(cloud))),
                listed(apis[0].service.product for apis in files.values()),
            )
            for cloud, name in CLOUD_NAMES.items()
            if (files := product_files(cloud))
        ),
    )


def products() -> str:
    """Return the table of the products, each with the page about it."""
    return table(
        ("Product", "APIs"),
        (
            (f"[{product_title(product)}]({product}.md)", listed(code(api.name) for api in of_product))
            for cloud in CLOUD_NAMES
            for product, of_product in product_files(cloud).items()
        ),
    )


def faces() -> str:
    """Return the table of the classes with a product's own arguments, by module."""
    kinds = ("sensors", "operators", "hooks")
    modules = dict.fromkeys([*CLOUDS, *face_modules("sensors"), *face_modules("operators")])
    return table(
        ("Module", *(f"`airflow_cloudtasks.{kind}`" for kind in kinds)),
        (
            (
                code(f".{module}"),
                *(
                    listed(code(found.__name__) for found in public_classes(kind, module))
                    if find_spec(f"airflow_cloudtasks.{kind}.{module}")
                    else ""
                    for kind in kinds
                ),
            )
            for module in modules
        ),
    )


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


def metrics() -> str:
    """Return the table of the metrics."""
    return table(
        ("Metric", "Kind", "Tags", "Meaning"),
        (
            (
                code(".".join([metric.path, *(f"<{part}>" for part in metric.parts)])),
                "timer, in milliseconds" if metric.kind == "timer" else metric.kind,
                listed(code(tag) for tag in (*metric.parts, *metric.tags)),
                metric.meaning,
            )
            for metric in METRICS
        ),
    )


def alarms() -> str:
    """Return the table of what to alarm on."""
    return table(
        ("Alert", "If", "For", "What to do"),
        ((code(each.name), each.title, each.lasting, each.todo) for each in ALARMS),
    )


def permissions() -> str:
    """Return, for each cloud, the table of the actions that each API needs."""
    return "\n\n".join(f"## {heading}\n\n{permissions_of(of(cloud))}" for cloud, heading in HEADINGS.items())


def lineage() -> str:
    """Return the table of start requests with SQL: where it is, and what its tables belong to."""
    return table(
        ("`api`", "Action", "SQL in", "Namespace of its tables", "Catalog", "Database"),
        (
            (
                code(api.name),
                start.action.name,
                code(sql.statement) + "".join(f", for {code(f'{name}={value}')}" for name, value in sql.when.items()),
                code(sql.namespace.replace("{region}", "REGION")),
                code(sql.catalog) if sql.catalog else "",
                code(sql.database) if sql.database else "",
            )
            for api in APIS.values()
            for start in api.starts
            if (sql := start.sql) is not None
        ),
    )


def lists() -> str:
    """Return the table of APIs of which one request reads several tasks: by lists, or by their ids."""
    return table(
        ("`api`", "Page of a list", "Tasks by their ids", "When such a task has ended"),
        (
            (
                code(api.name),
                f"{api.list_tasks.action.name}, {api.list_tasks.page_size}" if api.list_tasks else "",
                f"{api.read_many.action.name}, {api.read_many.most}" if api.read_many else "",
                "one more request reads it alone" if any(not way.complete for way in ways) else "",
            )
            for api in APIS.values()
            if (ways := [way for way in (api.list_tasks, api.read_many) if way is not None])
        ),
    )


def feeds() -> str:
    """Return the table of APIs with a feed."""
    return table(
        ("`api`", "Feed", "of all tasks with the same", "When it shows an end"),
        (
            (
                code(api.name),
                f"{api.feed.tasks.action.name}, {api.feed.tasks.page_size}",
                listed(code(name) for name in api.feed.tasks.action.accepted if name in known(api)),
                "" if api.feed.tasks.complete else "one more request reads the task",
            )
            for api in APIS.values()
            if api.feed is not None
        ),
    )


def known(api: TaskApi) -> tuple[str, ...]:
    """Return the parameters that ``api_params`` may have."""
    return (*api.task_params, *api.carried_params)


def failed_parts() -> str:
    """Return the table of APIs whose failed tasks say which part of them failed."""
    return table(
        ("`api`", "Failed parts are in", "Log"),
        (
            (
                code(api.name),
                parts_of(api),
                api.parts.log.action.name if api.parts.log else "",
            )
            for api in APIS.values()
            if api.parts
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


def compared() -> str:
    """Return the table of what the tests compare with the vendors' definitions."""
    kinds = ("APIs", *KINDS)
    rows = (
        (name, *(str(counts(compare(api) for api in APIS.values() if api.cloud == cloud)[kind]) for kind in kinds))
        for cloud, name in CLOUD_NAMES.items()
    )
    return table(("Cloud", "APIs", *(kind.title() for kind in KINDS)), rows)


def exceptions() -> str:
    """Return the table of the catalog's deviations from the vendors' definitions."""
    return table(("Where", "Why"), ((code(subject), reason) for subject, reason in EXCEPTIONS.items()))


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
    "alarms": alarms,
    "apis": apis,
    "catalog_summary": catalog_summary,
    "check_options": check_options,
    "compared": compared,
    "emulated": emulated,
    "exceptions": exceptions,
    "faces": faces,
    "failed_parts": failed_parts,
    "feeds": feeds,
    "hosts": hosts,
    "lineage": lineage,
    "lists": lists,
    "metrics": metrics,
    "operators": operators,
    "permissions": permissions,
    "products": products,
}
# Files that are generated as a whole.
FILES: dict[str, Callable[[], str]] = {
    "docs/reference/grafana.json": dashboard,
    "docs/reference/alerts.yml": alerts,
    "docs/reference/statsd_exporter.yml": mapping,
}
_MARKER = re.compile(r"<!-- generated:(?P<name>\S*) -->.*?<!-- /generated -->", re.DOTALL)


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
    known = TABLES | {f"product:{product}": partial(product_page, product) for product in catalog_files()}
    if name not in known:
        raise DocsError(f"there is no table {name!r}; expected one of {listed(known)}.")
    return f"<!-- generated:{name} -->\n\n{known[name]()}\n\n<!-- /generated -->"


def pages() -> Iterator[Path]:
    """Yield the pages that may have tables. The page of a new product may not exist yet."""
    yield ROOT / "README.md"
    found = {path for path in (ROOT / "docs").rglob("*.md") if "_build" not in path.parts}
    yield from sorted(found | {ROOT / PRODUCTS / f"{product}.md" for product in catalog_files()})


def files() -> Iterator[tuple[Path, Callable[[str], str]]]:
    """Yield what is generated, wholly or in parts, each with the function that returns it anew from its old text."""
    yield from ((path, filled) for path in pages())
    yield from ((ROOT / name, lambda _, make=make: make()) for name, make in FILES.items())


def read(page: Path) -> str:
    """Return a page; for a new product, one that has the generated part alone."""
    if page.exists():
        return page.read_text("utf-8")
    if page.suffix != ".md":
        return ""
    return f"<!-- generated:product:{page.stem} -->\n<!-- /generated -->\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write all tables, or check them. Return 0 if all are current, otherwise 1."""
    parser = argparse.ArgumentParser(description="Generate the tables of README and docs from the catalog.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a table is out of date")
    check: bool = parser.parse_args(arguments).check
    stale = False
    for path, make in files():
        name, before = str(path.relative_to(ROOT)), read(path)
        try:
            after = make(before)
        except DocsError as error:
            print(f"{name}: {error}", file=sys.stderr)
            return 1
        if before == after and path.exists():
            continue
        if check:
            stale = True
            sys.stdout.writelines(difflib.unified_diff(before.splitlines(True), after.splitlines(True), name, name))
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(after, "utf-8")
            print(f"{name}: written")
    if stale:
        print(f"Generated tables are out of date. Run: {COMMAND}", file=sys.stderr)
    return int(stale)


if __name__ == "__main__":
    sys.exit(main())
