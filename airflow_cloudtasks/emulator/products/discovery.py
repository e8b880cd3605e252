"""Find the products: every module of this package that declares one."""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING

from airflow_cloudtasks.emulator import products
from airflow_cloudtasks.emulator.products.shared.product import Product

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_cloudtasks.emulator.vendor.contract import Action


def find_actions() -> tuple[Action, ...]:
    """Return the actions of every product, in the order of the modules' names."""
    return tuple(action for product in _find_products() for action in product.actions)


def _find_products() -> list[Product]:
    # A product may be imported into several modules, which add to its actions.
    found = {id(value): value for module in _modules() for value in vars(module).values() if isinstance(value, Product)}
    return list(found.values())


def _modules() -> list[object]:
    # All are imported before a product's actions are read.
    return [importlib.import_module(name) for name in _names()]


def _names() -> Iterator[str]:
    for module in pkgutil.walk_packages(products.__path__, f"{products.__name__}."):
        if module.name != __name__:
            yield module.name
