"""Makes the connection form of Airflow before 3.2 from provider.yaml; later releases read the file themselves."""

from __future__ import annotations

from typing import Any

from airflow_cloudtasks.get_provider_info import connection_type


def form_widgets(conn_type: str) -> dict[str, Any]:
    """Return a form field for each of the declared ``conn-fields``, by name.

    Args:
        conn_type: Connection type, e.g. ``cloudtasks_alibaba``.
    """
    from wtforms import IntegerField, PasswordField, StringField
    from wtforms.validators import any_of, optional

    def field_class(schema: dict[str, Any]) -> Any:
        if schema.get("format") == "password":
            return PasswordField
        return IntegerField if "integer" in schema["type"] else StringField

    def widget(declared: dict[str, Any]) -> Any:
        schema = declared["schema"]
        validators = [optional(), any_of(schema["enum"])] if "enum" in schema else [optional()]
        return field_class(schema)(
            declared["label"],
            validators=validators,
            description=declared["description"],
            default=schema.get("default"),
        )

    return {name: widget(declared) for name, declared in connection_type(conn_type)["conn-fields"].items()}


def field_behaviour(conn_type: str) -> dict[str, Any]:
    """Return the declared ``ui-field-behaviour`` with the keys that Airflow before 3.2 expects.

    Args:
        conn_type: Connection type, e.g. ``cloudtasks_alibaba``.
    """
    declared = connection_type(conn_type)["ui-field-behaviour"]
    return {key.replace("-", "_"): value for key, value in declared.items()}
