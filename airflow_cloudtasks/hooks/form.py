"""The connection form of Airflow before 3.2, made of what provider.yaml declares.

Airflow 3.2 and newer read the declaration themselves and never come here.
"""

from __future__ import annotations

from typing import Any

from airflow_cloudtasks.get_provider_info import connection_type


def form_widgets(conn_type: str) -> dict[str, Any]:
    """Make a form field of each of the declared ``conn-fields``.

    Args:
        conn_type: E.g. ``cloudtasks_alibaba``.
    """
    from wtforms import IntegerField, PasswordField, StringField
    from wtforms.validators import any_of, optional

    def widget(declared: dict[str, Any]) -> Any:
        schema = declared["schema"]
        kind = (
            PasswordField
            if schema.get("format") == "password"
            else IntegerField
            if "integer" in schema["type"]
            else StringField
        )
        validators = [optional(), any_of(schema["enum"])] if "enum" in schema else [optional()]
        return kind(
            declared["label"],
            validators=validators,
            description=declared["description"],
            default=schema.get("default"),
        )

    return {name: widget(declared) for name, declared in connection_type(conn_type)["conn-fields"].items()}


def field_behaviour(conn_type: str) -> dict[str, Any]:
    """Give the declared ``ui-field-behaviour`` in the words of the older Airflow.

    Args:
        conn_type: E.g. ``cloudtasks_alibaba``.
    """
    declared = connection_type(conn_type)["ui-field-behaviour"]
    return {key.replace("-", "_"): value for key, value in declared.items()}
