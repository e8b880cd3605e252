"""One call of a cloud's API: which product, which action, which parameters. Pure data: no Airflow, no I/O."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from airflow_cloudtasks.model import Cloud
from airflow_cloudtasks.spec.literals import check_literal

PLACEHOLDER = re.compile(r"{(\w+)}")

Method = Literal["GET", "POST"]
ParamsIn = Literal["query", "form", "json"]


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
        regions: Regions where the product is known to run, for error messages; other regions are tried all the same.
        time_format: The strftime format of times in requests, in the API's own time zone; None for ISO 8601 in UTC.
        console: The product's page in the vendor's console, for APIs without a ``console_url``.
        console_intl: The same page for accounts of Tencent Cloud's international site.

    Raises:
        ValueError: ``cloud`` is neither.
    """

    cloud: Cloud
    name: str
    version: str
    title: str = ""
    host: str = ""
    region_hosts: Mapping[str, str] = field(default_factory=dict, hash=False)
    regions: tuple[str, ...] = ()
    time_format: str | None = None
    console: str | None = None
    console_intl: str | None = None

    def __post_init__(self) -> None:
        check_literal(f"Service {self.name!r} has cloud", self.cloud, Cloud)

    @property
    def product(self) -> str:
        """The product's everyday name, or its code if it has none."""
        return self.title or self.name


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
        success_code: For an action that reports failures under HTTP 200: the ``Code`` of a success.
        requests_per_second: Requests a second that the vendor allows one account, where its documentation says so.
        constants: Parameters that are the same in every request.
        filters: Parameters that are sent as entries of ``Filters``, as Tencent Cloud's lists take them.

    Raises:
        ValueError: ``method`` or ``params_in`` is unknown, the path names a parameter that ``params`` lacks, or
            ``requests_per_second`` is not a positive number.
    """

    name: str
    params: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    method: Method = "POST"
    path: str = "/"
    params_in: ParamsIn = "json"
    success_code: str | None = None
    requests_per_second: float | None = None
    constants: Mapping[str, Any] = field(default_factory=dict)
    filters: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_literal(f"{self.name}: method is", self.method, Method)
        check_literal(f"{self.name}: params_in is", self.params_in, ParamsIn)
        for name in self.path_params:
            if name not in self.params:
                raise ValueError(f"{self.name}: the path {self.path!r} has {{{name}}}, which is none of its params.")
        if self.requests_per_second is not None and not 0 < self.requests_per_second < float("inf"):
            raise ValueError(f"{self.name}: requests_per_second is {self.requests_per_second!r}; expected more than 0.")

    def request(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Return the parameters as they are sent: with the constants, and with filters as entries of ``Filters``.

        Args:
            parameters: The parameters by name.
        """
        sent = {name: value for name, value in parameters.items() if name not in self.filters} | dict(self.constants)
        if self.filters:
            sent["Filters"] = [{"Name": name, "Values": [parameters[name]]} for name in self.filters]
        return sent

    @cached_property
    def path_params(self) -> tuple[str, ...]:
        """The parameters that are part of the path."""
        return tuple(PLACEHOLDER.findall(self.path))

    @property
    def accepted(self) -> tuple[str, ...]:
        """All parameters that the action accepts, required ones first."""
        return (*self.params, *self.optional)
