"""Compares the catalog with the vendors' definitions. ``python -m tools.contract`` prints what it compared."""
