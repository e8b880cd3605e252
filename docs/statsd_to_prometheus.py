"""A stand-in for statsd_exporter: takes StatsD lines with tags, and shows them as Prometheus reads them.

It names and labels time series by the mapping that is offered for download, and shows timers as statsd_exporter does by
default: as summaries in seconds, with three quantiles.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

QUANTILES = (0.5, 0.9, 0.99)
_TYPES = {"c": "counter", "g": "gauge", "ms": "summary"}
Labels = tuple[tuple[str, str], ...]


class Exporter:
    """What the lines so far amount to.

    Args:
        mapping: The mapping of statsd_exporter, as YAML.
    """

    def __init__(self, mapping: str) -> None:
        self._mappings: list[Mapping[str, Any]] = yaml.safe_load(mapping)["mappings"]
        self._values: dict[tuple[str, str], dict[Labels, list[float]]] = defaultdict(dict)

    def take(self, line: str) -> None:
        """Take a line: ``name,tag=value:number|type``."""
        named, _, rest = line.partition(":")
        number, kind, *_ = rest.split("|")
        name, *tags = named.split(",")
        labels = dict(tag.split("=", 1) for tag in tags)
        for mapping in self._mappings:
            if found := re.fullmatch(mapping["match"], name):
                name = _filled(mapping["name"], found)
                labels |= {label: _filled(value, found) for label, value in mapping["labels"].items()}
        values = self._values[re.sub(r"\W", "_", name), kind].setdefault(tuple(sorted(labels.items())), [])
        match kind:
            case "c":
                values[:] = [sum(values) + float(number)]
            case "g":
                values[:] = [float(number)]
            case "ms":
                values.append(float(number) / 1000)

    def page(self) -> str:
        """Return the page that Prometheus reads."""
        return "".join(f"{line}\n" for line in self._lines())

    def _lines(self) -> Iterator[str]:
        for (name, kind), of in self._values.items():
            yield f"# TYPE {name} {_TYPES[kind]}"
            for labels, values in list(of.items()):
                if kind != "ms":
                    yield f"{name}{_shown(labels)} {values[0]:g}"
                    continue
                ordered = sorted(values)
                for quantile in QUANTILES:
                    place = min(int(quantile * len(ordered)), len(ordered) - 1)
                    yield f"{name}{_shown((*labels, ('quantile', f'{quantile:g}')))} {ordered[place]:g}"
                yield f"{name}_sum{_shown(labels)} {sum(values):g}"
                yield f"{name}_count{_shown(labels)} {len(values)}"


def _filled(template: str, found: re.Match[str]) -> str:
    return re.sub(r"\$\{(\d+)\}", lambda number: found[int(number[1])], template)


def _shown(labels: Labels) -> str:
    return "{" + ",".join(f'{name}="{value}"' for name, value in labels) + "}"
