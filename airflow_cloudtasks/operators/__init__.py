"""Operators: they start, read and cancel cloud tasks."""
