"""One call of a cloud's API: which product, which action, which parameters. Pure data: no Airflow, no I/O."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from airflow_cloudtasks.model import Cloud
from airflow_cloudtasks.spec import template as templates
from airflow_cloudtasks.spec.literals import check_literal, is_path

PLACEHOLDER = re.compile(r"{(\w+)}")

Method = Literal["GET", "POST", "PUT", "DELETE"]
ParamsIn = Literal["query", "form", "json"]
Place = Literal["query", "header", "form", "json", "body"]
"""Where a parameter goes. ``body``: it is the whole body, as text or bytes. A parameter of the path has no other place.
"""

_INTEGERS = ("integer", "integers")
_BODIES: tuple[Place, ...] = ("form", "json", "body")
# Set when a request is signed.
_RESERVED_HEADERS = re.compile(r"accept|authorization|content-(length|type)|host|user-agent|x-acs-.*", re.IGNORECASE)

Network = Literal["public", "vpc", "regional", "internal", "internal_regional"]
"""A network whose hosts have names of their own: ``vpc`` at Alibaba Cloud, the others at Tencent Cloud."""

NO_REGION = ""
"""The key of :attr:`Service.region_hosts` for calls without a region."""


@dataclass(frozen=True, kw_only=True)
class Service:
    """A product of a cloud: its name on the wire, its hosts and its console.

    Args:
        cloud: ``alibaba`` or ``tencent``.
        name: The product's code, as its host name has it; Tencent Cloud signs with it too.
        version: The version of the product's API, in the vendor's own form.
        title: The product's everyday name.
        host: The host name; ``{region}`` is replaced by the region. Empty for the cloud's own rule:
            ``{name}.{region}.aliyuncs.com`` or ``{name}.tencentcloudapi.com``.
        region_hosts: Hosts of the regions that do not follow ``host``, by region; ``NO_REGION`` for calls without one.
        network_hosts: Hosts of the networks that follow neither rule, by network; with ``{region}`` as in ``host``.
        regions: Regions where the product is known to run, for error messages; other regions are tried all the same.
        time_format: The strftime format of times in requests, in the API's own time zone; None for ISO 8601 in UTC.
        console: The product's page in the vendor's console, for APIs without a ``console_url``.
        console_intl: The same page for accounts of Tencent Cloud's international site.

    Raises:
        ValueError: ``cloud`` is neither, or a network is unknown.
    """

    cloud: Cloud
    name: str
    version: str
    title: str = ""
    host: str = ""
    region_hosts: Mapping[str, str] = field(default_factory=dict, hash=False)
    network_hosts: Mapping[str, str] = field(default_factory=dict, hash=False)
    regions: tuple[str, ...] = ()
    time_format: str | None = None
    console: str | None = None
    console_intl: str | None = None

    def __post_init__(self) -> None:
        check_literal(f"Service {self.name!r} has cloud", self.cloud, Cloud)
        for network in self.network_hosts:
            check_literal(f"Service {self.name!r} has a host of network", network, Network)

    @property
    def product(self) -> str:
        """The product's everyday name, or its code if it has none."""
        return self.title or self.name


@dataclass(frozen=True)
class Success:
    """The field by which an answer under HTTP 200 says whether its call succeeded, and those that explain a failure.

    The paths start at the answer without its envelope.

    Args:
        flag: The path of the flag. The call failed if it is false, ``"false"`` in any case, or the number 0; not if it
            is missing.
        code: The path of the error code. None for the usual names, which are also read if the path leads to no code.
        message: The path of the error message; None as for ``code``.
    """

    flag: str
    code: str | None = None
    message: str | None = None


@dataclass(frozen=True, kw_only=True)
class Action:
    """One call of a service's API: its name, its parameters and how they travel.

    Args:
        name: The vendor's name of the action, e.g. ``GetTask``.
        params: The required parameters, in the vendor's spelling.
        optional: The optional parameters.
        method: The HTTP method.
        path: The path. ``{Name}`` is replaced by the parameter of that name, which is then sent nowhere else.
        params_in: Where the other parameters go. Tencent Cloud takes ``json``; Alibaba Cloud's RPC actions take
            ``query`` or ``form``, its ROA actions ``query`` or ``json``.
        places: Where parameters go that do not go where ``params_in`` says, by name.
        template: The content of the request as the vendor takes it, merged over the other parameters:
            ``{"Filters": [{"Name": "task-id", "Values": ["{TaskId}"]}]}``. A parameter that it takes is sent only
            there. :mod:`airflow_cloudtasks.spec.template` has the rules.
        json_params: Parameters whose list or dict is sent as JSON in a text, as Alibaba Cloud takes some of them.
        success_code: For an action that reports failures under HTTP 200: the ``Code`` of a success.
        success: For an action that reports them by a flag: its path, and those of the code and the message.
        empty: Whether the answer of a success has no body.
        error_beside: For an action of Tencent Cloud whose answer may have the ``Error`` of a task: a field beside it,
            which a refused request has not.
        requests_per_second: Requests a second that the vendor allows one account, where its documentation says so.

    Raises:
        ValueError: A value is unknown, a name is none of the parameters, a parameter has two places, a path of
            ``success`` is blank, or ``requests_per_second`` is not a positive number. The text says which.
    """

    name: str
    params: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    method: Method = "POST"
    path: str = "/"
    params_in: ParamsIn = "json"
    places: Mapping[str, Place] = field(default_factory=dict)
    template: Mapping[str, Any] = field(default_factory=dict)
    json_params: tuple[str, ...] = ()
    success_code: str | None = None
    success: Success | None = None
    empty: bool = False
    error_beside: str | None = None
    requests_per_second: float | None = None

    def __post_init__(self) -> None:
        check_literal(f"{self.name}: method is", self.method, Method)
        check_literal(f"{self.name}: params_in is", self.params_in, ParamsIn)
        for name, place in self.places.items():
            check_literal(f"{self.name}: the place of {name} is", place, Place)
        templates.check(self.name, self.template, self.accepted)
        if problem := next(self._problems(), None):
            raise ValueError(f"{self.name}: {problem}")

    def _problems(self) -> Iterator[str]:
        for name in self.path_params:
            if name not in self.params:
                yield f"the path {self.path!r} has {{{name}}}, which is none of its params."
            if name in self.in_template:
                yield f"{name} has two places, the path and the template."
        for name in (*self.places, *self.json_params):
            if name in self.path_params:
                yield f"{name} has two places; it is already in the path."
            if name in self.in_template and name not in self.template:
                yield f"{name} has two places; it is already in the template."
            if name not in self.accepted and name not in self.template:
                yield f"{name!r} has a place, but it is none of its parameters {self.accepted}."
        for name, place in self.places.items():
            if place == "header" and _RESERVED_HEADERS.fullmatch(name):
                yield f"the header {name} cannot be a parameter, because signing sets it."
        bodies = [place for place in map(self.place, self.members) if place in _BODIES]
        if len(set(bodies)) > 1 or bodies.count("body") > 1:
            yield f"one request cannot have a body of each of {bodies}."
        if self.requests_per_second is not None and not 0 < self.requests_per_second < float("inf"):
            yield f"requests_per_second is {self.requests_per_second!r}; expected more than 0."
        for path in (self.success.flag, self.success.code, self.success.message) if self.success else ():
            if path is not None and not is_path(path):
                yield f"success has path {path!r}; expected names with dots between them."

    def request(self, parameters: Mapping[str, Any], region: str | None = None) -> dict[str, Any]:
        """Return the parameters as they are sent: filled into the template, those of ``json_params`` as JSON.

        Args:
            parameters: The parameters by name.
            region: The region of the request.

        Raises:
            InvalidArguments: A parameter is no whole number, although the template needs one.
        """
        if not self.template and not self.json_params:  # as in most polls
            return dict(parameters)
        sent = {name: value for name, value in parameters.items() if name not in self.in_template}
        sent |= templates.fill(self.template, {**parameters, templates.REGION: region})
        for name in self.json_params:
            if isinstance(value := sent.get(name), Mapping | list | tuple):
                sent[name] = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        return sent

    def place(self, name: str) -> Place:
        """Return where a parameter goes that is not in the path.

        Args:
            name: The parameter.
        """
        return self.places.get(name, self.params_in)

    @cached_property
    def in_template(self) -> frozenset[str]:
        """The parameters that the template takes."""
        return frozenset(name for name, _ in templates.placeholders(self.template))

    @cached_property
    def integers(self) -> frozenset[str]:
        """The parameters that the template takes as integers."""
        return frozenset(name for name, kind in templates.placeholders(self.template) if kind in _INTEGERS)

    @cached_property
    def members(self) -> tuple[str, ...]:
        """What a request may have outside of its path: the members of the template and the other parameters."""
        elsewhere = {*self.in_template, *self.path_params}
        return tuple(dict.fromkeys((*self.template, *(name for name in self.accepted if name not in elsewhere))))

    @cached_property
    def path_params(self) -> tuple[str, ...]:
        """The parameters that are part of the path."""
        return tuple(PLACEHOLDER.findall(self.path))

    @property
    def accepted(self) -> tuple[str, ...]:
        """All parameters that the action accepts, required ones first."""
        return (*self.params, *self.optional)
