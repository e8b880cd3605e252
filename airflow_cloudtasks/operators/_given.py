"""Make the vendor's parameters of an operator's arguments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def given(values: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the values that are not None, as an object of the vendor; None if there is none.

    Args:
        values: Values by the vendor's names.
    """
    return {name: value for name, value in values.items() if value is not None} or None


def contents_of_file(sql: Any) -> Any:
    """Return a template with the contents of a file, if ``sql`` names one; otherwise, return it.

    With Airflow's ``template_ext``, every text that ends in ``.sql`` would name a file, in whatever argument.

    Args:
        sql: SQL, or the name of a file that ends in ``.sql``.
    """
    if not isinstance(sql, str) or not sql.endswith(".sql"):
        return sql
    name = sql.replace("\\", "\\\\").replace("'", "\\'")
    return f"{{% include '{name}' %}}"
