"""Writes the emulator's definitions from the vendors' own packages. ``python -m tools.definitions --help`` says how."""
