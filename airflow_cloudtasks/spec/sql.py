"""Where the SQL of a start request stands, and what its tables are called outside. Pure data: no Airflow, no I/O."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")

REGION = "region"


@dataclass(frozen=True, kw_only=True)
class Sql:
    """The SQL of a start request, for lineage.

    Args:
        statement: The path of the SQL in the parameters, e.g. ``Task.*.SQL``, where ``*`` stands for any name.
        namespace: OpenLineage's namespace of its tables. ``{region}`` stands for the request's region, and e.g.
            ``{DBClusterId}`` for the value at a path in the parameters.
        catalog: The path of the catalog of tables that are written without one; None if the request has none.
        database: The path of the database of tables that are written without one; None if the request has none.
        when: Values that parameters must have: with others, the request has no SQL there.

    Raises:
        ValueError: A path is empty.
    """

    statement: str
    namespace: str
    catalog: str | None = None
    database: str | None = None
    when: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not all(self.paths) or not self.namespace:
            raise ValueError(f"Sql {self.statement!r}: expected a namespace, and paths that are not empty.")

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths in the request's parameters that it uses."""
        paths = (self.statement, self.catalog, self.database, *self.when, *self.names_in_namespace())
        return tuple(path for path in paths if path is not None and path != REGION)

    @property
    def params(self) -> tuple[str, ...]:
        """The names of the request's parameters that it uses."""
        return tuple(dict.fromkeys(path.split(".")[0] for path in self.paths))

    def names_in_namespace(self) -> Iterator[str]:
        """Yield what stands in braces in the namespace."""
        yield from _PLACEHOLDER.findall(self.namespace)

    def filled_namespace(self, values: Mapping[str, str | None]) -> str | None:
        """Return the namespace with values; None if one is missing.

        Args:
            values: The values by what stands in braces.
        """
        found = {name: values.get(name) for name in self.names_in_namespace()}
        if not all(found.values()):
            return None
        return _PLACEHOLDER.sub(lambda name: found[name[1]] or "", self.namespace)
