"""The start requests of every operator follow the vendors' own definitions and clients."""

from __future__ import annotations

import re
from typing import Any

import pytest
from alibaba_packages import model
from alibaba_requests import on_our_wire, on_the_vendors_wire
from contract.findings import Findings
from contract.requests import compare_request

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.spec import Action, TaskApi

from .every_operator import (
    EVERYTHING,
    Operator,
    of,
    own_arguments,
    parameters_of,
    request_of,
    typed_operators,
    with_everything,
    with_what_is_needed,
)


@pytest.mark.parametrize("operator", EVERYTHING, ids=lambda operator: operator.__name__)
def test_the_samples_cover_every_argument_of_the_operator(operator: Operator) -> None:
    assert set(EVERYTHING[operator]) == set(own_arguments(operator))


def test_the_samples_cover_every_operator() -> None:
    assert set(EVERYTHING) == typed_operators()


def test_each_operator_has_a_start_of_the_catalog_of_its_own() -> None:
    starts = {(api.name, start.action.name) for api in APIS.values() for start in api.starts}
    built = [with_what_is_needed(operator) for operator in EVERYTHING]
    own = [(operator.api.name, operator.start.action.name) for operator in built]
    assert set(own) <= starts
    assert len(own) == len(set(own))


@pytest.mark.parametrize("build", [with_everything, with_what_is_needed])
@pytest.mark.parametrize("operator", of("tencent"), ids=lambda operator: operator.__name__)
def test_the_start_request_follows_tencents_definitions(operator: Operator, build: Any) -> None:
    built = build(operator)
    found = Findings(built.api)
    compare_request(built.api, built.start.action, built.start.action.request(request_of(built)), found)
    assert found.deviations == {}


@pytest.mark.parametrize("build", [with_everything, with_what_is_needed])
@pytest.mark.parametrize("operator", of("alibaba"), ids=lambda operator: operator.__name__)
def test_sends_the_start_request_of_alibabas_own_client(operator: Operator, build: Any) -> None:
    built = build(operator)
    api, action, request = built.api, built.start.action, request_of(built)
    native = {
        name: parameters_of(built)[name] if is_encoded_by_the_client(api, action, name) else request[name]
        for name in request
    }
    assert on_our_wire(api, action, action.request(request)) == on_the_vendors_wire(api, action, native)
    assert action.params_in == "json" or {type(value) for value in request.values()} <= {str, bool, int}


def is_encoded_by_the_client(api: TaskApi, action: Action, name: str) -> bool:
    """Return whether Alibaba's client encodes a dict of the parameter as JSON. For the others, its caller has to."""
    encoded = model(api, f"{action.name}ShrinkRequest")
    attribute = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
    return encoded is not None and hasattr(encoded(), f"{attribute}_shrink")
