"""The declaration of WeData, with the parameters that most of its actions have.

Source: the definitions of WeData 2025-08-06 that tccli ships.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_cloudtasks.emulator.products.shared.product import Product
from airflow_cloudtasks.emulator.vendor.contract import Parameter
from airflow_cloudtasks.emulator.vendor.wire import VendorError

if TYPE_CHECKING:
    from airflow_cloudtasks.emulator.vendor.contract import Location

JSON: tuple[Location, ...] = ("json", "query")
# Only GetTask's document lists an error code for a task that does not exist: it is Tencent Cloud's common one.
WEDATA = Product("tencent", "wedata", "2025-08-06", JSON, needs_region=True)
PROJECT = Parameter("ProjectId", JSON)

optional = WEDATA.optional


def invalid(name: str) -> VendorError:
    """Return the refusal of a parameter's value. It is not documented: this is Tencent Cloud's common code."""
    return VendorError("InvalidParameter", f"The value of the parameter `{name}` is not valid.")
