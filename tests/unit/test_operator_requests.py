"""The start requests of every operator follow the vendors' own definitions and clients."""

from __future__ import annotations

from typing import Any

import pytest
from alibaba_packages import model
from alibaba_requests import on_our_wire, on_the_vendors_wire
from contract.findings import Findings
from contract.requests import compare_request

from airflow_cloudtasks.catalog import APIS

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
    compare_request(built.api, built.start.action, request_of(built), found)
    assert found.deviations == {}


@pytest.mark.parametrize("build", [with_everything, with_what_is_needed])
@pytest.mark.parametrize("operator", of("alibaba"), ids=lambda operator: operator.__name__)
def test_sends_the_start_request_of_alibabas_own_client(operator: Operator, build: Any) -> None:
    built = build(operator)
    api, action, request = built.api, built.start.action, request_of(built)
    # For some actions, Alibaba's client encodes dicts as JSON. For the others, its caller has to.
    by_client = model(api, f"{action.name}ShrinkRequest") is not None
    native = parameters_of(built) if by_client else request
    assert on_our_wire(api, action, action.request(request)) == on_the_vendors_wire(api, action, native)
    assert {type(value) for value in request.values()} <= {str, bool}
